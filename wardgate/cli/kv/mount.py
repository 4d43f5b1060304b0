"""Finds out which key-value mount a path lies in, and which version it speaks."""

from dataclasses import dataclass
from typing import Annotated

from wardgate.cli.command import Flag
from wardgate.cli.failure import Refused, UsageError
from wardgate.cli.session import NOT_FOUND, Session

Mount = Annotated[str, Flag("Where the engine is mounted; KEY is then relative to it.")]
Versions = Annotated[list[str] | None, Flag("Version numbers: 1,2.")]


@dataclass(frozen=True, slots=True)
class Place:
    """A key in a mount. `mount` ends in a slash."""

    mount: str
    key: str
    versioned: bool

    def path(self, kind: str = "data") -> str:
        """The API path; `kind` is version 2's: data, metadata, delete, undelete or destroy."""
        middle = f"{kind}/" if self.versioned else ""
        return f"{self.mount}{middle}{self.key}".rstrip("/")

    def require_versions(self, what: str) -> None:
        if not self.versioned:
            raise UsageError(f"{what} needs a mount of KV version 2; this one is version 1")


def locate(session: Session, key: str, mount: str) -> Place:
    """Ask the server where `key` lies. Raises `Refused` when there is no such mount for us."""
    asked = mount.strip("/") or key.strip("/")
    path = f"sys/internal/ui/mounts/{asked}"
    try:
        reply = session.request("GET", path, doing="looking up the mount", wrap=False)
    except Refused as refused:
        if refused.status != NOT_FOUND:
            raise
        # Servers from before the endpoint know version 1 alone.
        first = mount.strip("/") or asked.partition("/")[0]
        return Place(f"{first}/", _relative(key, first, mount), versioned=False)
    data = reply.data or {}
    found = str(data.get("path") or asked).strip("/")
    options = data.get("options") or {}
    versioned = data.get("type") == "kv" and options.get("version") == "2"
    return Place(f"{found}/", _relative(key, found, mount), versioned)


def _relative(key: str, found: str, mount: str) -> str:
    key = key.strip("/")
    return key if mount else key.removeprefix(found).lstrip("/")


def split_versions(versions: list[str] | None) -> list[str]:
    """The numbers of -versions=1,2 -versions=3. Raises `UsageError` for what is no number."""
    numbers = [number for text in versions or [] for number in text.split(",")]
    if not all(number.isdecimal() for number in numbers):
        raise UsageError("option -versions holds version numbers, such as -versions=1,2")
    return numbers
