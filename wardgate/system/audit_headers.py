"""``sys/config/auditing/request-headers``: the request headers that audit devices record."""

import re
from typing import Annotated

import msgspec

from wardgate.core.audit.table import audit_table, save_table
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")  # a token of RFC 9110, section 5.6.2
_MOST_HEADERS = 100
_SECRET = frozenset({"x-vault-token", "authorization", "cookie", "proxy-authorization"})
"""Headers that carry credentials: their values are always hashed."""


class HeaderBody(Body):
    """How a header is recorded."""

    hmac: Annotated[bool, Doc("Whether its values are hashed.")] = False


class AuditHeaderEndpoints:
    """List, read, add and remove the headers that are recorded."""

    @endpoint(
        "config/auditing/request-headers",
        Operation.READ,
        operation_id="auditing-list-request-headers",
        sudo=True,
    )
    async def list_headers(self, request: Request) -> Response:
        """List the request headers that are recorded."""
        table = await audit_table(request.transaction)
        headers = {name: {"hmac": table.headers[name]} for name in sorted(table.headers)}
        return Response({"headers": headers}, spread=True)

    @endpoint(
        "config/auditing/request-headers/{header}",
        Operation.READ,
        operation_id="auditing-read-request-header-information",
        sudo=True,
    )
    async def read(self, request: Request, header: str) -> Response:
        """Tell how a request header is recorded."""
        name, table = header.lower(), await audit_table(request.transaction)
        if name not in table.headers:
            raise InvalidRequest("Could not find header in config")
        return Response({header: {"hmac": table.headers[name]}}, spread=True)

    @endpoint(
        "config/auditing/request-headers/{header}",
        Operation.UPDATE,
        operation_id="auditing-enable-request-header",
        sudo=True,
    )
    async def write(self, request: Request, header: str, body: HeaderBody) -> Response:
        """Record a request header."""
        name, table = header.lower(), await audit_table(request.transaction)
        if not _NAME.fullmatch(name):
            raise InvalidRequest("header: must be the name of an HTTP header")
        if name in _SECRET and not body.hmac:
            raise InvalidRequest("hmac: must be true for a header that carries credentials")
        if name not in table.headers and len(table.headers) >= _MOST_HEADERS:
            raise InvalidRequest(f"at most {_MOST_HEADERS} headers can be recorded; remove one")
        headers = {**table.headers, name: body.hmac}
        save_table(request.transaction, msgspec.structs.replace(table, headers=headers))
        return no_content()

    @endpoint(
        "config/auditing/request-headers/{header}",
        Operation.DELETE,
        operation_id="auditing-disable-request-header",
        sudo=True,
    )
    async def delete(self, request: Request, header: str) -> Response:
        """Record a request header no longer."""
        name, table = header.lower(), await audit_table(request.transaction)
        if name in table.headers:
            headers = {each: hashed for each, hashed in table.headers.items() if each != name}
            save_table(request.transaction, msgspec.structs.replace(table, headers=headers))
        return no_content()
