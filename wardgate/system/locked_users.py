"""``sys/locked-users``: who is locked out, and letting them in again."""

from typing import Annotated

from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, no_content
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc


class LockedUsersBody(Body):
    """Which of the locked users are wanted."""

    mount_accessor: Annotated[str, Doc("Only users of the mount with this accessor.")] = ""


class LockedUserEndpoints:
    """See and unlock users who gave wrong credentials too often."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("locked-users", Operation.READ, operation_id="locked-users-list")
    async def locked_users(self, request: Request, body: LockedUsersBody) -> Response:
        """List the users who are locked out, by mount."""
        wanted = body.mount_accessor
        table = await self._core.mounts.table(request.transaction)
        mounts: list[JsonMap] = []
        total = 0
        for mount in sorted(table.mounts, key=lambda mount: mount.accessor):
            if not mount.is_auth or wanted not in ("", mount.accessor):
                continue
            names = await self._core.lockout.locked(request.transaction, mount, request.time)
            if names:
                mounts.append(_of_mount(mount.accessor, names))
                total += len(names)
        if wanted and not mounts:
            mounts.append(_of_mount(wanted, None))
        namespace = {
            "namespace_id": "root",
            "namespace_path": "",
            "counts": total,
            "mount_accessors": mounts,
        }
        return Response({"by_namespace": [namespace], "total": total})

    @endpoint(
        "locked-users/{mount_accessor}/unlock/{alias_identifier}",
        Operation.UPDATE,
        operation_id="locked-users-unlock",
    )
    async def unlock(
        self, request: Request, mount_accessor: str, alias_identifier: str
    ) -> Response:
        """Let a user log in again. It is no error if they are not locked out."""
        table = await self._core.mounts.table(request.transaction)
        mount = table.by_accessor.get(mount_accessor)
        if mount is not None:
            await self._core.lockout.unlock(request.transaction, mount, alias_identifier)
        return no_content()


def _of_mount(accessor: str, names: list[str] | None) -> JsonMap:
    return {
        "mount_accessor": accessor,
        "counts": len(names or ()),
        "alias_identifiers": names,
    }
