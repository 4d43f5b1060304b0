"""The Shamir seal: a number of people, each with a share of the key that opens the root key.

The shares given so far live in this process alone and are never written. Anyone may give one, so
what is kept is bounded (by the threshold), and a wrong one costs the attempt, not the server.
"""

import hmac
import os
from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

from wardgate.barrier import envelope, shamir
from wardgate.barrier.barrier import SEAL, Barrier
from wardgate.barrier.envelope import KEY_BYTES
from wardgate.barrier.errors import NotInitialized, WrongKey
from wardgate.barrier.seal import InitResult, SealRecord, SealStatus, read_record
from wardgate.errors import InvalidRequest
from wardgate.store.interface import Put, Store

TYPE = "shamir"


class Progress(NamedTuple):
    """Shares counted in the attempt under way, and its id (empty when none is)."""

    progress: int
    nonce: str


class ShamirSeal:
    """Splits the seal's key at initialisation, and unseals when enough shares are back."""

    def __init__(self, store: Store, barrier: Barrier) -> None:
        """`store` is the one below `barrier`."""
        self._store = store
        self._barrier = barrier
        self._given: list[bytes] = []
        self._nonce = ""

    async def initialize(
        self, shares: int, threshold: int, writes: Sequence[Put] = ()
    ) -> InitResult:
        """Make a barrier whose root key `threshold` of `shares` people can bring back.

        With one share that share is the key itself, as in Vault. `writes` are the server's first
        values, encrypted by the barrier; everything is one commit. Raises `InvalidRequest` for
        impossible counts, `AlreadyInitialized` when there is a barrier.
        """
        _check_counts(shares, threshold)
        root_key, seal_key = os.urandom(KEY_BYTES), os.urandom(KEY_BYTES)
        keys = [seal_key] if shares == 1 else shamir.split(seal_key, shares, threshold)
        record = SealRecord(TYPE, shares, threshold, envelope.wrap(seal_key, SEAL, root_key))
        await self._barrier.initialize(root_key, seal_record=record.encode(), writes=writes)
        return InitResult(keys)

    @property
    def progress(self) -> Progress:
        """How far the attempt to unseal this process has come."""
        return Progress(len(self._given), self._nonce)

    async def submit(self, share: bytes) -> bool:
        """Count a share; with the last one needed, unseal. Returns whether the barrier is open.

        A share given twice counts once. Raises `NotInitialized`; `InvalidRequest` for what cannot
        be a share of this server, which leaves the attempt as it is, and for a set of shares that
        does not open the root key, which ends it.
        """
        record = await read_record(self._store, TYPE)
        if record is None:
            raise NotInitialized
        if not self._barrier.sealed:
            return True
        self._count(share, record)
        if len(self._given) < record.threshold:
            return False
        given = self._given
        self._forget()
        await self._barrier.unseal(_root_key(given, record))
        self._forget()
        return True

    def reset(self) -> None:
        """Forget the shares given so far. Raises `InvalidRequest` when there is nothing sealed."""
        if not self._barrier.sealed:
            raise InvalidRequest("vault is unsealed")
        self._forget()

    async def status(self) -> SealStatus:
        """The state of seal and barrier, for `sys/seal-status` and `sys/unseal`."""
        record = await read_record(self._store, TYPE)
        return SealStatus(
            type=TYPE,
            initialized=record is not None,
            sealed=self._barrier.sealed,
            threshold=record.threshold if record else 0,
            shares=record.shares if record else 0,
            progress=len(self._given),
            nonce=self._nonce,
        )

    def _count(self, share: bytes, record: SealRecord) -> None:
        length = KEY_BYTES if record.shares == 1 else KEY_BYTES + 1
        if len(share) != length:
            raise InvalidRequest(
                f"invalid key: a key of this server has {length} bytes once decoded; "
                "give it as it was printed at initialisation"
            )
        if any(hmac.compare_digest(share, given) for given in self._given):
            return
        if record.shares > 1:
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

    def _forget(self) -> None:
        self._given = []
        self._nonce = ""


def _root_key(given: Sequence[bytes], record: SealRecord) -> bytes:
    try:
        seal_key = given[0] if record.shares == 1 else shamir.combine(given)
        return envelope.unwrap(seal_key, SEAL, record.root_key)
    except (WrongKey, shamir.ShareError):
        raise InvalidRequest(
            "invalid key: the keys given do not open this server, at least one is wrong or of "
            "another server; the attempt was reset, start again"
        ) from None


def _check_counts(shares: int, threshold: int) -> None:
    """Vault's rules, with its words, since clients show them as they come."""
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
    raise InvalidRequest(f"invalid seal configuration: {problem}")
