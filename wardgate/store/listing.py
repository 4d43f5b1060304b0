"""Listing one level of a sorted key space, for engines that can seek.

Sorted keys give sorted names: two names on one level differ within the shorter of them (a folder's
name ends in the only ``/`` it has, so none is the beginning of another unless that is a key), and
the keys below a folder begin with its name. So a folder's keys lie together, exactly where its name
belongs, and one seek to ``folder0`` (``0`` follows ``/``) passes all of them.
"""

from collections.abc import Callable


def level(
    seek: Callable[[bytes], bytes | None], prefix: bytes, after: bytes, limit: int | None
) -> list[str]:
    """The names below `prefix` that are greater than `after`, at most `limit`: one seek a name.

    `seek` gives the smallest key that is not smaller than its argument, or None.
    """
    names: list[str] = []
    depth = len(prefix)
    start = prefix + _successor(after)
    while limit is None or len(names) < limit:
        key = seek(start)
        if key is None or not key.startswith(prefix):
            break
        slash = key.find(b"/", depth)
        if slash < 0:
            names.append(key[depth:].decode())
            start = key + b"\0"
        else:
            names.append(key[depth : slash + 1].decode())
            start = key[:slash] + b"0"
    return names


def _successor(after: bytes) -> bytes:
    """Where the names greater than `after` begin; `after` may be any text."""
    if not after:
        return b""
    folder, slash, _ = after.partition(b"/")
    return folder + b"0" if slash else after + b"\0"
