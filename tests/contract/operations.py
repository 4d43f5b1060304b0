"""The seed's operations: what the API of the `auth` half has to be, as data.

`operations.json` is the contract as it was given; it is not edited here.
"""

from pathlib import Path
from typing import Any

import msgspec

from tests.contract.parts import PARTS

_FILE = Path(__file__).with_name("operations.json")


class SeedField(msgspec.Struct, frozen=True, kw_only=True, rename={"place": "in"}):
    """A parameter in the path or query (`place`), or a field of the body."""

    name: str
    type: str
    required: bool
    deprecated: bool
    place: str = "body"
    default: str | None = None
    enum: list[str] | None = None


class SeedOperation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation, with its path under the mount's own name."""

    method: str
    path: str
    operation_id: str
    unauthenticated: bool
    sudo: bool
    create: bool
    parameters: list[SeedField]
    body: list[SeedField]
    responses: list[str]

    @property
    def status(self) -> int:
        """The status of success."""
        return int(self.responses[0].partition(":")[0])

    def __str__(self) -> str:
        return self.operation_id


def _read() -> list[SeedOperation]:
    everything: list[dict[str, Any]] = msgspec.json.decode(_FILE.read_bytes())
    built = [each for each in everything if any(part.has(each["path"]) for part in PARTS)]
    return msgspec.convert(built, list[SeedOperation])


OPERATIONS = _read()
"""Those of the auth methods that are built: the others come later."""
