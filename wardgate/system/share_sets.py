"""Kinds of shares, and how new ones are put in force."""

import os
from typing import Protocol

import msgspec

from wardgate.barrier.attempt import check_counts, check_recovery_counts, split_key
from wardgate.barrier.auto_seal import AutoSeal, digest_of
from wardgate.barrier.barrier import Barrier
from wardgate.barrier.envelope import KEY_BYTES
from wardgate.barrier.errors import WrongKey
from wardgate.barrier.shamir_seal import new_shares
from wardgate.barrier.shares import RECOVERY_SHARES, UNSEAL_SHARES, ShareMarks
from wardgate.core.records import Codec
from wardgate.core.storage import Transaction
from wardgate.errors import InternalError, InvalidRequest

SHARE_MARKS: Codec[ShareMarks] = Codec(ShareMarks)


class MadeShares(msgspec.Struct, frozen=True):
    """Shares that are not in force yet, with their marks, and what it takes to put them in force."""

    keys: list[bytes]
    marks: ShareMarks
    change: bytes


class ShareSet(Protocol):
    """One kind of shares: the unseal keys, or the recovery keys of a seal that unseals itself."""

    what: str
    """What is replaced, for the log."""
    attempt_key: str
    """Where the attempt to replace them is stored, and the backup of new ones."""
    backup_key: str

    hands_out: bool
    """Whether new shares come of it. Without, present shares authorise another root key."""

    def counts(self, shares: int, threshold: int) -> tuple[int, int]:
        """How many new shares there will be, and are needed, where so many were asked for.
        `InvalidRequest` for impossible counts."""
        ...

    async def marks(self, transaction: Transaction) -> ShareMarks:
        """The shares in force; they authorise."""
        ...

    async def make(self, shares: int, threshold: int) -> MadeShares:
        """New shares; nothing is stored yet."""
        ...

    async def apply(self, transaction: Transaction, marks: ShareMarks, change: bytes) -> None:
        """Put shares in force that `make` made, when the transaction commits. `InvalidRequest`
        when that is not possible any more."""
        ...


class _UnsealChange(msgspec.Struct, frozen=True):
    seal_record: bytes
    link: bytes  # the new root key, for those who have the present one


_CHANGE: Codec[_UnsealChange] = Codec(_UnsealChange)


class UnsealShares:
    """The unseal keys of a Shamir seal; with them, the root key is replaced."""

    what = "unseal keys"
    attempt_key = "core/rekey"
    backup_key = "core/rekey-backup"
    hands_out = True

    def __init__(self, barrier: Barrier) -> None:
        self._barrier = barrier

    def counts(self, shares: int, threshold: int) -> tuple[int, int]:
        """See `ShareSet.counts`."""
        check_counts(shares, threshold)
        return shares, threshold

    async def marks(self, transaction: Transaction) -> ShareMarks:
        """See `ShareSet.marks`."""
        return await unseal_share_marks(transaction)

    async def make(self, shares: int, threshold: int) -> MadeShares:
        """See `ShareSet.make`."""
        made = new_shares(os.urandom(KEY_BYTES), shares, threshold)
        await self._barrier.refresh()  # the link must begin at the newest root key
        change = _UnsealChange(made.record, self._barrier.link_to(made.root_key))
        return MadeShares(made.keys, made.marks, _CHANGE.encode(change))

    async def apply(self, transaction: Transaction, marks: ShareMarks, change: bytes) -> None:
        """See `ShareSet.apply`."""
        prepared = _CHANGE.decode(change)
        await self._barrier.refresh()  # another process may have made the new keys
        try:
            root_key = self._barrier.linked(prepared.link)
        except WrongKey:
            raise InvalidRequest(
                "the root key was replaced since the new keys were made; cancel and start again"
            ) from None
        transaction.put(UNSEAL_SHARES, marks, SHARE_MARKS)
        transaction.commit_by(
            lambda expect, writes: self._barrier.rekey_root(
                root_key, seal_record=prepared.seal_record, expect=expect, writes=writes
            )
        )


class RecoveryShares:
    """The recovery keys of a server that unseals by itself."""

    what = "recovery keys"
    attempt_key = "core/rekey-recovery"
    backup_key = "core/rekey-recovery-backup"
    hands_out = True

    def __init__(self, seal: AutoSeal) -> None:
        self._seal = seal

    def counts(self, shares: int, threshold: int) -> tuple[int, int]:
        """See `ShareSet.counts`."""
        check_recovery_counts(shares, threshold)
        return shares, threshold

    async def marks(self, transaction: Transaction) -> ShareMarks:
        """See `ShareSet.marks`. A server without a recovery key has a set of no shares."""
        return await recovery_share_marks(transaction)

    async def make(self, shares: int, threshold: int) -> MadeShares:
        """See `ShareSet.make`."""
        key = os.urandom(KEY_BYTES)
        keys = split_key(key, shares, threshold)
        return MadeShares(keys, ShareMarks.of(keys, threshold), digest_of(key))

    async def apply(self, transaction: Transaction, marks: ShareMarks, change: bytes) -> None:
        """See `ShareSet.apply`."""
        transaction.put(RECOVERY_SHARES, marks, SHARE_MARKS)
        transaction.commit_by(
            lambda expect, writes: self._seal.set_recovery_key(
                change, len(marks.marks), marks.threshold, expect=expect, writes=writes
            )
        )


class StoredKey:
    """The root key of a server that unseals by itself: holders of recovery keys let it be replaced,
    and there are no new shares."""

    what = "keys of the seal"
    attempt_key = "core/rekey"
    backup_key = "core/rekey-backup"
    hands_out = False

    def __init__(self, seal: AutoSeal, shown: int) -> None:
        """`shown` are the shares that answers tell of: the seal's own key may count as one."""
        self._seal = seal
        self._shown = shown

    def counts(self, shares: int, threshold: int) -> tuple[int, int]:
        """See `ShareSet.counts`. Nobody gets shares, whatever was asked for."""
        return self._shown, self._shown

    async def marks(self, transaction: Transaction) -> ShareMarks:
        """See `ShareSet.marks`."""
        return await recovery_share_marks(transaction)

    async def make(self, shares: int, threshold: int) -> MadeShares:
        """See `ShareSet.make`."""
        return MadeShares([], _NO_SHARES, b"")

    async def apply(self, transaction: Transaction, marks: ShareMarks, change: bytes) -> None:
        """See `ShareSet.apply`."""
        transaction.commit_by(
            lambda expect, writes: self._seal.rotate_root(expect=expect, writes=writes)
        )


_NO_SHARES = ShareMarks(b"", 0, ())


async def recovery_share_marks(transaction: Transaction) -> ShareMarks:
    """The marks of the recovery keys in force, of none where there is no recovery key."""
    return await transaction.get(RECOVERY_SHARES, SHARE_MARKS) or _NO_SHARES


async def unseal_share_marks(transaction: Transaction) -> ShareMarks:
    """The marks of the unseal keys in force."""
    marks = await transaction.get(UNSEAL_SHARES, SHARE_MARKS)
    if marks is None:
        raise InternalError(f"{UNSEAL_SHARES} is missing from the storage")
    return marks
