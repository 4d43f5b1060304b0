"""What every seal has: its record in storage, its state, and how a new server begins.

A seal keeps the root key so that only its own means bring it back: shares in the hands of people
(`shamir_seal`), later a key in a file or one held by another server. All keep a `SealRecord` at
``barrier/seal``, written in the same commit as the keyring.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from wardgate.barrier.barrier import SEAL
from wardgate.barrier.errors import BarrierError
from wardgate.store.interface import Put, Store


class SealRecord(msgspec.Struct, frozen=True):
    """The seal's configuration. `root_key` is encrypted under the key that the seal guards."""

    type: str
    shares: int
    threshold: int
    root_key: bytes

    def encode(self) -> bytes:
        """The record as it lies in storage."""
        return msgspec.json.encode(self)


@dataclass(frozen=True, slots=True)
class SealStatus:
    """The answer to `sys/seal-status`; shares and threshold are 0 before initialisation."""

    type: str
    initialized: bool
    sealed: bool
    threshold: int
    shares: int
    progress: int
    nonce: str


@dataclass(frozen=True, slots=True, repr=False)
class InitResult:
    """The keys to hand to people. They are nowhere else: lost keys are lost data."""

    keys: list[bytes]


class Seal(Protocol):
    """What a server needs of its seal, whatever the kind."""

    async def initialize(
        self, shares: int, threshold: int, writes: Sequence[Put] = ()
    ) -> InitResult:
        """Make a barrier and its root key, in one commit with `writes`; it stays sealed."""
        ...

    async def status(self) -> SealStatus:
        """The state of seal and barrier."""
        ...


async def read_record(store: Store, seal_type: str) -> SealRecord | None:
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
    return record
