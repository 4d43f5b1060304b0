"""The barrier: a store that encrypts what goes through it, and nothing when sealed.

It has the calls of any `Store`, so what lies above does not know of encryption. Keys stay in clear,
values do not. While sealed, each call raises `Sealed`. Its own records lie under ``barrier/``, a
prefix that the calls above refuse and `list` leaves out.

Several processes may use one store. Each is sealed and unsealed by itself; a value under a term
that another process added makes this one read the keyring again.
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wardgate.barrier.envelope import KEY_BYTES
from wardgate.barrier.errors import AlreadyInitialized, BarrierError, NotInitialized, WrongKey
from wardgate.barrier.keyring import Keyring, UnknownTerm
from wardgate.clock import Clock
from wardgate.errors import Sealed
from wardgate.store.interface import ABSENT, Conflict, Entry, Put, Store, Write

RESERVED = "barrier/"
KEYRING = "barrier/keyring"
"""The keyring, encrypted under the root key."""
SEAL = "barrier/seal"
"""The seal's configuration, and what it needs to recover the root key."""


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


class Barrier:
    """A `Store` over another one, that encrypts values under a keyring."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._open: _Open | None = None
        self._uncounted: Counter[int] = Counter()

    # The seal

    @property
    def sealed(self) -> bool:
        """Whether this process lacks the keys."""
        return self._open is None

    async def initialized(self) -> bool:
        """Whether the storage holds a barrier."""
        return await self._store.get(KEYRING) is not None

    async def initialize(
        self,
        root_key: bytes,
        *,
        seal_record: bytes | None = None,
        writes: Sequence[Put] = (),
    ) -> None:
        """Make the keyring, in one commit with `seal_record` (for `SEAL`) and `writes`.

        `writes` are the first values of the new server, encrypted like any other, so that a crash
        leaves a whole server or none. The barrier stays sealed. Raises `AlreadyInitialized` and
        then changes nothing.
        """
        _check_root_key(root_key)
        keyring = Keyring.new(self._clock.now()).counted({1: len(writes)})
        records = [Put(KEYRING, keyring.wrap(root_key, KEYRING))]
        if seal_record is not None:
            records.append(Put(SEAL, seal_record))
        for write in writes:
            _refuse_reserved(write.key)
            records.append(Put(write.key, keyring.encrypt(write.key, write.value)))
        try:
            await self._store.commit({KEYRING: ABSENT, SEAL: ABSENT}, records)
        except Conflict as conflict:
            if conflict.key == KEYRING or await self.initialized():
                raise AlreadyInitialized from None
            raise BarrierError(
                f"storage holds {SEAL} but no {KEYRING}, so it is part of a backup: "
                "restore the rest, or start with empty storage"
            ) from None

    async def unseal(self, root_key: bytes) -> None:
        """Read the keyring. Raises `NotInitialized`, or `WrongKey` and then changes nothing."""
        found = await self._load(root_key)
        if self._open is None or found.version > self._open.version:
            self._open = found

    def seal(self) -> None:
        """Forget the keys; calls under way fail with `Sealed` when they come to decrypt."""
        self._open = None

    # The keyring

    async def rotate(self) -> int:
        """Write under a fresh key from now on; what is there stays readable. Returns its term."""
        opened = await self._change(lambda keyring: keyring.rotated(self._clock.now()))
        return opened.keyring.active.number

    async def rekey_root(self, new_root_key: bytes, *, seal_record: bytes | None = None) -> None:
        """Encrypt the keyring under another root key, in one commit with `seal_record`.

        A seal that keeps the root key in `SEAL` must hand in that record anew: with the old one the
        server could never be unsealed again. Other processes keep working, but are to be sealed and
        unsealed before they can read the keyring again.
        """
        _check_root_key(new_root_key)
        extra = () if seal_record is None else (Put(SEAL, seal_record),)
        await self._change(lambda keyring: keyring, new_root_key, extra)

    async def refresh(self) -> None:
        """Read the keyring again, to write under a term that another process added."""
        await self._reload()

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

    # The store

    def revision(self) -> Coroutine[Any, Any, int]:
        """See `Store.revision`. Every request begins with it, so it adds no coroutine of its own."""
        self._opened()
        return self._store.revision()

    async def get(self, key: str) -> Entry | None:
        """See `Store.get`. Raises `BarrierError` for a value that does not decrypt."""
        self._opened()
        _refuse_reserved(key)
        entry = await self._store.get(key)
        if entry is None:
            return None
        value, version = entry
        try:
            return Entry(self._opened().keyring.decrypt(key, value), version)
        except UnknownTerm:
            opened = await self._reload()
            return Entry(opened.keyring.decrypt(key, value), version)

    async def list(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        """See `Store.list`."""
        self._opened()
        _refuse_reserved(prefix)
        if prefix:
            return await self._store.list(prefix, after, limit)
        names = await self._store.list("", after, None if limit is None else limit + 1)
        return [name for name in names if name != RESERVED][:limit]

    async def commit(self, expect: Mapping[str, int], writes: Sequence[Write]) -> int:
        """See `Store.commit`."""
        keyring = self._opened().keyring
        for key in expect:
            _refuse_reserved(key)
        encrypted: list[Write] = []
        puts = 0
        for write in writes:
            _refuse_reserved(write.key)
            if isinstance(write, Put):
                puts += 1
                encrypted.append(Put(write.key, keyring.encrypt(write.key, write.value)))
            else:
                encrypted.append(write)
        self._uncounted[keyring.active.number] += puts
        return await self._store.commit(expect, encrypted)

    def encrypt(self, context: str, plaintext: bytes) -> bytes:
        """`plaintext` for somebody outside of the store to keep, readable as `context` only.

        `context` is taken for a storage key, so it must not be one.
        """
        keyring = self._opened().keyring
        self._uncounted[keyring.active.number] += 1
        return keyring.encrypt(context, plaintext)

    async def decrypt(self, context: str, value: bytes) -> bytes:
        """Undo `encrypt`. Raises `BarrierError` for what it did not make."""
        try:
            return self._opened().keyring.decrypt(context, value)
        except UnknownTerm:
            return (await self._reload()).keyring.decrypt(context, value)

    async def close(self) -> None:
        """Forget the keys and close the store below, sealed or not."""
        self.seal()
        await self._store.close()

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
        try:
            return await self._load(self._opened().root_key)
        except WrongKey:
            raise BarrierError(
                f"the root key of this process no longer opens {KEYRING}, another process changed "
                "it; seal and unseal this process"
            ) from None

    async def _reload(self) -> _Open:
        self._renew(await self._load_again())
        return self._opened()

    def _renew(self, found: _Open) -> None:
        """Take `found` into use if it is newer and the barrier was not sealed meanwhile."""
        if self._open is not None and found.version > self._open.version:
            self._open = found

    async def _change(
        self,
        change: Callable[[Keyring], Keyring],
        new_root_key: bytes | None = None,
        extra: Sequence[Put] = (),
    ) -> _Open:
        """Commit a changed keyring with the counts; on a conflict, change the newer one instead."""
        while True:
            found = await self._load_again()
            counts = self._uncounted.copy()
            keyring = change(found.keyring.counted(counts))
            root_key = new_root_key or found.root_key
            record = Put(KEYRING, keyring.wrap(root_key, KEYRING))
            try:
                version = await self._store.commit({KEYRING: found.version}, [record, *extra])
            except Conflict:
                continue
            self._uncounted -= counts
            changed = _Open(root_key, keyring, version)
            self._renew(changed)
            return changed


def _check_root_key(root_key: bytes) -> None:
    if len(root_key) != KEY_BYTES:
        raise BarrierError(f"a root key has {KEY_BYTES} bytes")


def _refuse_reserved(key: str) -> None:
    if key.startswith(RESERVED):
        raise BarrierError(f"{key} is the barrier's own; choose a key outside {RESERVED}")
