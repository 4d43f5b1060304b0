"""``sys/audit``, ``sys/audit-hash`` and ``sys/audit-health``: audit devices."""

from typing import Annotated

import msgspec

from wardgate.core.audit.hashing import Hasher
from wardgate.core.audit.rules import check_device
from wardgate.core.audit.sink import Health
from wardgate.core.audit.table import Device, audit_table, new_salt, save_table
from wardgate.core.core import Core
from wardgate.core.ids import new_uuid
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, no_content
from wardgate.errors import InvalidRequest, UnsupportedPath
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, StringMap

AUDIT_HEALTH = "audit health"
"""The question to other workers."""
_MOST_DEVICES = 50
_LONGEST_PATH = 256  # characters


class DeviceBody(Body):
    """A new audit device."""

    description: Annotated[str, Doc("For people.")] = ""
    local: Annotated[bool, Doc("Accepted and shown.")] = False
    options: Annotated[StringMap | None, Doc("Options of the device, as file_path.")] = None
    type: Annotated[str, Doc("The kind of device: file, socket or syslog.")] = ""


class HashBody(Body):
    """What to hash."""

    input: Annotated[str, Doc("The text to hash as the device does.")] = ""


class AuditEndpoints:
    """List, enable and disable audit devices; hash as they do; tell how they are doing."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("audit", Operation.READ, operation_id="auditing-list-enabled-devices", sudo=True)
    async def list_devices(self, request: Request) -> Response:
        """List the enabled audit devices."""
        table = await audit_table(request.transaction)
        return Response({device.path: _shown(device) for device in table.devices}, spread=True)

    @endpoint("audit/{path...}", Operation.UPDATE, operation_id="auditing-enable-device", sudo=True)
    async def enable(self, request: Request, path: str, body: DeviceBody) -> Response:
        """Enable an audit device. It is tried out first."""
        name = _path(path)
        table = await audit_table(request.transaction)
        if any(
            name.startswith(other.path) or other.path.startswith(name) for other in table.devices
        ):
            raise InvalidRequest("path already in use")
        if len(table.devices) >= _MOST_DEVICES:
            raise InvalidRequest(f"there are {_MOST_DEVICES} audit devices already; disable one")
        device = Device(
            path=name,
            type=body.type,
            uuid=new_uuid(),
            salt=new_salt(),
            options=body.options or {},
            description=body.description,
            local=body.local,
        )
        audit = self._core.audit
        check_device(device, audit.rules)
        await request.once("audit device", lambda: audit.try_out(device))
        table = table.with_device(device)
        save_table(request.transaction, table)
        response = no_content()
        response.then = lambda: audit.include(request, device, table.headers)
        return response

    @endpoint(
        "audit/{path...}", Operation.DELETE, operation_id="auditing-disable-device", sudo=True
    )
    async def disable(self, request: Request, path: str) -> Response:
        """Disable an audit device. What it has written stays."""
        table = await audit_table(request.transaction)
        device = table.device(_path(path))
        if device is not None and device.configured:
            raise InvalidRequest("cannot disable configuration-managed audit device")
        if device is not None:
            save_table(request.transaction, table.without(device.path))
        return no_content()

    @endpoint("audit-hash/{path...}", Operation.UPDATE, operation_id="auditing-calculate-hash")
    async def hash(self, request: Request, path: str, body: HashBody) -> Response:
        """Hash a text as a device does, to look for it in the device's log."""
        if not body.input:
            raise InvalidRequest('the "input" parameter is empty')
        device = (await audit_table(request.transaction)).device(_path(path))
        if device is None:
            raise InvalidRequest("unknown audit backend: there is no audit device at this path")
        return Response({"hash": Hasher(device.salt).text(body.input)}, spread=True)

    @endpoint("audit-health", Operation.READ, operation_id="auditing-read-health", sudo=True)
    async def health(self, request: Request) -> Response:
        """Tell how the audit devices are doing, in all processes of this server."""
        others: list[dict[str, Health]] = []
        peers = self._core.peers
        if not peers.alone:
            others = await request.once(
                "audit health", lambda: peers.ask(AUDIT_HEALTH, kind=dict[str, Health])
            )
        health = self._core.audit.health(others)
        return Response({path: msgspec.to_builtins(health[path]) for path in sorted(health)})


def _path(path: str) -> str:
    cleaned = path.strip("/")
    if not cleaned:
        raise UnsupportedPath
    if len(cleaned) > _LONGEST_PATH:
        raise InvalidRequest(f"path: must be at most {_LONGEST_PATH} characters")
    return cleaned + "/"


def _shown(device: Device) -> JsonMap:
    return {
        "description": device.description,
        "local": device.local,
        "options": device.options,
        "path": device.path,
        "type": device.type,
    }
