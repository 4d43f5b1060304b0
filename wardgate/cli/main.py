"""The `wardgate` command."""


def main() -> None:
    raise SystemExit("not yet")
