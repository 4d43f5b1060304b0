"""What a server answered."""

from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]

_ENVELOPE = frozenset({"request_id", "lease_id", "data", "auth", "wrap_info", "errors"})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its HTTP status, its JSON object if it had one, and its bytes as they came.

    What it carries may be secret, so printing a reply shows its status alone.
    """

    status: int
    body: JsonObject | None = field(default=None, repr=False)
    raw: bytes = field(default=b"", repr=False)

    @property
    def data(self) -> JsonObject | None:
        """The payload. Endpoints such as ``sys/seal-status`` send it without an envelope."""
        if self.body is None:
            return None
        if self.body.keys() & _ENVELOPE:
            return _object(self.body.get("data"))
        return self.body or None

    @property
    def auth(self) -> JsonObject | None:
        """The token that a login or a token creation gave out."""
        return self._member("auth")

    @property
    def wrap_info(self) -> JsonObject | None:
        """The wrapping token, when the answer itself was put away for one reader."""
        return self._member("wrap_info")

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._texts("warnings")

    @property
    def errors(self) -> tuple[str, ...]:
        return self._texts("errors")

    def _member(self, name: str) -> JsonObject | None:
        return None if self.body is None else _object(self.body.get(name))

    def _texts(self, name: str) -> tuple[str, ...]:
        found = None if self.body is None else self.body.get(name)
        return tuple(str(text) for text in found) if isinstance(found, list) else ()


def _object(value: object) -> JsonObject | None:
    return value if isinstance(value, dict) else None
