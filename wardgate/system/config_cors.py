"""``sys/config/cors``: which web pages of other origins may talk to the server."""

from typing import Annotated

from wardgate.core.cors import CORS, KEY, Cors, read_cors
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, StringList

_MOST = 1000
"""Origins, and headers; a browser is told all of the headers at once."""


class CorsBody(Body):
    """Who may ask for what."""

    enable: Annotated[bool, Doc("Accepted: what is written is in effect.")] = True
    allowed_origins: Annotated[
        StringList, Doc('Origins such as https://example.com, or "*" alone for all of them.')
    ] = ()
    allowed_headers: Annotated[
        StringList, Doc("Request headers that pages may send beside Vault's own.")
    ] = ()
    allow_credentials: Annotated[bool, Doc("Whether browsers may send their credentials.")] = False


class CorsEndpoints:
    """Read, write and remove the configuration of cross-origin requests."""

    @endpoint("config/cors", Operation.READ, operation_id="cors-read-configuration", sudo=True)
    async def read(self, request: Request) -> Response:
        """Read the configuration of cross-origin requests."""
        found = await read_cors(request.transaction)
        if found is None:
            return Response({"enabled": False}, spread=True)
        return Response(
            {
                "enabled": True,
                "allowed_origins": list(found.origins),
                "allowed_headers": list(found.allowed_headers),
                "allow_credentials": found.credentials,
            },
            spread=True,
        )

    @endpoint("config/cors", Operation.UPDATE, operation_id="cors-configure", sudo=True)
    async def write(self, request: Request, body: CorsBody) -> Response:
        """Let pages of some origins talk to the server, and refuse those of all others."""
        origins = body.allowed_origins
        if not origins:
            raise InvalidRequest("at least one origin or the wildcard must be provided")
        if "*" in origins and len(origins) > 1:
            raise InvalidRequest(
                "to allow all origins the '*' must be the only value for allowed_origins"
            )
        for name, values in (
            ("allowed_origins", origins),
            ("allowed_headers", body.allowed_headers),
        ):
            if len(values) > _MOST or not all(value.isprintable() for value in values):
                raise InvalidRequest(
                    f"{name}: at most {_MOST} texts of printable characters are allowed"
                )
        if any(not header.isascii() or " " in header for header in body.allowed_headers):
            raise InvalidRequest("allowed_headers: each must be the name of a header")
        cors = Cors(
            origins=origins, headers=body.allowed_headers, credentials=body.allow_credentials
        )
        request.transaction.put(KEY, cors, CORS)
        return no_content()

    @endpoint("config/cors", Operation.DELETE, operation_id="cors-delete-configuration", sudo=True)
    async def delete(self, request: Request) -> Response:
        """Treat requests from pages of other origins as any other."""
        request.transaction.delete(KEY)
        return no_content()
