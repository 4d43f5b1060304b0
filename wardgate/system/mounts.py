"""``sys/mounts``, ``sys/auth`` and ``sys/remount``: mounting backends, tuning and moving them."""

from typing import Annotated

import msgspec

from wardgate.core.core import Core
from wardgate.core.ids import new_uuid
from wardgate.core.mounts import AUTH_PREFIX, PROTECTED, Mount, check_path, new_mount
from wardgate.core.operation import Operation
from wardgate.core.records import Codec
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import InvalidRequest, NotFound, UnsupportedPath
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.system.lockout_fields import changed_lockout
from wardgate.system.mount_fields import (
    MountBody,
    TuneBody,
    changed_config,
    new_config,
    shown_mount,
    shown_tuning,
)

TOKEN_MOUNT = "auth/token/"
UNDESCRIBED = ("system", "cubbyhole", "identity")
"""Kinds whose description stays as it is."""


class MountTableEndpoints:
    """What ``sys/mounts`` and ``sys/auth`` have in common; `prefix` is ``""`` or ``auth/``."""

    prefix = ""
    missing = "No secret engine mount at"

    def __init__(self, core: Core) -> None:
        self._core = core

    async def _list(self, request: Request) -> Response:
        table = await self._core.mounts.table(request.transaction)
        return Response(
            {
                mount.path.removeprefix(self.prefix): shown_mount(mount)
                for mount in sorted(table.mounts, key=lambda mount: mount.path)
                if mount.is_auth == bool(self.prefix)
            },
            spread=True,
        )

    async def _mount(self, request: Request, path: str) -> Mount:
        if not path:
            raise UnsupportedPath
        table = await self._core.mounts.table(request.transaction)
        mount = table.by_path.get(self.prefix + path.strip("/") + "/")
        if mount is None or mount.is_auth != bool(self.prefix):
            raise InvalidRequest(f"{self.missing} {path.strip('/')}/")
        return mount

    async def _tunable(self, request: Request, path: str) -> Mount:
        """As Vault has it, ``sys/mounts/auth/PATH/tune`` tunes an auth method too."""
        if not self.prefix and path.startswith(AUTH_PREFIX):
            table = await self._core.mounts.table(request.transaction)
            mount = table.by_path.get(path.strip("/") + "/")
            if mount is not None:
                return mount
        return await self._mount(request, path)

    async def _enable(self, request: Request, path: str, body: MountBody) -> Response:
        route = self.prefix + check_path(path)
        kind = body.plugin_name if body.type == "plugin" else body.type
        if not kind:
            raise InvalidRequest("backend type must be specified as a string")
        if not self.prefix and route.startswith(PROTECTED):
            raise InvalidRequest(f'cannot mount "{route}"')
        kind, options = self._core.catalog.canonical(route, kind, body.options)
        table = await self._core.mounts.table(request.transaction)
        taken = table.conflict(route)
        if taken is not None:
            raise InvalidRequest(
                f"path is already in use at {taken.path.removeprefix(self.prefix)}"
            )
        mount = new_mount(
            route,
            kind,
            description=body.description,
            config=new_config(
                body.config, kind, is_auth=bool(self.prefix), settings=self._core.settings
            ),
            options=options,
            local=body.local,
            seal_wrap=body.seal_wrap,
            external_entropy_access=body.external_entropy_access,
        )
        self._core.mounts.save(request.transaction, table.with_mount(mount))
        return no_content()

    async def _disable(self, request: Request, path: str) -> Response:
        route = self.prefix + path.strip("/") + "/"
        if route == TOKEN_MOUNT and self.prefix:
            raise InvalidRequest("token credential backend cannot be disabled")
        if not self.prefix and route.startswith(PROTECTED):
            raise InvalidRequest(f'cannot unmount "{route}"')
        table = await self._core.mounts.table(request.transaction)
        mount = table.by_path.get(route)
        if mount is not None:
            await self._core.mounts.remove(request.transaction, mount)
        return no_content()

    async def _tune(self, request: Request, path: str, body: TuneBody) -> Response:
        mount = await self._tunable(request, path)
        if mount.type in UNDESCRIBED and body.description is not None:
            raise InvalidRequest(f"cannot tune parameter description of {mount.path}")
        if mount.path == TOKEN_MOUNT and body.token_type:
            raise InvalidRequest("'token_type' cannot be set for 'token' or 'ns_token' auth mounts")
        if body.plugin_version is not None:
            raise InvalidRequest(
                "plugin not found in the catalog: plugin_version: all backends are built in, in one"
                " version"
            )
        config = changed_config(
            mount.config, body, is_auth=mount.is_auth, settings=self._core.settings
        )
        if body.user_lockout_config:
            lockout = changed_lockout(config.user_lockout, body.user_lockout_config, mount.type)
            config = msgspec.structs.replace(config, user_lockout=lockout)
        changed = msgspec.structs.replace(
            mount,
            config=config,
            description=mount.description if body.description is None else body.description,
        )
        if body.options:
            self._core.catalog.check_tuning(mount, body.options)
            options = {**(mount.options or {}), **body.options}
            changed = msgspec.structs.replace(changed, options=options)
        if changed != mount:
            table = await self._core.mounts.table(request.transaction)
            self._core.mounts.save(request.transaction, table.with_mount(changed))
        return no_content()


class SecretMountEndpoints(MountTableEndpoints):
    """``sys/mounts``."""

    @endpoint("mounts", Operation.READ, operation_id="mounts-list-secrets-engines")
    async def list_mounts(self, request: Request) -> Response:
        """List the mounted secret engines."""
        return await self._list(request)

    @endpoint("mounts/{path...}", Operation.READ, operation_id="mounts-read-configuration")
    async def read(self, request: Request, path: str) -> Response:
        """Read one mount."""
        return Response(shown_mount(await self._mount(request, path)), spread=True)

    @endpoint("mounts/{path...}", Operation.UPDATE, operation_id="mounts-enable-secrets-engine")
    async def enable(self, request: Request, path: str, body: MountBody) -> Response:
        """Mount a secret engine at a new path."""
        return await self._enable(request, path, body)

    @endpoint("mounts/{path...}", Operation.DELETE, operation_id="mounts-disable-secrets-engine")
    async def disable(self, request: Request, path: str) -> Response:
        """Take a secret engine away, with everything in it."""
        return await self._disable(request, path)

    @endpoint(
        "mounts/{path...}/tune", Operation.READ, operation_id="mounts-read-tuning-information"
    )
    async def read_tuning(self, request: Request, path: str) -> Response:
        """Read how a mount is tuned."""
        mount = await self._tunable(request, path)
        return Response(shown_tuning(mount, self._core.settings), spread=True)

    @endpoint(
        "mounts/{path...}/tune",
        Operation.UPDATE,
        operation_id="mounts-tune-configuration-parameters",
    )
    async def tune(self, request: Request, path: str, body: TuneBody) -> Response:
        """Tune a mount; what is not given stays."""
        return await self._tune(request, path, body)


class AuthMountEndpoints(MountTableEndpoints):
    """``sys/auth``."""

    prefix = AUTH_PREFIX
    missing = "No auth engine at"

    @endpoint("auth", Operation.READ, operation_id="auth-list-enabled-methods")
    async def list_methods(self, request: Request) -> Response:
        """List the enabled auth methods."""
        return await self._list(request)

    @endpoint("auth/{path...}", Operation.READ, operation_id="auth-read-configuration", sudo=True)
    async def read(self, request: Request, path: str) -> Response:
        """Read one auth method's mount."""
        return Response(shown_mount(await self._mount(request, path)), spread=True)

    @endpoint("auth/{path...}", Operation.UPDATE, operation_id="auth-enable-method", sudo=True)
    async def enable(self, request: Request, path: str, body: MountBody) -> Response:
        """Enable an auth method at a new path."""
        return await self._enable(request, path, body)

    @endpoint("auth/{path...}", Operation.DELETE, operation_id="auth-disable-method", sudo=True)
    async def disable(self, request: Request, path: str) -> Response:
        """Disable an auth method: its tokens end at once."""
        return await self._disable(request, path)

    @endpoint(
        "auth/{path...}/tune",
        Operation.READ,
        operation_id="auth-read-tuning-information",
        sudo=True,
    )
    async def read_tuning(self, request: Request, path: str) -> Response:
        """Read how an auth method is tuned."""
        mount = await self._tunable(request, path)
        return Response(shown_tuning(mount, self._core.settings), spread=True)

    @endpoint(
        "auth/{path...}/tune",
        Operation.UPDATE,
        operation_id="auth-tune-configuration-parameters",
        sudo=True,
    )
    async def tune(self, request: Request, path: str, body: TuneBody) -> Response:
        """Tune an auth method; what is not given stays."""
        return await self._tune(request, path, body)


class RemountBody(Body, rename={"from_": "from"}):
    """From where to where."""

    from_: Annotated[str, Doc("The mount to move.")] = ""
    to: Annotated[str, Doc("Its new path.")] = ""


class Move(msgspec.Struct, frozen=True):
    """A move that was done."""

    id: str
    source: str
    target: str


_MOVES_KEY = "core/moves"
_MOVES_KEPT = 100
_MOVES: Codec[tuple[Move, ...]] = Codec(tuple[Move, ...])


class RemountEndpoints:
    """``sys/remount``: a move is one change of the mount table, so it is done when it is answered."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("remount", Operation.UPDATE, operation_id="remount", sudo=True)
    async def remount(self, request: Request, body: RemountBody) -> Response:
        """Move a mount to another path, with everything in it."""
        if not body.from_ or not body.to:
            raise InvalidRequest("both 'from' and 'to' path must be specified as a string")
        for name, path in (("from", body.from_), ("to", body.to)):
            if path != path.strip():
                raise InvalidRequest(f"'{name}' path cannot contain trailing whitespace")
        source, target = check_path(body.from_), check_path(body.to)
        if source == TOKEN_MOUNT or _protected(source):
            raise InvalidRequest(f'cannot remount "{source}"')
        if _protected(target) or target == AUTH_PREFIX:
            raise InvalidRequest(f"cannot remount to destination {target}")
        if source.startswith(AUTH_PREFIX) != target.startswith(AUTH_PREFIX):
            raise InvalidRequest(f"cannot remount to destination {target}")
        table = await self._core.mounts.table(request.transaction)
        mount = table.by_path.get(source)
        if mount is None:
            raise InvalidRequest("from: there is no mount at this path")
        taken = table.conflict(target)
        if taken is not None:
            raise InvalidRequest(f'path already in use at "{taken.path}"')
        former = tuple(path for path in (*mount.former_paths, source) if path != target)
        moved = msgspec.structs.replace(mount, path=target, former_paths=former)
        self._core.mounts.save(request.transaction, table.with_mount(moved))
        move = Move(new_uuid(), source, target)
        moves = await request.transaction.get(_MOVES_KEY, _MOVES) or ()
        request.transaction.put(_MOVES_KEY, (*moves, move)[-_MOVES_KEPT:], _MOVES)
        return Response({"migration_id": move.id}, spread=True)

    @endpoint("remount/status/{migration_id}", Operation.READ, operation_id="remount-status")
    async def status(self, request: Request, migration_id: str) -> Response:
        """What became of a move."""
        for move in await request.transaction.get(_MOVES_KEY, _MOVES) or ():
            if move.id == migration_id:
                info = {
                    "source_mount": move.source,
                    "target_mount": move.target,
                    "status": "success",
                }
                return Response({"migration_id": move.id, "migration_info": info})
        raise NotFound


def _protected(path: str) -> bool:
    return path.startswith(tuple(prefix for prefix in PROTECTED if prefix != AUTH_PREFIX))
