"""The keys of an unsealed process, and every change of the keyring.

A change is one commit against the version of the keyring that it was made from, so of several
processes none loses what another has changed; whoever comes second changes the newer one instead.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import methodcaller
from types import MappingProxyType

import msgspec

from wardgate.barrier import envelope, handover
from wardgate.barrier.envelope import KEY_BYTES
from wardgate.barrier.errors import BarrierError, NotInitialized, WrongKey
from wardgate.barrier.handover import HANDOVER
from wardgate.barrier.keyring import Keyring
from wardgate.barrier.shared import NEVER_CHANGED, SharedSecrets
from wardgate.clock import Clock
from wardgate.errors import Sealed
from wardgate.store.interface import ABSENT, Conflict, Delete, Put, Store, Write

RESERVED = "barrier/"
KEYRING = "barrier/keyring"
"""The keyring, encrypted under the root key."""
SEAL = "barrier/seal"
"""The seal's configuration, and what it needs to recover the root key."""
NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """The key that encrypts new values, for `sys/key-status`.

    `install_time` is seconds since the epoch. `encryptions` counts the values written under the
    term: this process's, and what the others had saved when the keyring was last read.
    """

    term: int
    install_time: float
    encryptions: int


@dataclass(frozen=True, slots=True, repr=False)
class _Open:
    """What an unsealed barrier holds. `version` is that of the keyring's record."""

    root_key: bytes
    keyring: Keyring
    version: int


class Keys:
    """The root key and the keyring, while unsealed."""

    def __init__(self, store: Store, clock: Clock, shared: SharedSecrets | None = None) -> None:
        """With `shared`, the other processes that have it are unsealed and sealed together with
        this one."""
        self._store = store
        self._clock = clock
        self._open: _Open | None = None
        self._uncounted: Counter[int] = Counter()
        self._shared = shared
        self._mark = NEVER_CHANGED
        self._was_open = False
        self.on_sealed: Callable[[], None] = lambda: None
        """Called when the keys are gone: what was decrypted by them has to be forgotten."""

    # The seal

    @property
    def sealed(self) -> bool:
        """Whether this process lacks the keys."""
        return self._open is None

    async def initialized(self) -> bool:
        """Whether the storage holds a barrier."""
        return await self._store.get(KEYRING) is not None

    async def unseal(self, root_key: bytes) -> None:
        """Read the keyring. Raises `NotInitialized`, or `WrongKey` and then changes nothing."""
        found = await self._load(root_key)
        if self._open is None or found.version > self._open.version:
            self._open = found
        self._publish(found.root_key)

    def seal(self) -> None:
        """Forget the keys; calls under way fail with `Sealed` when they come to decrypt."""
        self._publish(b"")
        self._forget()

    async def follow(self) -> None:
        """Do what another process of this server has done: unseal, seal, replace the root key."""
        if self._shared is None or self._shared.mark == self._mark:
            return
        mark, state = self._shared.read()
        if not state.root_key:
            self._forget()
        elif self._open is None or self._open.root_key != state.root_key:
            found = await self._newest(state.root_key)
            if self._open is None or found.version > self._open.version:
                self._open = found
        self._mark = mark

    @property
    def was_open(self) -> bool:
        """Whether this process, or another one that it shares its keys with, was ever unsealed."""
        return self._was_open or (self._shared is not None and self._shared.read()[1].was_open)

    def _forget(self) -> None:
        self._open = None
        self.on_sealed()

    def _publish(self, root_key: bytes) -> None:
        self._was_open = self._was_open or bool(root_key)
        if self._shared is not None:
            with self._shared.changing() as change:
                was_open = change.before.was_open or self._was_open
                change.after = msgspec.structs.replace(
                    change.before, root_key=root_key, was_open=was_open
                )

    # The keyring

    async def rotate(self, after: int | None = None) -> int:
        """Write under a fresh key from now on; what is there stays readable. Returns its term.

        With `after`, only if that is the newest term still: of several processes that find the same
        term due, one rotates. Others, and this one, then have the term that follows.
        """
        while after is not None:
            found = await self._load_again()
            if found.keyring.active.number != after:
                self._renew(found)
                return found.keyring.active.number
            try:
                return await self._rotate(expected=found.version)
            except Conflict:
                continue
        return await self._rotate()

    async def _rotate(self, expected: int | None = None) -> int:
        changed = await self._change(
            lambda keyring: keyring.rotated(self._clock.now()), expected=expected
        )
        return changed.keyring.active.number

    async def rekey_root(
        self,
        new_root_key: bytes,
        *,
        seal_record: bytes | None = None,
        expect: Mapping[str, int] = NOTHING,
        writes: Sequence[Write] = (),
    ) -> None:
        """Encrypt the keyring under another root key, in one commit with `seal_record`.

        A seal that keeps the root key in `SEAL` must hand in that record anew: with the old one the
        server could never be unsealed again. Other processes find the new key by themselves.
        `writes` are values as `commit` takes them, for the same commit; it happens only if the keys
        in `expect` have those versions still, and raises `Conflict` otherwise.
        """
        check_root_key(new_root_key)
        extra = () if seal_record is None else (Put(SEAL, seal_record),)
        refuse_reserved_among(write.key for write in writes)
        await self._change(
            lambda keyring: keyring, new_root_key, extra=extra, expect=expect, writes=writes
        )

    async def replace_seal_record(
        self, seal_record: bytes, *, expect: Mapping[str, int], writes: Sequence[Write]
    ) -> None:
        """Store another record of the seal, in one commit with `writes`; as `rekey_root` does, with
        the root key as it is."""
        refuse_reserved_among(write.key for write in writes)
        await self._change(
            lambda keyring: keyring, extra=[Put(SEAL, seal_record)], expect=expect, writes=writes
        )

    def link_to(self, new_root_key: bytes) -> bytes:
        """`new_root_key` in a form that says nothing without the present one; see `linked`."""
        return handover.link(self._opened().root_key, new_root_key)

    def linked(self, link: bytes) -> bytes:
        """Undo `link_to`. Raises `WrongKey` when the root key was replaced since."""
        return handover.opened(link, self._opened().root_key)

    def wrap(self, context: str, plaintext: bytes) -> bytes:
        """`plaintext` under the root key itself, for the seal to keep; readable as `context` only."""
        return envelope.wrap(self._opened().root_key, context, plaintext)

    def unwrap(self, context: str, record: bytes) -> bytes:
        """Undo `wrap`. Raises `WrongKey` when the root key was replaced since."""
        return envelope.unwrap(self._opened().root_key, context, record)

    async def refresh(self) -> None:
        """Read the keyring again, for a term or a root key that another process made."""
        await self._reload()

    async def forget_old_keys(self) -> None:
        """Remove what leads from root keys that were replaced long ago to the present one."""
        self._opened()
        entry = await self._store.get(HANDOVER)
        if entry is None:
            return
        left = handover.pruned(entry.value, self._clock.now())
        if left == entry.value:
            return
        write = Delete(HANDOVER) if left is None else Put(HANDOVER, left)
        try:
            await self._store.commit({HANDOVER: entry.version}, [write])
        except Conflict:
            return  # somebody else is at it, or has just added one

    async def save_counts(self) -> None:
        """Add this process's encryptions since the last call to the counts in storage.

        Call it now and then, and before the process ends: what is not saved is not counted.
        """
        if +self._uncounted:
            await self._change(lambda keyring: keyring)

    def key_status(self) -> KeyStatus:
        """The newest term of the keyring as this process knows it."""
        term = self._opened().keyring.active
        encryptions = term.encryptions + self._uncounted[term.number]
        return KeyStatus(term.number, term.installed, encryptions)

    # Within

    def _opened(self) -> _Open:
        opened = self._open
        if opened is None:
            raise Sealed
        return opened

    async def _load(self, root_key: bytes) -> _Open:
        entry = await self._store.get(KEYRING)
        if entry is None:
            raise NotInitialized
        return _Open(root_key, Keyring.unwrap(root_key, KEYRING, entry.value), entry.version)

    async def _load_again(self) -> _Open:
        return await self._newest(self._opened().root_key)

    async def _newest(self, root_key: bytes) -> _Open:
        """The keyring as it is now, under `root_key` or one that has replaced it."""
        while True:
            try:
                return await self._load(root_key)
            except WrongKey:
                links = await self._store.get(HANDOVER)
                newest = handover.followed(None if links is None else links.value, root_key)
                if newest == root_key:
                    raise BarrierError(
                        f"the root key of this process no longer opens {KEYRING}, another process "
                        "changed it long ago; seal and unseal this process"
                    ) from None
                root_key = newest

    async def _reload(self) -> _Open:
        self._renew(await self._load_again())
        return self._opened()

    def _renew(self, found: _Open) -> None:
        """Take `found` into use if it is newer and the barrier was not sealed meanwhile."""
        if self._open is not None and found.version > self._open.version:
            replaced = found.root_key != self._open.root_key
            self._open = found
            if replaced:
                self._publish(found.root_key)

    async def _change(
        self,
        change: Callable[[Keyring], Keyring],
        new_root_key: bytes | None = None,
        *,
        expected: int | None = None,
        extra: Sequence[Put] = (),
        expect: Mapping[str, int] = NOTHING,
        writes: Sequence[Write] = (),
    ) -> _Open:
        """Commit a changed keyring with the counts; on a conflict, change the newer one instead.

        `expected` is the version that the keyring must have: then a conflict is raised.
        """
        while True:
            found = await self._load_again()
            if expected is not None and found.version != expected:
                raise Conflict(KEYRING)
            puts = sum(isinstance(write, Put) for write in writes)
            counts = self._uncounted + Counter({found.keyring.active.number: puts})
            keyring = change(found.keyring.counted(counts))
            root_key = new_root_key or found.root_key
            records: list[Write] = [Put(KEYRING, keyring.wrap(root_key, KEYRING)), *extra]
            versions = {**expect, KEYRING: found.version}
            if new_root_key is not None:
                links = await self._store.get(HANDOVER)
                link = handover.link(found.root_key, new_root_key)
                known = None if links is None else links.value
                records.append(Put(HANDOVER, handover.extended(known, link, self._clock.now())))
                versions[HANDOVER] = ABSENT if links is None else links.version
            records += encrypted(keyring, writes)
            counted = self._uncounted.copy()
            try:
                version = await self._store.commit(versions, records)
            except Conflict as conflict:
                if conflict.key in expect or expected is not None:
                    raise
                continue
            self._uncounted -= counted
            changed = _Open(root_key, keyring, version)
            self._renew(changed)
            return changed


def encrypted(keyring: Keyring, writes: Sequence[Write]) -> list[Write]:
    """What the store below gets for `writes`."""
    return [
        Put(write.key, keyring.encrypt(write.key, write.value)) if type(write) is Put else write
        for write in writes
    ]


def check_root_key(root_key: bytes) -> None:
    if len(root_key) != KEY_BYTES:
        raise BarrierError(f"a root key has {KEY_BYTES} bytes")


def refuse_reserved(key: str) -> None:
    if key.startswith(RESERVED):
        raise BarrierError(f"{key} is the barrier's own; choose a key outside {RESERVED}")


_is_reserved = methodcaller("startswith", RESERVED)


def refuse_reserved_among(keys: Iterable[str]) -> None:
    """The same for many keys, without a step of Python for each."""
    for key in filter(_is_reserved, keys):
        refuse_reserved(key)
