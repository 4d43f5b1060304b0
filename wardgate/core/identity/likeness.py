"""Finding what is there more than once among millions, in little memory: six bytes for each.

Everything is shown to a `Repeats` once, with `note`; after that, `repeated` is true for what was
shown at least twice, and seldom for something else. So a second walk has to look closely only at
what is repeated.
"""

import unicodedata
from hashlib import blake2b

_PROBES = 3
_BITS_FOR_EACH = 24  # one in 700 is taken for a repetition wrongly
_FEWEST_BITS = 2**10


def alike(name: str) -> str:
    """The same text for names that a person would take for one another: they differ in case,
    spaces, or in how their characters are composed."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


class _Filter:
    """A set that may hold too much (a Bloom filter)."""

    def __init__(self, bits: int) -> None:
        self._bits = bytearray(bits // 8 + 1)

    def add(self, places: list[int]) -> bool:
        """Take it in; whether it was there already."""
        there = True
        for place in places:
            byte, bit = place >> 3, 1 << (place & 7)
            if not self._bits[byte] & bit:
                there = False
                self._bits[byte] |= bit
        return there

    def holds(self, places: list[int]) -> bool:
        return all(self._bits[place >> 3] & 1 << (place & 7) for place in places)


class Repeats:
    """Tells what was noted more than once. `expected` is how much will be noted, about."""

    def __init__(self, expected: int) -> None:
        self._bits = max(expected * _BITS_FOR_EACH, _FEWEST_BITS)
        self._once = _Filter(self._bits)
        self._twice = _Filter(self._bits)

    def note(self, *text: str) -> None:
        places = self._places(text)
        if self._once.add(places):
            self._twice.add(places)

    def repeated(self, *text: str) -> bool:
        return self._twice.holds(self._places(text))

    def _places(self, text: tuple[str, ...]) -> list[int]:
        digest = blake2b("\0".join(text).encode(), digest_size=8 * _PROBES).digest()
        return [
            int.from_bytes(digest[start : start + 8], "big") % self._bits
            for start in range(0, len(digest), 8)
        ]
