"""``sys/config/ui/headers``: response headers for the web page."""

import re
from typing import Annotated

from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, listing, no_content
from wardgate.core.ui_headers import HEADER, PREFIX, Header
from wardgate.errors import InvalidRequest, UnsupportedPath
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, Strings
from wardgate.framework.paging import Page

_NAME = re.compile(r"\w(?:[\w.-]*\w)?", re.ASCII)
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{1,8192}")


class HeaderBody(Body):
    """A header to set."""

    values: Annotated[Strings, Doc("The values, at least one.")] = ()
    multivalue: Annotated[bool, Doc("Accepted; only reading makes a difference of it.")] = False


class HeaderQuery(Body):
    """How to show a header."""

    multivalue: Annotated[bool, Doc("Show all values rather than the first.")] = False


class UiHeaderEndpoints:
    """List, read, write and delete the headers."""

    @endpoint("config/ui/headers", Operation.LIST, operation_id="ui-headers-list")
    async def list_headers(self, request: Request, page: Page) -> Response:
        """List the names of the headers."""
        return listing(await request.transaction.list(PREFIX, page.after, page.most))

    @endpoint(
        "config/ui/headers/{header}",
        Operation.READ,
        operation_id="ui-headers-read-configuration",
        sudo=True,
    )
    async def read(self, request: Request, header: str, query: HeaderQuery) -> Response:
        """Read the first value of a header, or all of them."""
        found = await request.transaction.get(PREFIX + _canonical(header), HEADER)
        if found is None:
            return Response(status=404)
        if query.multivalue:
            return Response({"values": list(found.values)})
        return Response({"value": found.values[0]})

    @endpoint(
        "config/ui/headers/{header}",
        Operation.UPDATE,
        operation_id="ui-headers-configure",
        sudo=True,
    )
    async def write(self, request: Request, header: str, body: HeaderBody) -> Response:
        """Set a header."""
        name = _canonical(header)
        values = tuple(value for value in body.values if value)
        if not values:
            raise InvalidRequest("header and values must be specified")
        if name.startswith("X-Vault-"):
            raise InvalidRequest("X-Vault headers cannot be set")
        if not all(map(_VALUE.fullmatch, values)):
            raise InvalidRequest("values: line ends and other control characters are not allowed")
        request.transaction.put(PREFIX + name, Header(values), HEADER)
        return Response()

    @endpoint(
        "config/ui/headers/{header}",
        Operation.DELETE,
        operation_id="ui-headers-delete-configuration",
        sudo=True,
    )
    async def delete(self, request: Request, header: str) -> Response:
        """Remove a header."""
        request.transaction.delete(PREFIX + _canonical(header))
        return no_content()


def _canonical(name: str) -> str:
    """A header's name as it is stored: ``x-frame-options`` is ``X-Frame-Options``."""
    if not _NAME.fullmatch(name) or len(name) > 200:
        raise UnsupportedPath
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))
