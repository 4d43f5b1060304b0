"""A key in the hands of people: how it is split, and the shares that were given back so far.

The shares given live in memory alone and are never written. Anyone may give one, so what is
kept is bounded (by the threshold), and a wrong one costs the attempt, not the server.
"""

import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from uuid import uuid4

import msgspec

from wardgate.barrier import shamir
from wardgate.barrier.envelope import KEY_BYTES
from wardgate.barrier.shared import Change, SharedSecrets, SharedState
from wardgate.errors import InvalidRequest


class Progress(NamedTuple):
    """Shares counted in the attempt under way, and its id (empty when none is)."""

    progress: int
    nonce: str


class Attempt:
    """The shares of one key that people have given so far: to this process, or to any of those that
    have `shared`."""

    def __init__(self, shared: SharedSecrets | None = None) -> None:
        self._shared = shared
        self._own = SharedState()

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        state = self._own if self._shared is None else self._shared.read()[1]
        return Progress(len(state.given), state.nonce)

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
        if shares > 1 and share[-1] == 0:
            raise InvalidRequest("invalid key: this is not a share that an initialisation gave out")
        with self._changing() as change:
            state = change.before
            if any(hmac.compare_digest(share, given) for given in state.given):
                return
            if shares > 1 and any(share[-1] == given[-1] for given in state.given):
                raise InvalidRequest(
                    "invalid key: another key for the same share was given in this attempt, so one "
                    "of the two is wrong; reset the attempt and start again"
                )
            change.after = msgspec.structs.replace(
                state, given=(*state.given, share), nonce=state.nonce or str(uuid4())
            )

    def take(self, threshold: int) -> tuple[bytes, ...] | None:
        """The shares given, which ends the attempt; None while they are fewer than `threshold`."""
        with self._changing() as change:
            given = change.before.given
            if len(given) < threshold:
                return None
            change.after = msgspec.structs.replace(change.before, given=(), nonce="")
            return given

    def forget(self) -> None:
        """End the attempt."""
        self.take(0)

    @contextmanager
    def _changing(self) -> Iterator[Change]:
        if self._shared is not None:
            with self._shared.changing() as change:
                yield change
        else:
            change = Change(self._own)
            yield change
            self._own = change.after


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
