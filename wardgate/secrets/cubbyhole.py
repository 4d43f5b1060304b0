"""The cubbyhole: each token's own store, which no other token sees and which ends with the token."""

from typing import TYPE_CHECKING

import msgspec

from wardgate.core.json import encode
from wardgate.core.operation import Operation
from wardgate.core.records import BytesCodec
from wardgate.core.request import JsonMap, Request, Response, listing, no_content
from wardgate.core.storage import View
from wardgate.core.tokens.store import CUBBYHOLES
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.backend import EndpointBackend
from wardgate.framework.endpoints import endpoint
from wardgate.secrets.tree import Tree

if TYPE_CHECKING:
    from wardgate.core.core import Core
    from wardgate.core.mounts import Mount

_LONGEST_OUTER = CUBBYHOLES + 40 * "-" + "/"  # a token's storage name has 40 characters


class Cubbyhole(EndpointBackend):
    """Stores any data for the token that writes it, for as long as that token lives."""

    def __init__(self, core: "Core", mount: "Mount") -> None:
        super().__init__()
        self._tokens = core.tokens
        self._tree = Tree("", BytesCodec(), outer=_LONGEST_OUTER)

    async def exists(self, request: Request, path: str) -> bool:
        return await self._tree.get(_own(request), path) is not None

    @endpoint("{path...}", Operation.READ, operation_id="cubbyhole-read")
    async def read(self, request: Request, path: str) -> Response:
        """Read what this token stored."""
        if not path:
            raise InvalidRequest("missing path")
        data = await self._tree.get(_own(request), path)
        if data is None:
            raise NotFound()
        return Response(msgspec.Raw(data))

    @endpoint(
        "{path...}",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="cubbyhole-write",
        exists="exists",
    )
    async def write(self, request: Request, path: str, body: JsonMap) -> Response:
        """Store the body for this token, in the place of what was there."""
        if not body:
            raise InvalidRequest("missing data fields")
        own = _own(request)
        if request.token is not None and request.token.num_uses < 0:
            # the token's last use: it is gone when this commits, and nobody would sweep up
            return no_content()
        self._tree.put(own, path, encode(body))
        await self._tokens.mark_dependents(request.transaction, request.token_key)
        return no_content()

    @endpoint("{path...}", Operation.DELETE, operation_id="cubbyhole-delete")
    async def delete(self, request: Request, path: str) -> Response:
        """Remove what this token stored; no error where there is nothing."""
        self._tree.delete(_own(request), path)
        return no_content()

    @endpoint("{path...}", Operation.LIST, operation_id="cubbyhole-list")
    async def list(self, request: Request, path: str) -> Response:
        """List the names in a folder of this token; names of folders end in a slash."""
        return listing(await self._tree.names(_own(request), path))


def _own(request: Request) -> View:
    """The part of the storage that belongs to the request's token."""
    if not request.token_key:
        raise InvalidRequest("only service tokens have a cubbyhole; this is a batch token")
    return View(request.transaction, f"{CUBBYHOLES}{request.token_key}/")
