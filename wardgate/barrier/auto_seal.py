"""The auto-unseal seal: the server brings its root key back by itself, through a `Wrapper`.

What people hold is the recovery key, split into shares. It opens nothing: it proves who is in charge
where an operation asks for it, and lets a server that was sealed by hand be opened again. Its digest
is kept encrypted under the root key, so whoever can write to storage cannot put in one of their own.
"""

import contextlib
import hashlib
import hmac
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import msgspec

from wardgate.barrier import envelope, shamir
from wardgate.barrier.attempt import (
    Attempt,
    Progress,
    check_recovery_counts,
    combine_key,
    split_key,
)
from wardgate.barrier.barrier import Barrier
from wardgate.barrier.envelope import KEY_BYTES
from wardgate.barrier.errors import (
    AlreadyInitialized,
    BarrierError,
    NotInitialized,
    SealFailed,
)
from wardgate.barrier.keys import NOTHING, SEAL
from wardgate.barrier.seal import (
    InitResult,
    SealRecord,
    SealStatus,
    Stored,
    read_record,
    read_stored,
    status_of,
)
from wardgate.barrier.shared import SharedSecrets
from wardgate.barrier.shares import RECOVERY_SHARES, ShareMarks
from wardgate.clock import Clock
from wardgate.errors import InvalidRequest
from wardgate.store.interface import Conflict, Put, Store, Write

_RECOVERY = "barrier/seal/recovery"
"""What the digest of the recovery key is encrypted for; no storage key of that name exists."""

_log = logging.getLogger("wardgate.seal")


class Wrapped(NamedTuple):
    """What a wrapper made of a root key, and the name of the key that it used."""

    key_id: str
    ciphertext: bytes


class Wrapper(Protocol):
    """Encrypts a root key under a key that is kept elsewhere."""

    @property
    def type(self) -> str:
        """The word for it in the configuration."""
        ...

    async def wrap(self, plaintext: bytes) -> Wrapped:
        """Encrypt under the key in use now. Raises `SealFailed`."""
        ...

    async def unwrap(self, wrapped: Wrapped) -> bytes:
        """Decrypt. Raises `SealFailed`."""
        ...

    async def maintain(self) -> None:
        """Keep it usable, in the background, until there is nothing to do any more."""
        ...

    async def close(self) -> None:
        """Let go of what it holds open."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the wrapper worked when it was used last, and since when (seconds since the epoch)
    it has been so."""

    healthy: bool
    since: float


class AutoSeal:
    """Unseals by itself, and has a recovery key for people."""

    def __init__(
        self,
        store: Store,
        barrier: Barrier,
        wrapper: Wrapper,
        clock: Clock,
        shared: SharedSecrets | None = None,
    ) -> None:
        """`store` is the one below `barrier`; `shared` is as the barrier's."""
        self._store = store
        self._barrier = barrier
        self._wrapper = wrapper
        self._clock = clock
        self._attempt = Attempt(shared)
        self.health = Health(True, clock.now())

    @property
    def opened(self) -> bool:
        """Whether the server was unsealed before. It does not do that by itself a second time:
        whoever seals it means it."""
        return self._barrier.was_open

    @property
    def type(self) -> str:
        return self._wrapper.type

    def check_counts(self, shares: int, threshold: int) -> None:
        """See `Seal.check_counts`. None at all is possible, and one share needs no threshold."""
        if (shares, threshold) not in ((0, 0), (1, 0)):
            check_recovery_counts(shares, threshold)

    async def initialize(
        self, shares: int, threshold: int, writes: Sequence[Put] = ()
    ) -> InitResult:
        """Make a barrier and unseal it; `shares` people get a share of the recovery key.

        With no shares and no threshold there is no recovery key. `writes` are the server's first
        values; everything is one commit. Raises `InvalidRequest` for impossible counts,
        `AlreadyInitialized`, and `SealFailed`, and then changes nothing.
        """
        self.check_counts(shares, threshold)
        if shares == 1:
            threshold = 1
        if await self._barrier.initialized():  # before anybody makes the wrapper work
            raise AlreadyInitialized
        root_key = os.urandom(KEY_BYTES)
        wrapped = await self._wrap(root_key)
        recovery_key = os.urandom(KEY_BYTES)
        record = SealRecord(
            type=self.type,
            shares=shares,
            threshold=threshold,
            root_key=wrapped.ciphertext,
            key_id=wrapped.key_id,
            recovery=_proof(root_key, recovery_key) if shares else b"",
        )
        keys = split_key(recovery_key, shares, threshold) if shares else []
        marks = [Put(RECOVERY_SHARES, ShareMarks.of(keys, threshold).encode())] if shares else []
        await self._barrier.initialize(
            root_key, seal_record=record.encode(), writes=[*writes, *marks]
        )
        await self._unseal(root_key)
        return InitResult([], keys)

    async def open(self) -> bool:
        """Unseal this process by the wrapper alone; False when there is nothing to unseal yet.

        A root key that lies under an older key of the wrapper is stored under the present one, if
        that works right now. Raises `SealFailed`, and `BarrierError` for a record that cannot be used.
        """
        stored = await self._stored()
        if stored is None:
            return False
        await self._unseal(await self._unwrap(stored.record))
        with contextlib.suppress(SealFailed):
            await self.rewrap()
        return True

    async def check(self) -> None:
        """Find out whether this server could be unsealed again; the answer stands in `health`."""
        stored = await self._stored()
        if stored is not None:
            await self._unwrap(stored.record)
            await self.rewrap()

    async def rewrap(self) -> None:
        """Store the root key again where the wrapper uses another key by now.

        Raises `SealFailed`.
        """
        stored = await self._stored()
        if stored is None:
            return
        record = stored.record
        if (await self._wrap(os.urandom(KEY_BYTES))).key_id == record.key_id:
            return
        wrapped = await self._wrap(await self._unwrap(record))
        renewed = msgspec.structs.replace(
            record, root_key=wrapped.ciphertext, key_id=wrapped.key_id
        )
        if await self._replace(stored, renewed):
            _log.info("the root key is stored under the seal's new key")

    @property
    def progress(self) -> Progress:
        """The recovery shares given so far to unseal this process."""
        return self._attempt.progress

    async def submit(self, share: bytes) -> bool:
        """Count a share of the recovery key; with the last one needed, unseal through the wrapper.

        For a server that was sealed by hand: it does not open by itself before it starts anew.
        Raises as `ShamirSeal.submit` does, and `SealFailed`, which ends the attempt too.
        """
        record = await self._record()
        if not self._barrier.sealed:
            return True
        if not record.shares:
            raise InvalidRequest(
                "this server has no recovery key; start it anew, and it unseals by itself"
            )
        self._attempt.add(share, record.shares)
        given = self._attempt.take(record.threshold)
        if given is None:
            return False
        root_key = await self._unwrap(record)
        if not _proves(given, record, root_key):
            raise InvalidRequest(
                "invalid key: the keys given are not the recovery key, at least one is wrong or of "
                "another server; the attempt was reset, start again"
            )
        await self._unseal(root_key)
        return True

    def reset(self) -> None:
        """Forget the shares given so far. Raises `InvalidRequest` when there is nothing sealed."""
        if not self._barrier.sealed:
            raise InvalidRequest("vault is unsealed")
        self._attempt.forget()

    async def set_recovery_key(
        self,
        digest: bytes,
        shares: int,
        threshold: int,
        *,
        expect: Mapping[str, int] = NOTHING,
        writes: Sequence[Write] = (),
    ) -> None:
        """Replace the recovery key by the one that has this `digest_of`, in one commit with
        `writes`; the caller has split it with `split_key`. `expect` as for `Barrier.rekey_root`."""
        check_recovery_counts(shares, threshold)
        while True:
            stored = await self._stored()
            if stored is None:
                raise NotInitialized
            await self._barrier.refresh()  # a root key newer than the record fails the commit
            proof = self._barrier.wrap(_RECOVERY, digest)
            record = msgspec.structs.replace(
                stored.record, shares=shares, threshold=threshold, recovery=proof
            )
            try:
                await self._barrier.replace_seal_record(
                    record.encode(), expect={**expect, SEAL: stored.version}, writes=writes
                )
            except Conflict as conflict:
                if conflict.key != SEAL:
                    raise
                continue
            return

    async def rotate_root(
        self, *, expect: Mapping[str, int] = NOTHING, writes: Sequence[Write] = ()
    ) -> None:
        """Put another root key in place, in one commit with `writes`; the recovery key stays. The
        barrier must be unsealed. `expect` as for `Barrier.rekey_root`."""
        while True:
            stored = await self._stored()
            if stored is None:
                raise NotInitialized
            old_key, new_key = await self._unwrap(stored.record), os.urandom(KEY_BYTES)
            wrapped = await self._wrap(new_key)
            proof = stored.record.recovery
            if proof:
                digest = envelope.unwrap(old_key, _RECOVERY, proof)
                proof = envelope.wrap(new_key, _RECOVERY, digest)
            record = msgspec.structs.replace(
                stored.record,
                root_key=wrapped.ciphertext,
                key_id=wrapped.key_id,
                recovery=proof,
            )
            try:
                await self._barrier.rekey_root(
                    new_key,
                    seal_record=record.encode(),
                    expect={**expect, SEAL: stored.version},
                    writes=writes,
                )
            except Conflict as conflict:
                if conflict.key != SEAL:
                    raise
                continue
            return

    async def status(self) -> SealStatus:
        """The state of seal and barrier, for `sys/seal-status` and `sys/unseal`."""
        record = await read_record(self._store, self.type)
        return status_of(self.type, record, self.progress, self._barrier.sealed, recovery=True)

    async def maintain(self) -> None:
        """Keep the wrapper usable."""
        await self._wrapper.maintain()

    async def close(self) -> None:
        """Let go of the wrapper."""
        await self._wrapper.close()

    # Within

    async def _stored(self) -> Stored | None:
        return await read_stored(self._store, self.type)

    async def _record(self) -> SealRecord:
        record = await read_record(self._store, self.type)
        if record is None:
            raise NotInitialized
        return record

    async def _unseal(self, root_key: bytes) -> None:
        await self._barrier.unseal(root_key)
        self._attempt.forget()

    async def _wrap(self, plaintext: bytes) -> Wrapped:
        try:
            wrapped = await self._wrapper.wrap(plaintext)
        except SealFailed:
            self._found(False)
            raise
        self._found(True)
        return wrapped

    async def _unwrap(self, record: SealRecord) -> bytes:
        try:
            root_key = await self._wrapper.unwrap(Wrapped(record.key_id, record.root_key))
        except SealFailed:
            self._found(False)
            raise
        self._found(True)
        if len(root_key) != KEY_BYTES:
            raise BarrierError(
                f"what the seal gives back for {SEAL} is no root key; restore it from a backup"
            )
        return root_key

    def _found(self, healthy: bool) -> None:
        if healthy != self.health.healthy:
            self.health = Health(healthy, self._clock.now())

    async def _replace(self, stored: Stored, record: SealRecord) -> bool:
        """Whether nobody else was faster."""
        try:
            await self._store.commit({SEAL: stored.version}, [Put(SEAL, record.encode())])
        except Conflict:
            return False
        return True


def digest_of(recovery_key: bytes) -> bytes:
    """What is kept of a recovery key. It is 32 random bytes, so this tells nothing about it."""
    return hashlib.sha256(recovery_key).digest()


def _proof(root_key: bytes, recovery_key: bytes) -> bytes:
    return envelope.wrap(root_key, _RECOVERY, digest_of(recovery_key))


def _proves(given: Sequence[bytes], record: SealRecord, root_key: bytes) -> bool:
    if not record.recovery:
        return False
    digest = envelope.unwrap(root_key, _RECOVERY, record.recovery)
    try:
        key = combine_key(given, record.shares)
    except shamir.ShareError:
        return False
    return hmac.compare_digest(digest_of(key), digest)
