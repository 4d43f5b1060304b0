"""The keys that encrypt every stored value, one a term.

New values are written under the newest term; older terms stay so that what they wrote can be read.
A keyring never changes: `rotated` and `counted` give another one.

Layout of a value: format byte, term (4 bytes, big-endian), 12-byte random nonce, AES-256-GCM
ciphertext with its 16-byte tag. The associated data are format, term and the storage key, so a
value opens only where it was written. A random nonce is safe for 2^32 values under one key (NIST SP
800-38D, 8.3), which is why each term carries a count.
"""

import os
from collections.abc import Iterable, Mapping

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wardgate.barrier import envelope
from wardgate.barrier.envelope import KEY_BYTES, NONCE_BYTES
from wardgate.barrier.errors import BarrierError
from wardgate.randomness import random_bytes

_FORMAT = 1
_HEADER_BYTES = 5
_BODY = _HEADER_BYTES + NONCE_BYTES
_COPY_LIMIT = 32 * 1024
"""Below this many bytes a copy of the ciphertext costs less than a view on it."""


class UnknownTerm(BarrierError):
    """The value was written under a term that the keyring lacks."""


class Term(msgspec.Struct, frozen=True):
    """One key. `installed` is seconds since the epoch, `encryptions` the values written so far."""

    number: int
    key: bytes
    installed: float
    encryptions: int = 0

    def __repr__(self) -> str:
        return f"<Term {self.number}>"


class _Record(msgspec.Struct, frozen=True):
    terms: tuple[Term, ...]


_decoder = msgspec.json.Decoder(_Record)


class Keyring:
    """The terms in use, and what encrypts and decrypts with them."""

    __slots__ = ("_cipher", "_ciphers", "_header", "active", "terms")

    def __init__(self, terms: Iterable[Term]) -> None:
        """`terms` are in ascending order; the last one encrypts."""
        self.terms = tuple(terms)
        self.active = self.terms[-1]
        self._ciphers = {_header(term.number): AESGCM(term.key) for term in self.terms}
        self._header = _header(self.active.number)
        self._cipher = self._ciphers[self._header]

    @classmethod
    def new(cls, now: float) -> "Keyring":
        """A keyring of one term with a fresh key."""
        return cls([Term(1, os.urandom(KEY_BYTES), now)])

    def rotated(self, now: float) -> "Keyring":
        """This keyring with a fresh key as its newest term."""
        term = Term(self.active.number + 1, os.urandom(KEY_BYTES), now)
        return Keyring([*self.terms, term])

    def counted(self, encryptions: Mapping[int, int]) -> "Keyring":
        """This keyring with `encryptions` (term -> values written) added to its counts."""
        return Keyring(
            msgspec.structs.replace(
                term, encryptions=term.encryptions + encryptions.get(term.number, 0)
            )
            for term in self.terms
        )

    def wrap(self, root_key: bytes, storage_key: str) -> bytes:
        """The keyring as a record for `storage_key`, encrypted under the root key."""
        return envelope.wrap(root_key, storage_key, msgspec.json.encode(_Record(self.terms)))

    @classmethod
    def unwrap(cls, root_key: bytes, storage_key: str, record: bytes) -> "Keyring":
        """Undo `wrap`. Raises `WrongKey` or `BarrierError` as `envelope.unwrap` does."""
        return cls(_decoder.decode(envelope.unwrap(root_key, storage_key, record)).terms)

    def encrypt(self, storage_key: str, plaintext: bytes) -> bytes:
        """`plaintext` under the newest term, readable at `storage_key` only."""
        header = self._header
        nonce = random_bytes(NONCE_BYTES)
        return b"".join(
            (header, nonce, self._cipher.encrypt(nonce, plaintext, header + storage_key.encode()))
        )

    def decrypt(self, storage_key: str, value: bytes) -> bytes:
        """Undo `encrypt`.

        Raises `UnknownTerm` for a term that is not here, `BarrierError` for a value that was
        altered, cut, moved from another storage key or never encrypted by this barrier.
        """
        header = value[:_HEADER_BYTES]
        cipher = self._ciphers.get(header)
        if cipher is None:
            raise _unknown(storage_key, header)
        body = value[_BODY:] if len(value) < _COPY_LIMIT else memoryview(value)[_BODY:]
        try:
            return cipher.decrypt(value[_HEADER_BYTES:_BODY], body, header + storage_key.encode())
        except (InvalidTag, ValueError):
            raise BarrierError(
                f"the value stored at {storage_key} was altered, cut short or moved there from "
                "another key; restore it from a backup"
            ) from None


def _header(term: int) -> bytes:
    return bytes((_FORMAT,)) + term.to_bytes(_HEADER_BYTES - 1, "big")


def _unknown(storage_key: str, header: bytes) -> BarrierError:
    if len(header) < _HEADER_BYTES or header[0] != _FORMAT:
        return BarrierError(
            f"the value stored at {storage_key} was not encrypted by this server; "
            "something else wrote to its storage"
        )
    return UnknownTerm(
        f"the value stored at {storage_key} was encrypted under term "
        f"{int.from_bytes(header[1:], 'big')}, which the keyring does not have; "
        "storage was mixed with that of another server, or the keyring is from an older backup"
    )
