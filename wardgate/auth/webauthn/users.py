"""Users and their keys, as stored, and the ways to them: by name, by user handle, by credential id.

Handles and credential ids come from strangers, so the keys of the storage have digests of them.
"""

import hashlib
import secrets

import msgspec

from wardgate.core.records import Codec
from wardgate.core.storage import View
from wardgate.framework.token_fields import TokenSettings

USERS = "user/"
MOST_KEYS = 20
"""How many keys one user can have."""
_HANDLES = "handle/"
_CREDENTIALS = "credential/"
_HANDLE_BYTES = 64


class Key(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A public key credential. Times are seconds since the epoch."""

    id: bytes
    attested: bytes
    """AAGUID, id and public key, as the authenticator gave them (attested credential data)."""
    attestation: str
    """The format of the attestation that was verified when it was registered; "none" without."""
    sign_count: int = 0
    """What the authenticator's counter was last; 0 for one that does not count."""
    backup_eligible: bool = False
    """Whether it may be copied to other devices, which never changes."""
    transports: tuple[str, ...] = ()
    registered: float
    used: float = 0.0


class Enrolment(msgspec.Struct, frozen=True):
    """A code by which a user may register a key: its digest, and when it ends (seconds since the
    epoch)."""

    digest: bytes
    expires: float


class User(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A user as stored."""

    name: str
    handle: bytes
    """64 random bytes that stand for the user in passkeys."""
    display_name: str = ""
    keys: tuple[Key, ...] = ()
    settings: TokenSettings = TokenSettings()
    enrolment: Enrolment | None = None
    self_registered: bool = False
    """Whether nobody but the first to come has said who this is."""

    def key(self, credential_id: bytes) -> Key | None:
        """The key with this id."""
        return next((key for key in self.keys if key.id == credential_id), None)


USER: Codec[User] = Codec(User)
_NAME: Codec[str] = Codec(str)


def new_handle() -> bytes:
    return secrets.token_bytes(_HANDLE_BYTES)


async def get_user(storage: View, name: str) -> User | None:
    """The user with this name, which is in lower case."""
    return await storage.get(USERS + name, USER)


async def user_by_handle(storage: View, handle: bytes) -> User | None:
    """The user for whom `handle` stands."""
    name = await storage.get(_place(_HANDLES, handle), _NAME)
    user = None if name is None else await get_user(storage, name)
    return user if user is not None and user.handle == handle else None


async def is_registered(storage: View, credential_id: bytes) -> bool:
    """Whether anybody has a key with this id."""
    return await storage.get(_place(_CREDENTIALS, credential_id), _NAME) is not None


def put_user(storage: View, user: User) -> None:
    """Store a user whose keys are the same as before."""
    storage.put(USERS + user.name, user, USER)


def put_new_user(storage: View, user: User) -> None:
    """Store a user who was not there."""
    storage.put(_place(_HANDLES, user.handle), user.name, _NAME)
    put_user(storage, user)


def add_key(storage: View, user: User, key: Key) -> User:
    """The user, stored with one key more."""
    user = msgspec.structs.replace(user, keys=(*user.keys, key))
    storage.put(_place(_CREDENTIALS, key.id), user.name, _NAME)
    put_user(storage, user)
    return user


def remove_key(storage: View, user: User, key: Key) -> None:
    """Store the user without this key."""
    storage.delete(_place(_CREDENTIALS, key.id))
    put_user(storage, msgspec.structs.replace(user, keys=tuple(k for k in user.keys if k != key)))


def delete_user(storage: View, user: User) -> None:
    """Remove a user with everything that leads there."""
    for key in user.keys:
        storage.delete(_place(_CREDENTIALS, key.id))
    storage.delete(_place(_HANDLES, user.handle))
    storage.delete(USERS + user.name)


def trust_warnings(user: User) -> list[str]:
    """What an operator must know who gives a user rights, or a code."""
    if not user.self_registered:
        return []
    return [
        "This user was not made by an operator: whoever took the name first has the key. To be sure"
        " who it is, delete the user, write it anew, and hand over an enrolment code."
    ]


def _place(folder: str, data: bytes) -> str:
    return folder + hashlib.sha256(data).hexdigest()
