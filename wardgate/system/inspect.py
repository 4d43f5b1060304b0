"""``sys/internal/inspect``: how the server sees its mounts and a request, for who looks for a fault."""

from wardgate import __version__
from wardgate.core.bootstrap import CLUSTER, CLUSTER_KEY
from wardgate.core.core import Core
from wardgate.core.identity import entity_by_id
from wardgate.core.mounts import AUTH_PREFIX, Mount
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response
from wardgate.errors import PermissionDenied, UnsupportedPath
from wardgate.framework.endpoints import endpoint

_WITH_STORAGE = ("root", "storage")
_TAGS = (*_WITH_STORAGE, "uuid", "accessor")


class InspectEndpoints:
    """For operators: all of it needs sudo, and the router ``introspection_endpoint`` too."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint(
        "internal/inspect/router/{tag}",
        Operation.READ,
        operation_id="internal-inspect-router",
        sudo=True,
    )
    async def router(self, request: Request, tag: str) -> Response:
        """All mounts, in the order of their path, uuid, accessor or storage prefix."""
        if tag not in _TAGS:
            raise UnsupportedPath
        if not self._core.settings.introspection_endpoint:
            raise PermissionDenied
        table = await self._core.mounts.table(request.transaction)
        order = {
            "root": lambda mount: mount.path,
            "storage": lambda mount: mount.storage_prefix,
            "uuid": lambda mount: mount.uuid,
            "accessor": lambda mount: mount.accessor,
        }[tag]
        mounts = sorted(table.mounts, key=order)
        return Response({tag: [_routed(mount, tag) for mount in mounts]})

    @endpoint(
        "internal/inspect/request",
        Operation.READ,
        operation_id="internal-inspect-request",
        sudo=True,
    )
    async def request(self, request: Request) -> Response:
        """This request, as an endpoint gets to see it. The token itself is left out."""
        assert request.token is not None
        cluster = await request.transaction.get(CLUSTER_KEY, CLUSTER)
        entity = await entity_by_id(request.transaction, request.token.entity_id)
        host, _, port = request.peer.rpartition(":")
        seen: JsonMap = {
            "id": request.id,
            "operation": request.operation,
            "path": request.subpath,
            "mount_point": request.mount.path,
            "mount_type": request.mount.type,
            "mount_accessor": request.mount.accessor,
            "client_token": "",
            "client_token_accessor": request.token.accessor,
            "client_token_remaining_uses": request.token.num_uses,
            "display_name": request.token.display_name,
            "entity_id": request.token.entity_id,
            "connection": {
                "remote_addr": host.strip("[]"),
                "remote_port": int(port) if port.isdecimal() else 0,
            },
            "unauthenticated": False,
            "wrap_info": None if request.wrap_ttl is None else {"ttl": request.wrap_ttl},
        }
        return Response(
            {
                "cluster_id": "" if cluster is None else cluster.id,
                "data": {},
                "entity": None
                if entity is None
                else {"id": entity.id, "name": entity.name, "metadata": entity.metadata},
                "req": seen,
                "vault_version": __version__,
            }
        )


def _routed(mount: Mount, tag: str) -> JsonMap:
    shown: JsonMap = {
        "accessor": mount.accessor,
        "mount_namespace": "",
        "mount_path": mount.path.removeprefix(AUTH_PREFIX),
        "mount_type": mount.type,
        "uuid": mount.uuid,
    }
    if tag in _WITH_STORAGE:
        shown |= {"storage_prefix": mount.storage_prefix, "tainted": False}
    return shown
