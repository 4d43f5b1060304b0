"""Headers that an operator adds to the web page: one record each, for all nodes."""

import msgspec

from wardgate.core.records import Codec
from wardgate.core.storage import Transaction

PREFIX = "core/config/ui-header/"


class Header(msgspec.Struct, frozen=True):
    """The values of one header, at least one."""

    values: tuple[str, ...]


HEADER: Codec[Header] = Codec(Header)


async def read_ui_headers(transaction: Transaction) -> list[tuple[str, str]]:
    """Names in lower case with values; a header that has several comes several times."""
    found: list[tuple[str, str]] = []
    for name in await transaction.list(PREFIX):
        header = await transaction.get(PREFIX + name, HEADER)
        if header is not None:
            found += [(name.lower(), value) for value in header.values]
    return found
