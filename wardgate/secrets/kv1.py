"""KV version 1: each secret has one version, which is replaced as a whole."""

from typing import Any

import msgspec

from wardgate.core.core import Core
from wardgate.core.json import encode
from wardgate.core.mounts import Mount
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, listing, no_content
from wardgate.durations import parse_length
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.backend import EndpointBackend
from wardgate.framework.endpoints import endpoint
from wardgate.secrets.kv2.record import Secret, Version
from wardgate.secrets.kv2.store import SecretStore


class KvV1(EndpointBackend):
    """Stores any data under its path, without keeping what was there before."""

    def __init__(self, core: Core, mount: Mount) -> None:
        super().__init__()
        self._core = core
        self._secrets = SecretStore(mount)

    async def exists(self, request: Request, path: str) -> bool:
        return await self._secrets.get(request.storage, path) is not None

    @endpoint("{path...}", Operation.READ, operation_id="kv-v1-read")
    async def read(self, request: Request, path: str) -> Response:
        """Read a secret.

        The lease duration says how many seconds the secret may be used before it should be read
        again: what its own field "ttl" or "lease" says, or else the default of the mount.
        """
        secret = await self._secrets.get(request.storage, path)
        if secret is None:
            raise NotFound()
        data = await self._secrets.data(request.storage, secret, secret.current)
        lease = secret.lease
        if lease is None:
            lease = self._core.settings.default_ttl(request.mount)
        return Response(msgspec.Raw(data), lease_duration=lease)

    @endpoint(
        "{path...}",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="kv-v1-write",
        exists="exists",
    )
    async def write(self, request: Request, path: str, body: JsonMap) -> Response:
        """Store the body as the secret, in the place of what was there."""
        if not body:
            raise InvalidRequest("missing data fields")
        secret = Secret(
            created=request.time,
            updated=request.time,
            current=1,
            oldest=1,
            versions=(Version(request.time),),
            data=encode(body),
            lease=_lease(body),
        )
        self._secrets.put(request.storage, path, secret)
        return no_content()

    @endpoint("{path...}", Operation.DELETE, operation_id="kv-v1-delete")
    async def delete(self, request: Request, path: str) -> Response:
        """Remove a secret; no error where there is none."""
        self._secrets.tree.delete(request.storage, path)
        return no_content()

    @endpoint("{path...}", Operation.LIST, operation_id="kv-v1-list")
    async def list(self, request: Request, path: str) -> Response:
        """List the names in a folder; names of folders end in a slash."""
        return listing(await self._secrets.tree.names(request.storage, path))

    @endpoint("{path...}", Operation.SCAN, operation_id="kv-v1-scan")
    async def scan(self, request: Request, path: str) -> Response:
        """List all secrets below a folder, however deep."""
        found = await self._secrets.tree.scan(request.storage, path)
        return Response({"keys": found} if found else {})


def _lease(data: JsonMap) -> int | None:
    """The seconds that a secret's own data asks for; None where it does not say.

    As in OpenBao, "ttl" goes before "lease", even when it is no duration.
    """
    for name in ("ttl", "lease"):
        if name in data:
            return _seconds(data[name])
    return None


def _seconds(value: Any) -> int | None:
    if value is None:
        return 0
    try:
        return parse_length(value)
    except ValueError:
        return None
