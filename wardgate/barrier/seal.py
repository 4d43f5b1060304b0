"""What every seal has: its record in storage, its state, and how a new server begins.

A seal keeps the root key so that only its own means bring it back: shares in the hands of people
(`shamir_seal`), or a key that the server finds without them, in a file or with another server
(`auto_seal`). All keep a `SealRecord` at ``barrier/seal``, written in the same commit as the keyring.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec

from wardgate.barrier.attempt import Progress
from wardgate.barrier.errors import BarrierError
from wardgate.barrier.keys import SEAL
from wardgate.store.interface import Put, Store


class SealRecord(msgspec.Struct, frozen=True):
    """The seal's configuration. `root_key` is encrypted under the key that the seal guards.

    With a Shamir seal, `seal_key` is that key, encrypted under the root key. With an auto-unseal
    seal, `key_id` names it, `shares` and `threshold` are those of the recovery key (0 without one),
    and `recovery` holds its digest, encrypted under the root key.
    """

    type: str
    shares: int
    threshold: int
    root_key: bytes
    seal_key: bytes = b""
    key_id: str = ""
    recovery: bytes = b""

    def encode(self) -> bytes:
        """The record as it lies in storage."""
        return msgspec.json.encode(self)


@dataclass(frozen=True, slots=True)
class SealStatus:
    """The answer to `sys/seal-status`; shares and threshold are 0 before initialisation.

    With `recovery` they are those of the recovery key: the server unseals by itself.
    """

    type: str
    initialized: bool
    sealed: bool
    threshold: int
    shares: int
    progress: int
    nonce: str
    recovery: bool = False


def status_of(
    type: str,
    record: SealRecord | None,
    given: Progress,
    sealed: bool,
    *,
    recovery: bool = False,
) -> SealStatus:
    """The state of a seal, with its record, if there is one, and the shares `given` so far."""
    return SealStatus(
        type=type,
        initialized=record is not None,
        sealed=sealed,
        threshold=record.threshold if record else 0,
        shares=record.shares if record else 0,
        progress=given.progress,
        nonce=given.nonce,
        recovery=recovery,
    )


@dataclass(frozen=True, slots=True, repr=False)
class InitResult:
    """The keys to hand to people. They are nowhere else: lost `keys` are lost data.

    `recovery_keys` are the shares of the recovery key; they prove who is in charge and open nothing
    by themselves.
    """

    keys: list[bytes]
    recovery_keys: list[bytes] = field(default_factory=list)


class Seal(Protocol):
    """What a server needs of its seal, whatever the kind."""

    @property
    def type(self) -> str:
        """The word for it in the configuration and in `sys/seal-status`."""
        ...

    def check_counts(self, shares: int, threshold: int) -> None:
        """Refuse counts that `initialize` cannot take. Raises `InvalidRequest`."""
        ...

    async def initialize(
        self, shares: int, threshold: int, writes: Sequence[Put] = ()
    ) -> InitResult:
        """Make a barrier and its root key, in one commit with `writes`. The counts are those of the
        shares that go to people, be it of the unseal key or of the recovery key."""
        ...

    @property
    def progress(self) -> Progress:
        """The shares that were given to unseal this process so far."""
        ...

    async def submit(self, share: bytes) -> bool:
        """Count a share; with the last one needed, unseal. Whether the barrier is open."""
        ...

    def reset(self) -> None:
        """Forget the shares given so far."""
        ...

    async def rotate_root(self) -> None:
        """Put another root key in place; what people hold stays as it is."""
        ...

    async def status(self) -> SealStatus:
        """The state of seal and barrier."""
        ...


class Stored(NamedTuple):
    """A seal's record, and its version in storage."""

    record: SealRecord
    version: int


async def read_record(store: Store, seal_type: str) -> SealRecord | None:
    """`read_stored` without the version."""
    stored = await read_stored(store, seal_type)
    return None if stored is None else stored.record


async def read_stored(store: Store, seal_type: str) -> Stored | None:
    """The record of a seal of `seal_type`, None before initialisation.

    Raises `BarrierError` when it is unreadable or another kind of seal wrote it.
    """
    entry = await store.get(SEAL)
    if entry is None:
        return None
    try:
        record = msgspec.json.decode(entry.value, type=SealRecord)
    except msgspec.MsgspecError:
        raise BarrierError(
            f"the record {SEAL} in storage is damaged or was not written by Wardgate; "
            "restore it from a backup"
        ) from None
    if record.type != seal_type:
        raise BarrierError(
            f"this storage was initialised with another kind of seal than {seal_type}; "
            "name that kind in the configuration"
        )
    return Stored(record, entry.version)
