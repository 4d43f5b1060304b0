"""What is stored for identity tokens: named keys, roles, and the issuer's address.

All of it lies below ``identity/oidc/``. Everything about a named key is one record, the roles that
use it included: whoever writes a role and whoever deletes its key meet at that record, so that one
of them starts again and sees what the other did.
"""

import re

import msgspec

from wardgate.core.due import due_entry
from wardgate.core.records import BytesCodec, Codec
from wardgate.core.storage import Transaction
from wardgate.errors import UnsupportedPath

KEYS = "identity/oidc/key/"
ROLES = "identity/oidc/role/"
ROTATIONS = "identity/oidc/rotation/"
CONFIG_KEY = "identity/oidc/config"

DEFAULT_KEY = "default"
DAY = 86_400

_NAME = re.compile(r"\w(?:[\w.-]*\w)?", re.ASCII)


class KeyPair(msgspec.Struct, frozen=True, kw_only=True):
    """A private key with its public half."""

    id: str
    algorithm: str
    private: bytes
    """PKCS#8, DER."""
    public: dict[str, str]
    """The JWK (RFC 7517)."""


class RetiredKey(msgspec.Struct, frozen=True, kw_only=True):
    """The public half of a key that signs no more; it is published before the time `until`."""

    public: dict[str, str]
    until: float


class NamedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as people know it: over time, a series of key pairs. Durations are seconds."""

    algorithm: str = "RS256"
    rotation_period: int = DAY
    verification_ttl: int = DAY
    allowed_client_ids: tuple[str, ...] = ()
    signing: KeyPair | None = None
    """Signs now; None until the key is first needed."""
    next: KeyPair | None = None
    """Signs after the next rotation, and is published already."""
    retired: tuple[RetiredKey, ...] = ()
    rotates: float = 0
    """When the next rotation is due."""
    roles: dict[str, int] = {}
    """The roles that use it, with the TTL of their tokens."""
    owed: float = 0
    """Until when tokens may live that were given out by roles which have changed or gone since."""

    def allows(self, client_id: str) -> bool:
        """Whether the role with this client id may have tokens signed."""
        return "*" in self.allowed_client_ids or client_id in self.allowed_client_ids

    def with_role(self, name: str, ttl: int | None, now: float) -> "NamedKey":
        """The key with `name` among its roles, or without it when `ttl` is None.

        Tokens that the role gave out live on as they were, so the key remembers how long.
        """
        before = self.roles.get(name)
        if before == ttl:
            return self
        rest = {role: old for role, old in self.roles.items() if role != name}
        owed = self.owed if before is None else max(self.owed, now + before)
        roles = rest if ttl is None else {**rest, name: ttl}
        return msgspec.structs.replace(self, roles=roles, owed=owed)

    def published(self, now: float) -> list[dict[str, str]]:
        """The public keys that tokens of this key may have to be checked with, as JWKs.

        None when no role uses it and no token can be left.
        """
        if not self.roles and self.owed <= now:
            return []
        pairs = [pair.public for pair in (self.signing, self.next) if pair is not None]
        return [*pairs, *(retired.public for retired in self.retired if now < retired.until)]


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """What the tokens of one purpose are like. `ttl` is seconds."""

    key: str
    client_id: str
    template: str = ""
    ttl: int = DAY


class OidcConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of all identity tokens. An empty `issuer` stands for the server's own address."""

    issuer: str = ""


KEY: Codec[NamedKey] = Codec(NamedKey)
ROLE: Codec[Role] = Codec(Role)
CONFIG: Codec[OidcConfig] = Codec(OidcConfig)
_BYTES = BytesCodec()


def checked_name(name: str) -> str:
    """The name of a key or role; what is no name is a path that does not exist."""
    if not _NAME.fullmatch(name):
        raise UnsupportedPath
    return name


async def key_by_name(transaction: Transaction, name: str) -> NamedKey | None:
    """The key called `name`; the default key is there before anybody has written it."""
    key = await transaction.get(KEYS + name, KEY)
    if key is None and name == DEFAULT_KEY:
        return NamedKey(allowed_client_ids=("*",))
    return key


async def key_names(transaction: Transaction) -> list[str]:
    """The names of all keys, sorted."""
    return sorted({DEFAULT_KEY, *await transaction.list(KEYS)})


async def save_key(transaction: Transaction, name: str, key: NamedKey) -> None:
    """Store a key, and its place in the index of rotations by time."""
    before = await transaction.get(KEYS + name, KEY)
    transaction.put(KEYS + name, key, KEY)
    if before is not None and before.rotates and before.rotates != key.rotates:
        transaction.delete(rotation_key(name, before))
    if key.rotates and (before is None or before.rotates != key.rotates):
        index_rotation(transaction, name, key)


def index_rotation(transaction: Transaction, name: str, key: NamedKey) -> None:
    """Put the key's next rotation into the index."""
    transaction.put(rotation_key(name, key), b"", _BYTES)


def delete_key(transaction: Transaction, name: str, key: NamedKey) -> None:
    """Remove a key from the storage, its private half included."""
    transaction.delete(KEYS + name)
    if key.rotates:
        transaction.delete(rotation_key(name, key))


def rotation_key(name: str, key: NamedKey) -> str:
    """Where the index by time has the key's next rotation."""
    return ROTATIONS + due_entry(key.rotates, name)


async def issuer_of(transaction: Transaction, address: str) -> str:
    """The ``iss`` of all tokens: below the configured address, else below the server's own."""
    config = await transaction.get(CONFIG_KEY, CONFIG)
    base = config.issuer if config is not None and config.issuer else address
    return f"{base}/v1/identity/oidc"
