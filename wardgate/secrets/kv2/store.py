"""Where secrets are kept: one record a secret, and one for each version that is not inside of it.

Reading the current version takes one record, or two when its data is large; any other version takes
two. Each change of a secret writes its record, so changes made at the same time are in each other's
way, and the transaction lets one of them run again.
"""

from collections.abc import Awaitable

import msgspec

from wardgate.core.ids import random_base62
from wardgate.core.mounts import Mount
from wardgate.core.records import BytesCodec
from wardgate.core.storage import View
from wardgate.errors import InternalError
from wardgate.secrets.kv2.record import SECRET, Secret, Version
from wardgate.secrets.tree import Tree

SECRETS = "s/"
VERSIONS = "v/"

INLINE_BYTES = 8192
"""The largest data kept inside the secret's record. Larger data would be written again with each
change of the metadata, and read with each look at it."""

_BYTES = BytesCodec()
_ID_LENGTH = 22  # base62 characters: 131 bits


class SecretStore:
    """The secrets of one mount."""

    def __init__(self, mount: Mount) -> None:
        self.tree = Tree(SECRETS, SECRET, outer=mount.storage_prefix)

    def get(self, view: View, path: str) -> Awaitable[Secret | None]:
        """The secret at `path`."""
        return self.tree.get(view, path)

    def put(self, view: View, path: str, secret: Secret) -> None:
        """Store what changed in the secret's record."""
        self.tree.put(view, path, secret)

    async def data(self, view: View, secret: Secret, number: int) -> bytes:
        """The JSON of a version that is left and not destroyed."""
        if number == secret.current and secret.data is not None:
            return secret.data
        data = await view.get(_version_key(secret, number), _BYTES)
        if data is None:
            raise InternalError("the stored data of a version is missing")
        return data

    def add_version(
        self, view: View, path: str, secret: Secret, version: Version, data: bytes, *, keep: int
    ) -> Secret:
        """Make `data` the current version; gives the secret as it is stored then.

        The `keep` newest versions stay, and what is older goes in the same commit.
        """
        versions = (*secret.versions, version)
        dropped = max(0, len(versions) - keep)
        for index in range(min(dropped, len(secret.versions))):
            self._delete_data(view, secret, secret.first + index)
        moves = secret.data is not None and dropped < len(secret.versions)
        inline = len(data) <= INLINE_BYTES
        if not secret.id and (moves or not inline):  # the first data that has a key of its own
            secret = msgspec.structs.replace(secret, id=random_base62(_ID_LENGTH))
        if secret.data is not None and moves:
            view.put(_version_key(secret, secret.current), secret.data, _BYTES)
        number = secret.current + 1
        if not inline:
            view.put(_version_key(secret, number), data, _BYTES)
        changed = msgspec.structs.replace(
            secret,
            updated=version.created,
            current=number,
            oldest=secret.first + dropped if dropped else secret.oldest,
            versions=versions[dropped:],
            data=data if inline else None,
            lease=None,
        )
        self.put(view, path, changed)
        return changed

    def destroy(self, view: View, secret: Secret, number: int) -> Secret:
        """Remove the data of a version that is left; gives the secret, which is still to be stored."""
        self._delete_data(view, secret, number)
        version = msgspec.structs.replace(secret.versions[number - secret.first], destroyed=True)
        secret = secret.with_version(number, version)
        return msgspec.structs.replace(secret, data=None) if number == secret.current else secret

    def erase(self, view: View, path: str, secret: Secret) -> None:
        """Remove a secret with all of its versions."""
        for number in range(secret.first, secret.current + 1):
            self._delete_data(view, secret, number)
        self.tree.delete(view, path)

    @staticmethod
    def _delete_data(view: View, secret: Secret, number: int) -> None:
        version = secret.version(number)
        inside = number == secret.current and secret.data is not None
        if version is not None and not version.destroyed and not inside:
            view.delete(_version_key(secret, number))


def _version_key(secret: Secret, number: int) -> str:
    return f"{VERSIONS}{secret.id}/{number}"
