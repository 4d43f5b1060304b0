"""The Shamir seal: a number of people, each with a share of the key that opens the root key."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from wardgate.barrier import envelope, shamir
from wardgate.barrier.attempt import Attempt, Progress, check_counts, combine_key, split_key
from wardgate.barrier.barrier import Barrier
from wardgate.barrier.envelope import KEY_BYTES
from wardgate.barrier.errors import BarrierError, NotInitialized, WrongKey
from wardgate.barrier.keys import KEYRING, SEAL
from wardgate.barrier.seal import (
    InitResult,
    SealRecord,
    SealStatus,
    read_record,
    read_stored,
    status_of,
)
from wardgate.barrier.shared import SharedSecrets
from wardgate.barrier.shares import UNSEAL_SHARES, ShareMarks
from wardgate.errors import InvalidRequest
from wardgate.store.interface import Conflict, Put, Store

TYPE = "shamir"

_ATTEMPTS = 100  # at replacing the root key, of which each failed one was another's success
_SEAL_KEY = "barrier/seal/key"  # the context in which the root key encrypts the seal's key


class NewShares(NamedTuple):
    """Keys that were just made: the shares, the root key, `record` for `SEAL`, and the marks of the
    shares for `UNSEAL_SHARES`."""

    keys: list[bytes]
    root_key: bytes
    record: bytes
    marks: ShareMarks


class ShamirSeal:
    """Splits the seal's key at initialisation, and unseals when enough shares are back."""

    type = TYPE

    def __init__(self, store: Store, barrier: Barrier, shared: SharedSecrets | None = None) -> None:
        """`store` is the one below `barrier`; `shared` is as the barrier's."""
        self._store = store
        self._barrier = barrier
        self._attempt = Attempt(shared)

    def check_counts(self, shares: int, threshold: int) -> None:
        """See `Seal.check_counts`."""
        check_counts(shares, threshold)

    async def initialize(
        self, shares: int, threshold: int, writes: Sequence[Put] = ()
    ) -> InitResult:
        """Make a barrier whose root key `threshold` of `shares` people can bring back.

        With one share that share is the key itself, as in Vault. `writes` are the server's first
        values, encrypted by the barrier; everything is one commit, after which the barrier is still
        sealed. Raises `InvalidRequest` for impossible counts, `AlreadyInitialized` when there is a
        barrier.
        """
        self.check_counts(shares, threshold)
        return await self.initialize_with(os.urandom(KEY_BYTES), shares, threshold, writes)

    async def initialize_with(
        self, seal_key: bytes, shares: int, threshold: int, writes: Sequence[Put] = ()
    ) -> InitResult:
        """`initialize` with a key of 32 bytes that the caller has made, and may have kept."""
        made = new_shares(seal_key, shares, threshold)
        marks = Put(UNSEAL_SHARES, made.marks.encode())
        await self._barrier.initialize(
            made.root_key, seal_record=made.record, writes=[*writes, marks]
        )
        return InitResult(made.keys)

    @property
    def progress(self) -> Progress:
        """How far the attempt to unseal this process has come."""
        return self._attempt.progress

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
        self._attempt.add(share, record.shares)
        given = self._attempt.take(record.threshold)
        if given is None:
            return False
        await self._barrier.unseal(_root_key(given, record))
        self._attempt.forget()
        return True

    def reset(self) -> None:
        """Forget the shares given so far. Raises `InvalidRequest` when there is nothing sealed."""
        if not self._barrier.sealed:
            raise InvalidRequest("vault is unsealed")
        self._attempt.forget()

    async def rotate_root(self) -> None:
        """Replace the root key; the shares stay as they are.

        Raises `InvalidRequest` on a server that was initialised before this was possible.
        """
        for _ in range(_ATTEMPTS):
            stored = await read_stored(self._store, TYPE)
            if stored is None:
                raise NotInitialized
            record = stored.record
            if not record.seal_key:
                raise InvalidRequest("the shares must be rotated first: use sys/rotate/root/init")
            await self._barrier.refresh()
            try:
                seal_key = self._barrier.unwrap(_SEAL_KEY, record.seal_key)
            except WrongKey:
                continue  # another process may have replaced both since the record was read
            root_key = os.urandom(KEY_BYTES)
            renewed = _record(seal_key, root_key, record.shares, record.threshold)
            try:
                await self._barrier.rekey_root(
                    root_key, seal_record=renewed, expect={SEAL: stored.version}
                )
            except Conflict:
                continue
            return
        raise BarrierError(
            f"the records {SEAL} and {KEYRING} in storage do not belong together; "
            "restore both from the same backup"
        )

    async def status(self) -> SealStatus:
        """The state of seal and barrier, for `sys/seal-status` and `sys/unseal`."""
        record = await read_record(self._store, TYPE)
        return status_of(TYPE, record, self.progress, self._barrier.sealed)


def _root_key(given: Sequence[bytes], record: SealRecord) -> bytes:
    try:
        return envelope.unwrap(combine_key(given, record.shares), SEAL, record.root_key)
    except (WrongKey, shamir.ShareError):
        raise InvalidRequest(
            "invalid key: the keys given do not open this server, at least one is wrong or of "
            "another server; the attempt was reset, start again"
        ) from None


def new_shares(seal_key: bytes, shares: int, threshold: int) -> NewShares:
    """A new root key under `seal_key`, and the shares of that, for a new server or for one that
    changes its shares. The counts must be possible."""
    root_key = os.urandom(KEY_BYTES)
    keys = split_key(seal_key, shares, threshold)
    record = _record(seal_key, root_key, shares, threshold)
    return NewShares(keys, root_key, record, ShareMarks.of(keys, threshold))


def _record(seal_key: bytes, root_key: bytes, shares: int, threshold: int) -> bytes:
    return SealRecord(
        TYPE,
        shares,
        threshold,
        envelope.wrap(seal_key, SEAL, root_key),
        envelope.wrap(root_key, _SEAL_KEY, seal_key),
    ).encode()
