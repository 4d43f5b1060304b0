"""``sys/raw``: what is stored, key by key, for repairs. There only with ``raw_storage_endpoint``.

Values pass the barrier: they are shown decrypted and stored encrypted. Most of them are records in
MessagePack, so ask for them with ``encoding=base64`` and write them back in the same way. Nothing
is stored compressed, so nothing is ever compressed here. The barrier's own records, which hold its
keys, can be neither read nor written. The table of audit devices cannot be written: it says which
files of the machine the server writes to, and the configuration's devices stand in it, which nobody
who uses the API may change.
"""

import base64
import binascii
import logging
from typing import Annotated

from wardgate.barrier.keys import RESERVED
from wardgate.core.audit.table import TABLE_KEY
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.records import BytesCodec
from wardgate.core.request import Request, Response, listing, no_content
from wardgate.errors import InvalidRequest, NotFound, Unavailable
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.framework.paging import Page
from wardgate.store.interface import StoreError
from wardgate.store.keys import InvalidKey

_log = logging.getLogger("wardgate.raw")

_BYTES = BytesCodec()
_COMPRESSIONS = ("", "gzip", "lzw", "lz4", "snappy")


class RawQuery(Body):
    """How a value is shown."""

    encoding: Annotated[str, Doc("base64, or nothing for plain text.")] = ""
    compressed: Annotated[bool, Doc("Accepted: nothing is stored compressed.")] = True


class RawBody(Body):
    """A value to store."""

    value: Annotated[str, Doc("The value, as `encoding` says.")] = ""
    encoding: Annotated[str, Doc("base64, or nothing for plain text.")] = ""
    compressed: Annotated[bool, Doc("Accepted: nothing is stored compressed.")] = True
    compression_type: Annotated[str, Doc("Accepted: nothing is stored compressed.")] = ""


class RawEndpoints:
    """Read and write the storage below everything else."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("raw", Operation.LIST, operation_id="raw-list", sudo=True)
    async def list_top(self, request: Request, page: Page) -> Response:
        """List the names at the top of the storage."""
        return await self._list(request, "", page)

    @endpoint("raw/{path...}", Operation.LIST, operation_id="raw-list-path", sudo=True)
    async def list_below(self, request: Request, path: str, page: Page) -> Response:
        """List the names directly below a key."""
        prefix = path.rstrip("/")
        return await self._list(request, prefix and f"{prefix}/", page)

    @endpoint("raw", Operation.READ, operation_id="raw-read", sudo=True)
    async def read_top(self, request: Request, query: RawQuery) -> Response:
        """There is no value at the top of the storage."""
        raise NotFound

    @endpoint("raw/{path...}", Operation.READ, operation_id="raw-read-path", sudo=True)
    async def read(self, request: Request, path: str, query: RawQuery) -> Response:
        """Read the value stored under a key."""
        _check_encoding(query.encoding)
        _check_key(path)
        if not path or path.endswith("/"):
            raise NotFound
        try:
            # not through the transaction: its cache holds decoded records, and this is not one
            entry = await self._core.barrier.get(path)
        except InvalidKey:
            raise NotFound from None
        except StoreError as error:
            raise Unavailable("the storage could not be read; try again") from error
        if entry is None:
            raise NotFound
        if query.encoding:
            return Response({"value": base64.b64encode(entry.value).decode()})
        return Response({"value": entry.value.decode(errors="replace")})

    @endpoint("raw", Operation.UPDATE, operation_id="raw-write", sudo=True)
    async def write_top(self, request: Request, body: RawBody) -> Response:
        """Values are stored under keys only."""
        raise InvalidRequest("path: put the key behind sys/raw/ in the path")

    @endpoint("raw/{path...}", Operation.UPDATE, operation_id="raw-write-path", sudo=True)
    async def write(self, request: Request, path: str, body: RawBody) -> Response:
        """Store a value under a key. What reads it there may not understand it."""
        _check_encoding(body.encoding)
        _check_change(path)
        if not path:
            return await self.write_top(request, body)
        if body.compression_type not in _COMPRESSIONS:
            raise InvalidRequest("compression_type: use one of gzip, lzw, lz4, snappy, or none")
        try:
            value = (
                base64.b64decode(body.value, validate=True)
                if body.encoding
                else body.value.encode()
            )
        except (binascii.Error, ValueError):
            raise InvalidRequest("value: must be base64, as encoding says") from None
        request.transaction.put(path, value, _BYTES)
        return _logged("replaced", path)

    @endpoint("raw", Operation.DELETE, operation_id="raw-delete", sudo=True)
    async def delete_top(self, request: Request) -> Response:
        """There is no value at the top of the storage."""
        return no_content()

    @endpoint("raw/{path...}", Operation.DELETE, operation_id="raw-delete-path", sudo=True)
    async def delete(self, request: Request, path: str) -> Response:
        """Remove the value stored under a key."""
        _check_change(path)
        if not path or path.endswith("/"):
            return no_content()
        request.transaction.delete(path)
        return _logged("removed", path)

    async def _list(self, request: Request, prefix: str, page: Page) -> Response:
        _check_key(prefix)
        return listing(await request.transaction.list(prefix, page.after, page.most))


def _logged(done: str, path: str) -> Response:
    """204, and a line in the log once it is durable."""
    response = no_content()
    response.then = lambda: _log.warning("the value stored at %r was %s by sys/raw", path, done)
    return response


def _check_key(path: str) -> None:
    if (path + "/").startswith(RESERVED):
        raise InvalidRequest(f"cannot access what lies below {RESERVED}: it holds the keys")


def _check_change(path: str) -> None:
    _check_key(path)
    if path == TABLE_KEY:
        raise InvalidRequest(
            f"cannot change {TABLE_KEY}: use sys/audit, or the configuration file, for audit devices"
        )


def _check_encoding(encoding: str) -> None:
    if encoding not in ("", "base64"):
        raise InvalidRequest("invalid encoding: use base64, or leave it out")
