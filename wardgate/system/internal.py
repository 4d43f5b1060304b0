"""``sys/internal``: the OpenAPI document, and what user interfaces and the CLI ask about mounts."""

from typing import Annotated, Any

from wardgate.core.authentication import calling_token, rights
from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.core.operation import Operation
from wardgate.core.policy import Acl
from wardgate.core.request import JsonMap, Request, Response
from wardgate.errors import PermissionDenied
from wardgate.framework.backend import EndpointBackend
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.framework.openapi import add_backend, document
from wardgate.system.mount_fields import shown_mount

SINGLETONS = ("sys/", "auth/token/", "cubbyhole/", "identity/")
"""Mounts that lie at the same path on every server, so their paths need no parameter."""


class DocumentQuery(Body):
    """How the document shows mounts."""

    context: Annotated[str, Doc("Accepted.")] = ""
    generic_mount_paths: Annotated[
        bool, Doc("Show mounts as parameters, such as {userpass_mount_path}.")
    ] = False


class InternalEndpoints:
    """Made for machines; open to anybody who may see the thing itself."""

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

    @endpoint(
        "internal/ui/mounts",
        Operation.READ,
        operation_id="internal-ui-list-enabled-visible-mounts",
        unauthenticated=True,
    )
    async def mounts(self, request: Request) -> Response:
        """The mounts that are listed to anybody and, with a token, those that it reaches."""
        acl = await self._rights(request)
        found: dict[str, JsonMap] = {"secret": {}, "auth": {}}
        table = await self._core.mounts.table(request.transaction)
        for mount in table.mounts:
            if mount.config.listing_visibility == "unauth" or (acl and acl.reaches(mount.path)):
                part = found["auth" if mount.is_auth else "secret"]
                part[mount.path.removeprefix("auth/")] = _shown(mount, whole=acl is not None)
        return Response(found)

    @endpoint(
        "internal/ui/mounts/{path...}",
        Operation.READ,
        operation_id="internal-ui-read-mount-information",
        unauthenticated=True,
    )
    async def mount(self, request: Request, path: str) -> Response:
        """The mount that answers a path, if the caller reaches it."""
        acl = await self._rights(request)
        table = await self._core.mounts.table(request.transaction)
        mount = table.find(path)
        if acl is None:
            raise PermissionDenied
        if mount is None or not acl.reaches(mount.path):
            raise PermissionDenied(
                "preflight capability check returned 403, please ensure client's"
                " policies grant access to path"
            )
        return Response({**shown_mount(mount), "path": mount.path})

    async def _rights(self, request: Request) -> Acl | None:
        """The caller's rights; None for a caller without a living token."""
        if not request.client_token:
            return None
        try:
            found = await calling_token(self._core, request)
            return await rights(self._core, request.transaction, found.token, request.time)
        except PermissionDenied:
            return None


def _shown(mount: Mount, *, whole: bool) -> JsonMap:
    if whole:
        return shown_mount(mount)
    return {"type": mount.type, "description": mount.description, "options": mount.options}
