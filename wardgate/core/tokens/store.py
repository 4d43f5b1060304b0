"""Where tokens are kept, and the rules by which they live and die.

A token's id is never stored: its record lies under a name made of the id by a keyed hash. Beside the
record stand an index from the accessor, an index of the parent's children, one ordered by expiry,
and the token's place among the leases.

Ids and accessors begin with the time at which they were made, and names take that over: what is made
in the same moment lies together in the storage, where each place that a commit has to write costs.
Custom ids, and those of older versions, are without; they have names without a time.

Revoking a token removes its record in one commit. Its descendants die in that instant, however many
they are, because a token lives only while all of its ancestors do; the sweeper removes what is left
of them afterwards (`wardgate.core.sweep`). The same holds for a parent that expires, and for one
whose auth mount is disabled.
"""

import math
import os
from hashlib import blake2b

import msgspec

from wardgate.core.due import due_entry, due_name
from wardgate.core.ids import TIME_LENGTH, TOKEN_LENGTH, ordered_base62
from wardgate.core.leases.places import token_key
from wardgate.core.metrics import Metrics
from wardgate.core.mounts import Mounts
from wardgate.core.records import BytesCodec
from wardgate.core.storage import Transaction
from wardgate.core.tokens.batch import LONGEST, Cipher, open_token, seal_token
from wardgate.core.tokens.batch import PREFIX as BATCH_PREFIX
from wardgate.core.tokens.record import ACCESSOR, TOKEN, AccessorIndex, Token, TokenType
from wardgate.errors import InternalError, InvalidRequest

SERVICE_PREFIX = "s."
SALT_KEY = "core/token-salt"
RECORDS = "token/id/"
ACCESSORS = "token/accessor/"
CHILDREN = "token/child/"
EXPIRIES = "token/expiry/"
CUBBYHOLES = "cubbyhole/"
JOBS = "job/token/"

_BYTES = BytesCodec()
_NAME_BYTES = 20  # 160 bits name a token: far from any collision
_TIMED = TIME_LENGTH + TOKEN_LENGTH
_LONGEST_ID = len(BATCH_PREFIX) + LONGEST
"""Characters. Strangers may send megabytes, and hashing them would keep others waiting."""


class Found(msgspec.Struct, frozen=True):
    """A live token and the name its record is stored under (empty for a batch token). `until` is
    when it or one of its ancestors ends, in seconds since the epoch, where that was looked at."""

    name: str
    token: Token
    until: float = 0


def new_salt() -> bytes:
    return os.urandom(32)


def expiry_key(token: Token, name: str) -> str:
    """The place of a token in the index ordered by expiry."""
    return EXPIRIES + due_entry(token.expires, name)


def child_key(token: Token, name: str) -> str:
    """The place of a token among its parent's children. They are in the order in which they were
    made, so that the newest lie together: each place of the tree that a commit has to write costs."""
    return f"{CHILDREN}{token.parent}/{due_entry(token.issued, name)}"


def child_name(entry: str) -> str:
    """The name of the token that an entry of such an index is about."""
    return due_name(entry) or entry  # which is all that older versions wrote


def _hashed(text: str, salt: bytes) -> str:
    return blake2b(text.encode(), key=salt, digest_size=_NAME_BYTES).hexdigest()


def _named(text: str, salt: bytes) -> str:
    made = text.removeprefix(SERVICE_PREFIX)
    # a custom id may look like what follows the prefix, but has no prefix
    return (_time_of(made) if len(made) < len(text) else "") + _hashed(text, salt)


def _time_of(made: str) -> str:
    """The time at the beginning; nothing when there is none."""
    time = made[:TIME_LENGTH]
    return time if len(made) == _TIMED and time.isascii() and time.isalnum() else ""


class TokenStore:
    """Finds, makes, changes and revokes tokens inside a transaction."""

    def __init__(self, cipher: Cipher, mounts: Mounts, metrics: Metrics) -> None:
        self._cipher = cipher
        self._mounts = mounts
        self._created = metrics.counter("token.create_count", "Tokens that were made.")

    async def name(self, transaction: Transaction, token_id: str) -> str:
        """The storage name that belongs to a token id."""
        salt = transaction.constants.get(SALT_KEY) or await self._read_salt(transaction)
        return _named(token_id, salt)

    async def hashed(self, transaction: Transaction, text: str) -> str:
        """A keyed hash of `text`, by which the storage tells nothing of it."""
        salt = transaction.constants.get(SALT_KEY) or await self._read_salt(transaction)
        return _hashed(text, salt)

    def known_name(self, transaction: Transaction, token_id: str) -> str:
        """The name of what may be a token, of whatever type; empty for what cannot be one, and
        while `name` has not been asked yet."""
        salt = transaction.constants.get(SALT_KEY)
        if salt is None or not token_id or len(token_id) > _LONGEST_ID:
            return ""
        return _named(token_id, salt)

    async def _read_salt(self, transaction: Transaction) -> bytes:
        salt: bytes | None = await transaction.get(SALT_KEY, _BYTES)
        if salt is None:
            raise InternalError("the token salt is missing from the storage")
        transaction.constants[SALT_KEY] = salt  # made with the storage, it never changes
        return salt

    async def find(self, transaction: Transaction, token_id: str, now: float) -> Found | None:
        """The token with this id if it is alive: neither it nor any ancestor has expired, was
        revoked, or came from an auth mount that is gone."""
        if not token_id or len(token_id) > _LONGEST_ID:
            return None
        if token_id.startswith(BATCH_PREFIX):
            token = await open_token(token_id, self._cipher)
            return await self._living(transaction, "", token, now)
        return await self.by_name(transaction, await self.name(transaction, token_id), now)

    async def by_name(self, transaction: Transaction, name: str, now: float) -> Found | None:
        """The live token stored under `name`."""
        key = RECORDS + name
        token = transaction.known(key) or await transaction.get(key, TOKEN)
        return await self._living(transaction, name, token, now)

    async def by_accessor(
        self, transaction: Transaction, accessor: str, now: float
    ) -> Found | None:
        """The live token that `accessor` belongs to."""
        key = await self._accessor_key(transaction, accessor)
        index = await transaction.get(key, ACCESSOR)
        return None if index is None else await self.by_name(transaction, index.name, now)

    async def _living(
        self, transaction: Transaction, name: str, token: Token | None, now: float
    ) -> Found | None:
        if token is None or not token.alive(now):
            return None
        table = self._mounts.known_table(transaction) or await self._mounts.table(transaction)
        mounts = table.by_uuid
        if token.issuer not in mounts:
            return None
        parent, accessor = token.parent, token.parent_accessor
        until = token.expires or math.inf
        while parent:
            ancestor = await transaction.get(RECORDS + parent, TOKEN)
            if ancestor is None or ancestor.accessor != accessor:
                return None
            if ancestor.dissolved:
                if parent == token.parent:
                    if token.type is TokenType.BATCH:
                        return None  # its parent is part of it, so it cannot become an orphan
                    token = token.without_parent()
                break
            if not ancestor.alive(now) or ancestor.issuer not in mounts:
                return None
            parent, accessor = ancestor.parent, ancestor.parent_accessor
            until = min(until, ancestor.expires or math.inf)
        return Found(name, token, until)

    async def create(
        self, transaction: Transaction, token: Token, token_id: str = ""
    ) -> tuple[str, Token]:
        """Store a new token; gives its id and its record with the accessor filled in.

        `token_id` is a custom id, which must not be in use. A batch token stores nothing.
        """
        transaction.count(self._created)
        if token.parent:
            parent = await transaction.get(RECORDS + token.parent, TOKEN)
            accessor = "" if parent is None else parent.accessor
            token = msgspec.structs.replace(token, parent_accessor=accessor)
        if token.type is TokenType.BATCH:
            return seal_token(token, self._cipher), token
        custom = bool(token_id)
        token_id = token_id or SERVICE_PREFIX + ordered_base62(token.issued, TOKEN_LENGTH)
        name = await self.name(transaction, token_id)
        if await transaction.get(RECORDS + name, TOKEN) is not None:
            raise InvalidRequest("cannot create a token with a duplicate ID")
        if custom and await transaction.get(JOBS + name, _BYTES) is not None:
            # the sweeper would take the new token's children and cubbyhole for those of the old
            raise InvalidRequest(
                "id: what a revoked token with this id left is still being cleared away; try again"
            )
        accessor = ordered_base62(token.issued, TOKEN_LENGTH)
        token = msgspec.structs.replace(token, accessor=accessor)
        transaction.put(RECORDS + name, token, TOKEN)
        accessor_key = await self._accessor_key(transaction, accessor)
        transaction.put(accessor_key, AccessorIndex(accessor, name), ACCESSOR)
        if token.leased:
            transaction.put(token_key(token.path, name), b"", _BYTES)
        if token.expires:
            transaction.put(expiry_key(token, name), b"", _BYTES)
        if token.parent:
            transaction.put(child_key(token, name), b"", _BYTES)
            await self.mark_dependents(transaction, token.parent)
        return token_id, token

    async def mark_dependents(self, transaction: Transaction, name: str) -> None:
        """Note in a token's record that revoking it leaves something for the sweeper."""
        token = await transaction.get(RECORDS + name, TOKEN)
        if token is not None and not token.has_dependents:
            changed = msgspec.structs.replace(token, has_dependents=True)
            transaction.put(RECORDS + name, changed, TOKEN)

    def replace(self, transaction: Transaction, found: Found, changed: Token) -> None:
        """Store a token's new state (renewed, used once more)."""
        transaction.put(RECORDS + found.name, changed, TOKEN)
        if changed.expires != found.token.expires:
            if found.token.expires:
                transaction.delete(expiry_key(found.token, found.name))
            if changed.expires:
                transaction.put(expiry_key(changed, found.name), b"", _BYTES)

    async def use(self, transaction: Transaction, found: Found) -> Token:
        """Count one use of a token with limited uses. With its last use it is revoked: the record
        given back has -1 uses left, and answers this one request still."""
        token = found.token
        if token.num_uses == 0 or not found.name:
            return token
        if token.num_uses == 1:
            await self.revoke(transaction, found.name)
            return msgspec.structs.replace(token, num_uses=-1)
        changed = msgspec.structs.replace(token, num_uses=token.num_uses - 1)
        transaction.put(RECORDS + found.name, changed, TOKEN)
        return changed

    async def revoke(self, transaction: Transaction, name: str) -> None:
        """End the token stored under `name`, and with it all of its descendants."""
        token = await transaction.get(RECORDS + name, TOKEN)
        if token is None or token.dissolved:
            return
        await self.erase(transaction, name, token)
        if token.has_dependents:
            transaction.put(JOBS + name, b"", _BYTES)

    async def revoke_orphan(self, transaction: Transaction, name: str) -> None:
        """End the living token stored under `name`; its children live on without a parent.

        Its batch children die with it: nothing is stored for them that could be changed.
        """
        token = await transaction.get(RECORDS + name, TOKEN)
        if token is None or token.dissolved:
            return
        await self.erase(transaction, name, token)
        if token.has_dependents:
            # the record stays, dead, until the sweeper has told every child that it is an orphan
            dead = msgspec.structs.replace(token, dissolved=True)
            transaction.put(RECORDS + name, dead, TOKEN)
            transaction.put(JOBS + name, b"", _BYTES)

    async def erase(self, transaction: Transaction, name: str, token: Token) -> None:
        """Remove a token's record and its places in the indexes."""
        transaction.delete(RECORDS + name)
        transaction.delete(await self._accessor_key(transaction, token.accessor))
        if token.leased:
            transaction.delete(token_key(token.path, name))
        if token.expires:
            transaction.delete(expiry_key(token, name))
        if token.parent:
            transaction.delete(child_key(token, name))
            transaction.delete(f"{CHILDREN}{token.parent}/{name}")  # as older versions had it

    async def _accessor_key(self, transaction: Transaction, accessor: str) -> str:
        return ACCESSORS + _time_of(accessor) + await self.hashed(transaction, accessor)

    async def accessors(self, transaction: Transaction, now: float) -> list[str]:
        """The accessors of all living tokens."""
        found = []
        for key in await transaction.list(ACCESSORS):
            index = await transaction.get(ACCESSORS + key, ACCESSOR)
            if index is not None and await self.by_name(transaction, index.name, now):
                found.append(index.accessor)
        return found
