"""``sys/internal/specs``: the OpenAPI document."""

from typing import Annotated, Any

from wardgate.core.authentication import calling_token, rights
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.policy import Acl
from wardgate.core.request import Request, Response
from wardgate.errors import PermissionDenied
from wardgate.framework.backend import EndpointBackend
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.framework.openapi import add_backend, document

SINGLETONS = ("sys/", "auth/token/", "cubbyhole/", "identity/")
"""Mounts that lie at the same path on every server, so their paths need no parameter."""


class DocumentQuery(Body):
    """How the document shows mounts."""

    context: Annotated[str, Doc("Accepted.")] = ""
    generic_mount_paths: Annotated[
        bool, Doc("Show mounts as parameters, such as {userpass_mount_path}.")
    ] = False


class InternalEndpoints:
    """Made for machines; open to anybody, about what they reach."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint(
        "internal/specs/openapi",
        Operation.READ,
        operation_id="internal-generate-open-api-document",
        unauthenticated=True,
    )
    async def openapi(self, request: Request, query: DocumentQuery) -> Response:
        """The OpenAPI document of all mounts that the caller may reach."""
        return await self._document(request, query)

    @endpoint(
        "internal/specs/openapi",
        Operation.UPDATE,
        operation_id="internal-generate-open-api-document-with-parameters",
        unauthenticated=True,
    )
    async def openapi_by_write(self, request: Request, body: DocumentQuery) -> Response:
        """The OpenAPI document of all mounts that the caller may reach."""
        return await self._document(request, body)

    async def _document(self, request: Request, query: DocumentQuery) -> Response:
        paths: dict[str, Any] = {}
        schemas: dict[str, Any] = {}
        table = await self._core.mounts.table(request.transaction)
        acl = await self._rights(request)
        for mount in sorted(table.mounts, key=lambda mount: mount.path):
            if mount.path != "sys/" and not (acl and acl.reaches(mount.path)):
                continue
            backend = table.backend(mount)
            assert isinstance(backend, EndpointBackend)
            prefix, parameters = f"/{mount.path}", list[str]()
            if query.generic_mount_paths and mount.path not in SINGLETONS:
                name = f"{mount.type}_mount_path" if mount.is_auth else "secret_mount_path"
                prefix, parameters = f"/{'auth/' if mount.is_auth else ''}{{{name}}}/", [name]
            tag = "auth" if mount.is_auth else "system" if mount.path == "sys/" else "secrets"
            add_backend(backend, prefix, parameters, paths, schemas, tag)
        return Response(document(paths, schemas), bare=True)

    async def _rights(self, request: Request) -> Acl | None:
        """The caller's rights; None for a caller without a living token."""
        if not request.client_token:
            return None
        try:
            found = await calling_token(self._core, request)
            return await rights(self._core, request.transaction, found.token, request.time)
        except PermissionDenied:
            return None
