"""Records kept under the paths that clients choose, listed level by level.

A path is its own storage key: names separated by ``/``, all of them printable and none empty, which
is what the API lets through anyway. So the order of a listing is the order of the storage, and what
is read needs no translation. A path that cannot be a key cannot be written, and is not found.
"""

from collections.abc import Awaitable
from typing import Generic, TypeVar

from wardgate.core.storage import RecordCodec, View
from wardgate.errors import InvalidRequest
from wardgate.store.interface import MAX_KEY_BYTES

T = TypeVar("T")


class Tree(Generic[T]):
    """Records of one kind below `prefix`, which is empty or ends in a slash.

    `outer` is the prefix of the views that the tree is used with; what the two leave of the
    longest key is the longest path.
    """

    def __init__(self, prefix: str, codec: RecordCodec[T], *, outer: str) -> None:
        self._prefix = prefix
        self._codec = codec
        self.longest = MAX_KEY_BYTES - len(outer) - len(prefix)

    def fits(self, path: str) -> bool:
        """Whether something can be stored under `path`."""
        if len(path) > self.longest or not path.isprintable():
            return False
        if not path.isascii() and len(path.encode()) > self.longest:
            return False
        return "" not in path.split("/")

    def get(self, view: View, path: str) -> Awaitable[T | None]:
        """The record at `path`, or None."""
        return view.get(self._prefix + path, self._codec)

    def put(self, view: View, path: str, record: T) -> None:
        """Store `record` at `path`; `InvalidRequest` when nothing can be stored there."""
        if not self.fits(path):
            raise InvalidRequest(
                "path: must be printable names separated by single slashes, not ending in one, of at"
                f" most {self.longest} bytes together"
            )
        view.put(self._prefix + path, record, self._codec)

    def delete(self, view: View, path: str) -> None:
        """Remove the record at `path`, if there is one."""
        if self.fits(path):
            view.delete(self._prefix + path)

    async def names(
        self, view: View, folder: str, after: str = "", limit: int | None = None
    ) -> list[str]:
        """The names in `folder` that come after `after`, at most `limit`; folders end in a slash.

        `folder` is empty for the top, and may end in a slash or not.
        """
        folder = folder.removesuffix("/")
        if not folder:
            return await view.list(self._prefix, after, limit)
        if not self.fits(folder):
            return []
        return await view.list(f"{self._prefix}{folder}/", after, limit)

    async def scan(self, view: View, folder: str) -> list[str]:
        """The paths of all records below `folder`, relative to it.

        Each level's records come before what lies in its folders, as OpenBao has it.
        """
        top = folder.removesuffix("/")
        found: list[str] = []
        folders = [""]
        while folders:
            level = folders.pop()
            for name in await self.names(view, f"{top}/{level}" if top else level):
                (folders if name.endswith("/") else found).append(level + name)
        return found
