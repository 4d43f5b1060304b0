"""``sys/plugins``: the kinds of backends. All are built in: none can be registered."""

from typing import Annotated

from wardgate import __version__
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, listing, no_content
from wardgate.errors import InvalidRequest, NotFound, UnsupportedOperation
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, StringList, Strings

TYPES = ("auth", "database", "secret")
BUILTIN = f"v{__version__}+builtin.wardgate"

_NO_TYPE = "Deprecated path: it names no type of plugin; use plugins/catalog/{type}/{name}"


class RegisterBody(Body):
    """What OpenBao takes for a plugin."""

    args: Annotated[Strings, Doc("Not used.")] = ()
    command: Annotated[str, Doc("Not used: plugins cannot be registered.")] = ""
    env: Annotated[Strings, Doc("Not used.")] = ()
    sha256: Annotated[str, Doc("Not used.")] = ""
    sha_256: Annotated[str, Doc("Not used.")] = ""
    type: Annotated[str, Doc("Not used.")] = ""
    version: Annotated[str, Doc("Not used.")] = ""


class ReloadBody(Body):
    """Which backends to load anew."""

    mounts: Annotated[StringList, Doc("Paths of mounts.")] = ()
    plugin: Annotated[str, Doc("A kind of backend.")] = ""
    scope: Annotated[str, Doc("Empty, or 'global'.")] = ""


class PluginEndpoints:
    """The catalog of what is built in."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("plugins/catalog", Operation.READ, operation_id="plugins-catalog-list-plugins")
    async def read_all(self, request: Request) -> Response:
        """All kinds of backends, by type."""
        shown: JsonMap = {kind: self._names(kind) for kind in TYPES}
        shown["detailed"] = [
            {
                "builtin": True,
                "deprecation_status": "supported",
                "name": name,
                "type": kind,
                "version": BUILTIN,
            }
            for kind in TYPES
            for name in self._names(kind)
        ]
        return Response(shown)

    @endpoint(
        "plugins/catalog/{type}",
        Operation.LIST,
        operation_id="plugins-catalog-list-plugins-with-type",
        sudo=True,
    )
    async def list_type(self, request: Request, type: str) -> Response:
        """The names of one type: auth, database or secret."""
        if type not in TYPES:
            raise UnsupportedOperation
        return listing(self._names(type))

    @endpoint(
        "plugins/catalog/{name}",
        Operation.READ,
        operation_id="plugins-catalog-read-plugin-configuration",
        sudo=True,
    )
    async def read_untyped(self, request: Request, name: str) -> Response:
        """An old path that names no type."""
        if name in TYPES:
            raise UnsupportedOperation
        return Response(warnings=[_NO_TYPE])

    @endpoint(
        "plugins/catalog/{name}",
        Operation.UPDATE,
        operation_id="plugins-catalog-register-plugin",
        sudo=True,
    )
    async def register_untyped(self, request: Request, name: str, body: RegisterBody) -> Response:
        """Refused: all kinds of backends are built in."""
        return _refuse()

    @endpoint(
        "plugins/catalog/{name}",
        Operation.DELETE,
        operation_id="plugins-catalog-remove-plugin",
        sudo=True,
    )
    async def remove_untyped(self, request: Request, name: str) -> Response:
        """An old path that names no type."""
        return Response(warnings=[_NO_TYPE])

    @endpoint(
        "plugins/catalog/{type}/{name}",
        Operation.READ,
        operation_id="plugins-catalog-read-plugin-configuration-with-type",
        sudo=True,
    )
    async def read(self, request: Request, type: str, name: str) -> Response:
        """One kind of backend."""
        if type not in TYPES:
            return Response(warnings=[_NO_TYPE])
        if name not in self._names(type):
            raise NotFound
        return Response(
            {
                "args": None,
                "builtin": True,
                "command": "",
                "declarative": False,
                "deprecation_status": "supported",
                "name": name,
                "oci": False,
                "sha256": "",
                "version": BUILTIN,
            }
        )

    @endpoint(
        "plugins/catalog/{type}/{name}",
        Operation.UPDATE,
        operation_id="plugins-catalog-register-plugin-with-type",
        sudo=True,
    )
    async def register(
        self, request: Request, type: str, name: str, body: RegisterBody
    ) -> Response:
        """Refused: all kinds of backends are built in."""
        return _refuse()

    @endpoint(
        "plugins/catalog/{type}/{name}",
        Operation.DELETE,
        operation_id="plugins-catalog-remove-plugin-with-type",
        sudo=True,
    )
    async def remove(self, request: Request, type: str, name: str) -> Response:
        """Nothing was registered, so there is nothing to remove; what is built in stays."""
        return no_content() if type in TYPES else Response(warnings=[_NO_TYPE])

    @endpoint("plugins/reload/backend", Operation.UPDATE, operation_id="plugins-reload-backends")
    async def reload(self, request: Request, body: ReloadBody) -> Response:
        """Done at once: backends keep nothing in memory that could be loaded anew."""
        if body.plugin and body.mounts:
            raise InvalidRequest("plugin and mounts cannot be set at the same time")
        if not body.plugin and not body.mounts:
            raise InvalidRequest("plugin or mounts must be provided")
        if body.scope not in ("", "global"):
            raise InvalidRequest('scope must be unset or "global"')
        if body.plugin and not any(body.plugin in self._names(kind) for kind in TYPES):
            raise InvalidRequest("plugin not found in the catalog: see sys/plugins/catalog")
        table = await self._core.mounts.table(request.transaction)
        for path in body.mounts:
            if path.strip("/") + "/" not in table.by_path:
                raise InvalidRequest("mounts: there is no mount at one of these paths")
        return Response({"reload_id": request.id})

    def _names(self, kind: str) -> list[str]:
        return self._core.catalog.names(kind)


def _refuse() -> Response:
    raise InvalidRequest(
        "plugins cannot be registered: all kinds of backends are built in; see sys/plugins/catalog"
    )
