"""Which versions of Wardgate have worked on this storage, and since when."""

import msgspec

from wardgate.core.records import Codec
from wardgate.core.storage import Transaction

_KEY = "core/versions"
_KEPT = 1000


class Installed(msgspec.Struct, frozen=True):
    """The first time that a version worked here (seconds since the epoch)."""

    version: str
    time: float


_VERSIONS: Codec[tuple[Installed, ...]] = Codec(tuple[Installed, ...])


async def versions(transaction: Transaction) -> tuple[Installed, ...]:
    """All versions, in the order in which they came."""
    return await transaction.get(_KEY, _VERSIONS) or ()


async def note_version(transaction: Transaction, version: str, now: float) -> None:
    """Write down that `version` works here, unless it is known already."""
    known = await versions(transaction)
    if all(installed.version != version for installed in known):
        transaction.put(_KEY, (*known, Installed(version, now))[-_KEPT:], _VERSIONS)
