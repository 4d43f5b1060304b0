"""`wardgate secrets …`: which engines there are, and where."""

from typing import Unpack

from wardgate.cli.command import Commands, Group
from wardgate.cli.mounts import At, Creation, Mounts, Settings
from wardgate.cli.session import Session

_ENGINES = Mounts("secrets engine", "sys/mounts")


def enable(session: Session, type_: str, *, path: At = "", **given: Unpack[Creation]) -> None:
    """Enable a secrets engine of a type."""
    enabled = _ENGINES.enable(session, type_, path, given)
    session.output.success(f"Enabled the {type_} secrets engine at: {enabled}")


def tune(session: Session, path: str, **given: Unpack[Settings]) -> None:
    """Change the settings of a secrets engine."""
    _ENGINES.tune(session, path, given)


COMMANDS: Commands = {
    "secrets": Group(
        "Enable and change secrets engines.",
        {**_ENGINES.commands, "enable": enable, "tune": tune},
    )
}
