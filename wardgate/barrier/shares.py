"""Who holds a share: marks by which each share is recognised on its own.

A mark is a hash of a share. Shares are at least 32 random bytes, so a mark tells nothing about one,
yet a share that somebody gives is known as right or wrong at once: what authorises a rekey or a new
root token is the number of different right shares that were given, and no share has to be kept
until the others have come. The marks are stored as a value of the barrier, so whoever can only
write to the storage cannot slip in marks of their own.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence

import msgspec

UNSEAL_SHARES = "core/unseal-shares"
"""Where the marks of the unseal keys are stored."""
RECOVERY_SHARES = "core/recovery-shares"
"""Where those of the recovery keys are."""

_PURPOSE = b"wardgate share"


class ShareMarks(msgspec.Struct, frozen=True):
    """One set of shares. `id` is another one for every set, `threshold` the shares that authorise."""

    id: bytes
    threshold: int
    marks: tuple[bytes, ...]

    @classmethod
    def of(cls, shares: Sequence[bytes], threshold: int) -> "ShareMarks":
        """The marks of a set that was just made."""
        return cls(os.urandom(16), threshold, tuple(_mark(share) for share in shares))

    def number(self, share: bytes) -> int | None:
        """Which share of the set this is, None for none of it.

        Every mark is compared, each in constant time.
        """
        given = _mark(share)
        found = None
        for number, mark in enumerate(self.marks):
            if hmac.compare_digest(mark, given):
                found = number
        return found

    def encode(self) -> bytes:
        """The record as the barrier stores it."""
        return msgspec.msgpack.encode(self)


def _mark(share: bytes) -> bytes:
    return hashlib.blake2b(share, digest_size=32, person=_PURPOSE).digest()
