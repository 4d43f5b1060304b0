"""``sys/internal/ui``: what user interfaces and the command line ask before they ask."""

from wardgate.core.authentication import calling_token, rights
from wardgate.core.core import Core
from wardgate.core.mounts import AUTH_PREFIX, Mount
from wardgate.core.operation import Operation
from wardgate.core.policy import Acl
from wardgate.core.request import JsonMap, Request, Response
from wardgate.errors import PermissionDenied
from wardgate.framework.endpoints import endpoint
from wardgate.system.mount_fields import shown_mount


class UiEndpoints:
    """Open to anybody who may see the thing itself."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint(
        "internal/ui/mounts",
        Operation.READ,
        operation_id="internal-ui-list-enabled-visible-mounts",
        unauthenticated=True,
    )
    async def mounts(self, request: Request) -> Response:
        """The mounts that are listed to anybody and, with a token, those that it reaches."""
        acl = await self._rights(request) if request.client_token else None
        found: dict[str, JsonMap] = {"secret": {}, "auth": {}}
        table = await self._core.mounts.table(request.transaction)
        for mount in table.mounts:
            if mount.config.listing_visibility == "unauth" or (acl and acl.reaches(mount.path)):
                part = found["auth" if mount.is_auth else "secret"]
                part[mount.path.removeprefix(AUTH_PREFIX)] = _shown(mount, whole=acl is not None)
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
        if mount is None or not acl.reaches(mount.path):
            raise PermissionDenied(
                "preflight capability check returned 403, please ensure client's"
                " policies grant access to path"
            )
        return Response({**shown_mount(mount), "path": mount.path.removeprefix(AUTH_PREFIX)})

    @endpoint(
        "internal/ui/namespaces",
        Operation.READ,
        operation_id="internal-ui-list-namespaces",
        unauthenticated=True,
    )
    async def namespaces(self, request: Request) -> Response:
        """The namespaces below the caller's: there are none."""
        await self._rights(request)
        return Response({})

    @endpoint(
        "internal/ui/resultant-acl",
        Operation.READ,
        operation_id="internal-ui-read-resultant-acl",
    )
    async def resultant_acl(self, request: Request) -> Response:
        """What all policies of the caller come to, path by path."""
        return Response(request.acl.summary())

    async def _rights(self, request: Request) -> Acl:
        """The caller's rights, of a request that is not checked otherwise."""
        found = await calling_token(self._core, request)
        return await rights(self._core, request.transaction, found.token, request.time)


def _shown(mount: Mount, *, whole: bool) -> JsonMap:
    if whole:
        return shown_mount(mount)
    return {"type": mount.type, "description": mount.description, "options": mount.options}
