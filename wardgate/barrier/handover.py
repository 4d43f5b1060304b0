"""How running processes come by a root key that another process has made.

Each process holds the root key that it was unsealed with. Whoever replaces it leaves a link in the
storage: the new key, encrypted under the old one. A process whose key no longer opens the keyring
follows the links from its own key to the newest. They are removed when they are an hour old, when
every process that runs has long followed them; from then on an old root key leads nowhere.
"""

import msgspec

from wardgate.barrier import envelope
from wardgate.barrier.errors import BarrierError, WrongKey

HANDOVER = "barrier/handover"
"""Where the links are stored, oldest first."""

LIFETIME = 3600.0
"""Seconds for which a link is kept."""
MOST_LINKS = 16


class _Link(msgspec.Struct, frozen=True):
    made: float  # seconds since the epoch
    key: bytes


_decoder = msgspec.json.Decoder(list[_Link])


def link(old_root_key: bytes, new_root_key: bytes) -> bytes:
    """The new key for those who have the old one."""
    return envelope.wrap(old_root_key, HANDOVER, new_root_key)


def opened(one: bytes, old_root_key: bytes) -> bytes:
    """The new key of one link. Raises `WrongKey` when it is not a link from that key."""
    return envelope.unwrap(old_root_key, HANDOVER, one)


def extended(record: bytes | None, one: bytes, now: float) -> bytes:
    """The record with one more link, without those that are too old."""
    links = [*_current(record, now), _Link(now, one)]
    return msgspec.json.encode(links[-MOST_LINKS:])


def pruned(record: bytes, now: float) -> bytes | None:
    """The record without the links that are too old: itself when there are none, None when all are."""
    links = _links(record)
    current = _current(record, now)
    if len(current) == len(links):
        return record
    return msgspec.json.encode(current) if current else None


def followed(record: bytes | None, root_key: bytes) -> bytes:
    """The newest key that `root_key` leads to; itself when no link begins there."""
    for each in _links(record):
        try:
            root_key = opened(each.key, root_key)
        except WrongKey:
            continue
    return root_key


def _current(record: bytes | None, now: float) -> list[_Link]:
    return [each for each in _links(record) if now - each.made < LIFETIME]


def _links(record: bytes | None) -> list[_Link]:
    if record is None:
        return []
    try:
        return _decoder.decode(record)
    except msgspec.MsgspecError:
        raise BarrierError(
            f"the record {HANDOVER} in storage is damaged or was not written by Wardgate; "
            "seal and unseal this process to go on without it"
        ) from None
