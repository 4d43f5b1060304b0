"""The barrier: a store that encrypts what goes through it, and nothing when sealed.

It has the calls of any `Store`, so what lies above does not know of encryption. Keys stay in clear,
values do not. While sealed, each call raises `Sealed`. Its own records lie under ``barrier/``, a
prefix that the calls above refuse and `list` leaves out.

Several processes may use one store. Each is sealed and unsealed by itself; a value under a term
that another process added makes this one read the keyring again, and a root key that another one
replaced is found by the links of `handover`.
"""

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from typing import Any

from wardgate.barrier.errors import AlreadyInitialized, BarrierError
from wardgate.barrier.keyring import Keyring, UnknownTerm
from wardgate.barrier.keys import (
    KEYRING,
    RESERVED,
    SEAL,
    Keys,
    check_root_key,
    encrypted,
    refuse_reserved,
    refuse_reserved_among,
)
from wardgate.store.interface import ABSENT, Conflict, Entry, Put, Write

_TURN = 200
"""After encrypting so many values of one commit others get their turn."""


class Barrier(Keys):
    """A `Store` over another one, that encrypts values under a keyring."""

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
        check_root_key(root_key)
        keyring = Keyring.new(self._clock.now()).counted({1: len(writes)})
        records = [Put(KEYRING, keyring.wrap(root_key, KEYRING))]
        if seal_record is not None:
            records.append(Put(SEAL, seal_record))
        for number, write in enumerate(writes):
            if number % _TURN == _TURN - 1:
                await asyncio.sleep(0)
            refuse_reserved(write.key)
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

    async def revision(self) -> int:
        """See `Store.revision`. Every request begins with it or with `known_revision`, and so with
        what other processes of this server have done to the seal."""
        await self.follow()
        self._opened()
        return await self._store.revision()

    def known_revision(self) -> int | None:
        """See `Store.known_revision`."""
        if self._shared is not None and self._shared.mark != self._mark:
            return None
        self._opened()
        return self._store.known_revision()

    def changes(self, since: int) -> Coroutine[Any, Any, Collection[str] | None]:
        """See `Store.changes`."""
        self._opened()
        return self._store.changes(since)

    async def get(self, key: str) -> Entry | None:
        """See `Store.get`. Raises `BarrierError` for a value that does not decrypt."""
        self._opened()
        refuse_reserved(key)
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
        refuse_reserved(prefix)
        if prefix:
            return await self._store.list(prefix, after, limit)
        names = await self._store.list("", after, None if limit is None else limit + 1)
        return [name for name in names if name != RESERVED][:limit]

    async def commit(self, expect: Mapping[str, int], writes: Sequence[Write]) -> int:
        """See `Store.commit`."""
        keyring = self._opened().keyring
        refuse_reserved_among(expect)
        refuse_reserved_among([write.key for write in writes])
        records = encrypted(keyring, writes[:_TURN])
        for start in range(_TURN, len(writes), _TURN):
            await asyncio.sleep(0)
            records += encrypted(keyring, writes[start : start + _TURN])
        self._uncounted[keyring.active.number] += list(map(type, writes)).count(Put)
        return await self._store.commit(expect, records)

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
        """Forget the keys, in this process alone, and close the store below, sealed or not."""
        self._forget()
        await self._store.close()
