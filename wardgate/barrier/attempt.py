"""A key in the hands of people: how it is split, and the shares that were given back so far.

The shares given live in this process alone and are never written. Anyone may give one, so what is
kept is bounded (by the threshold), and a wrong one costs the attempt, not the server.
"""

import hmac
from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

from wardgate.barrier import shamir
from wardgate.barrier.envelope import KEY_BYTES
from wardgate.errors import InvalidRequest


class Progress(NamedTuple):
    """Shares counted in the attempt under way, and its id (empty when none is)."""

    progress: int
    nonce: str


class Attempt:
    """The shares of one key that people have given so far."""

    def __init__(self) -> None:
        self._given: list[bytes] = []
        self._nonce = ""

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return Progress(len(self._given), self._nonce)

    def add(self, share: bytes, shares: int) -> None:
        """Count a share of a key that was split in `shares`; one given twice counts once.

        Raises `InvalidRequest` for what cannot be a share of that key, and changes nothing then.
        """
        length = KEY_BYTES if shares == 1 else KEY_BYTES + 1
        if len(share) != length:
            raise InvalidRequest(
                f"invalid key: a key of this server has {length} bytes once decoded; "
                "give it as it was printed at initialisation"
            )
        if any(hmac.compare_digest(share, given) for given in self._given):
            return
        if shares > 1:
            if share[-1] == 0:
                raise InvalidRequest(
                    "invalid key: this is not a share that an initialisation gave out"
                )
            if any(share[-1] == given[-1] for given in self._given):
                raise InvalidRequest(
                    "invalid key: another key for the same share was given in this attempt, so one "
                    "of the two is wrong; reset the attempt and start again"
                )
        if not self._given:
            self._nonce = str(uuid4())
        self._given.append(share)

    def take(self) -> list[bytes]:
        """The shares given, which ends the attempt."""
        given = self._given
        self.forget()
        return given

    def forget(self) -> None:
        """End the attempt."""
        self._given = []
        self._nonce = ""


def split_key(key: bytes, shares: int, threshold: int) -> list[bytes]:
    """`shares` shares of `key`; one alone is the key itself, as in Vault. See `shamir.split`."""
    return [key] if shares == 1 else shamir.split(key, shares, threshold)


def combine_key(given: Sequence[bytes], shares: int) -> bytes:
    """Undo `split_key`. Raises `shamir.ShareError` for what cannot belong together."""
    return given[0] if shares == 1 and len(given) == 1 else shamir.combine(given)


def check_recovery_counts(shares: int, threshold: int) -> None:
    """`check_counts` for a recovery key; OpenBao looks at other mistakes first there."""
    if threshold > shares:
        problem = "threshold cannot be larger than shares"
    elif threshold < 2 <= shares <= shamir.MAX_SHARES:
        problem = "threshold must be greater than one for multiple shares"
    else:
        return check_counts(shares, threshold, "recovery")
    raise InvalidRequest(f"invalid recovery configuration: {problem}")


def check_counts(shares: int, threshold: int, what: str = "seal") -> None:
    """Vault's rules, with its words, since clients show them as they come. Raises
    `InvalidRequest`."""
    if shares < 1:
        problem = "shares must be at least one"
    elif threshold < 1:
        problem = "threshold must be at least one"
    elif threshold == 1 and shares > 1:
        problem = "threshold must be greater than one for multiple shares"
    elif shares > shamir.MAX_SHARES:
        problem = "shares must be less than 256"
    elif threshold > shamir.MAX_SHARES:
        problem = "threshold must be less than 256"
    elif threshold > shares:
        problem = "threshold cannot be larger than shares"
    else:
        return
    raise InvalidRequest(f"invalid {what} configuration: {problem}")
