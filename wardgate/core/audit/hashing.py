"""HMACs in the place of texts.

HMAC-SHA256 keyed with the device's salt, as Vault's audit devices have it: whoever knows a value can
look for it in the log, and nobody learns one from the log.
"""

from decimal import Decimal
from hashlib import sha256
from typing import Any

_REMEMBERED = 4096
_LONGEST_REMEMBERED = 128
_BLOCK = 64  # bytes that SHA-256 works on at a time

_PLAIN = frozenset({bool, int, float, Decimal, type(None)})


class Hasher:
    """Hashes texts with one salt. Those that come again and again (tokens, names) are remembered,
    a bounded number of them."""

    def __init__(self, salt: bytes) -> None:
        # the two halves of HMAC (RFC 2104) begun once: half the time of `hmac.digest` for short texts
        key = (sha256(salt).digest() if len(salt) > _BLOCK else salt).ljust(_BLOCK, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in key))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in key))
        self._known: dict[str, str] = {}

    def text(self, text: str) -> str:
        """``hmac-sha256:`` and 64 hexadecimal digits."""
        found = self._known.get(text)
        if found is None:
            inner, outer = self._inner.copy(), self._outer.copy()
            inner.update(text.encode("utf-8", "surrogatepass"))
            outer.update(inner.digest())
            found = "hmac-sha256:" + outer.hexdigest()
            if len(text) <= _LONGEST_REMEMBERED:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[text] = found
        return found

    def tree(self, value: Any, clear: frozenset[str] = frozenset()) -> Any:
        """A copy of a JSON value, made of dicts and lists, with every text hashed. Names of fields,
        numbers and truth values stay, and so do texts whose field is named in `clear`, in lists
        too."""
        return self._shown(value, clear) if clear else self._hashed(value)

    def _hashed(self, value: Any) -> Any:
        kind = type(value)
        if kind is dict:
            known, text, hashed = self._known, self.text, self._hashed
            return {
                name: (known.get(inner) or text(inner)) if type(inner) is str else hashed(inner)
                for name, inner in value.items()
            }
        if kind is str:
            return self.text(value)
        if kind is list:
            return [self._hashed(inner) for inner in value]
        if kind in _PLAIN:
            return value
        raise TypeError(f"no JSON value: {kind.__name__}")

    def _shown(self, value: Any, clear: frozenset[str], plain: bool = False) -> Any:
        if isinstance(value, dict):
            return {name: self._shown(inner, clear, name in clear) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._shown(inner, clear, plain) for inner in value]
        return value if plain else self._hashed(value)


class Unhashed(Hasher):
    """For devices with ``log_raw``: everything is shown as it is."""

    def text(self, text: str) -> str:
        return text

    def tree(self, value: Any, clear: frozenset[str] = frozenset()) -> Any:
        return value
