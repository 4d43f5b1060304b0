"""What is stored for roles and secret ids, and where.

=================================  =================================================================
``role/NAME``                      a role; names are in lower case
``role-id/HASH``                   leads from a role id, in lower case, to the role's name
``secret-id/UID/HASH``             a secret id of the role with this UID
``accessor/UID/ACCESSOR``          leads from an accessor to the secret id's hash
``expiry/TIME-UID.HASH``           index of the secret ids that end, for the sweeper
``gone/UID``                       a role that was deleted: the sweeper clears its secret ids away
=================================  =================================================================

A secret id lies under a keyed hash of itself. The UID of a role is never used again, so deleting a
role ends all of its secret ids in the same commit, and whoever makes a role of the same name later
does not revive them (CVE-2023-24999 and its kin: nothing leads from one role to another's).
"""

import msgspec

from wardgate.core.core import Core
from wardgate.core.due import due_entry
from wardgate.core.identity.records import folded
from wardgate.core.ids import new_uuid
from wardgate.core.records import Codec
from wardgate.core.storage import Transaction, View
from wardgate.framework.names import checked_name
from wardgate.framework.token_fields import TokenSettings

ROLES = "role/"
ROLE_IDS = "role-id/"
SECRET_IDS = "secret-id/"
ACCESSORS = "accessor/"
EXPIRIES = "expiry/"
GONE = "gone/"

LONGEST_ID = 4096
"""Characters that a role id or a secret id may have: hashing what strangers send is bounded."""
_LONGEST_NAME = 256  # characters


class Role(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A role as stored. TTLs are seconds; 0 uses means any number of them."""

    role_id: str
    uid: str
    settings: TokenSettings = TokenSettings()
    bind_secret_id: bool = True
    local_secret_ids: bool = False
    secret_id_bound_cidrs: tuple[str, ...] = ()
    secret_id_num_uses: int = 0
    secret_id_ttl: int = 0

    @property
    def secret_ids(self) -> str:
        """The folder of its secret ids."""
        return f"{SECRET_IDS}{self.uid}/"

    @property
    def accessors(self) -> str:
        """The folder of their accessors."""
        return f"{ACCESSORS}{self.uid}/"


class SecretId(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A secret id, without itself. Times are seconds since the epoch; `expires` 0 means never.

    `uses_left` 0 means any number. `used` is when somebody logged in with it, 0 for never; where it
    has any number of uses, to the minute."""

    accessor: str
    created: float
    updated: float
    ttl: int = 0
    expires: float = 0
    uses_left: int = 0
    cidrs: tuple[str, ...] = ()
    token_cidrs: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    used: float = 0

    def alive(self, now: float) -> bool:
        return self.expires == 0 or now < self.expires


ROLE: Codec[Role] = Codec(Role)
SECRET_ID: Codec[SecretId] = Codec(SecretId)
TEXT: Codec[str] = Codec(str)


def new_role() -> Role:
    """A role with nothing set and an id of its own."""
    return Role(role_id=new_uuid(), uid=new_uuid())


def canonical_role_name(name: str) -> str:
    """The one spelling of a role's name; `UnsupportedPath` for what no role can be called."""
    return checked_name(name, _LONGEST_NAME)


async def role_by_name(storage: View, name: str) -> Role | None:
    """The role called `name` in whatever case."""
    key = ROLES + name.lower()
    role: Role | None = storage.known(key)
    if role is None:
        role = await storage.get(key, ROLE)
    return role


async def role_id_key(core: Core, transaction: Transaction, role_id: str) -> str:
    """Where a role id leads from, the same in any case: aliases are, so roles with ids that differ in
    case only would be one entity, with each other's rights."""
    return ROLE_IDS + await core.tokens.hashed(transaction, f"role-id:{folded(role_id)}")


async def secret_id_name(core: Core, transaction: Transaction, secret_id: str) -> str:
    """The keyed hash that stands for a secret id."""
    return await core.tokens.hashed(transaction, f"secret-id:{secret_id}")


def expiry_key(uid: str, name: str, expires: float) -> str:
    """The place in the index of a secret id that ends."""
    return EXPIRIES + due_entry(expires, f"{uid}.{name}")


def put_secret_id(storage: View, uid: str, name: str, secret: SecretId) -> None:
    """Store a new secret id with its indexes."""
    storage.put(f"{SECRET_IDS}{uid}/{name}", secret, SECRET_ID)
    storage.put(f"{ACCESSORS}{uid}/{secret.accessor}", name, TEXT)
    if secret.expires:
        storage.put(expiry_key(uid, name, secret.expires), "", TEXT)


def remove_secret_id(storage: View, uid: str, name: str, secret: SecretId) -> None:
    """Remove a secret id with its indexes."""
    storage.delete(f"{SECRET_IDS}{uid}/{name}")
    storage.delete(f"{ACCESSORS}{uid}/{secret.accessor}")
    if secret.expires:
        storage.delete(expiry_key(uid, name, secret.expires))
