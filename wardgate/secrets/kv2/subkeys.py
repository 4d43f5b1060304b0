"""``subkeys/…``: the shape of a secret without its values."""

from typing import Annotated, Any

from wardgate.core.json import decode
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Doc
from wardgate.secrets.kv2.data import DataEndpoints, WhichVersion
from wardgate.secrets.kv2.store import SecretStore


class SubkeysQuery(WhichVersion):
    """Which version to look at, and how deep."""

    depth: Annotated[int, Doc("How many levels of names to show; 0 for all.")] = 0


class SubkeysEndpoints:
    """Shows the names inside of secrets."""

    def __init__(self, secrets: SecretStore, data: DataEndpoints) -> None:
        self._secrets = secrets
        self._data = data

    @endpoint("subkeys/{path...}", Operation.READ, operation_id="kv-read-subkeys-path")
    async def read(self, request: Request, path: str, body: SubkeysQuery) -> Response:
        """Read the names inside of a version of a secret, with null in the place of values."""
        secret, number = await self._data.find(request, path, body.version)
        metadata = secret.describe(number)
        if not secret.versions[number - secret.first].readable(request.time):
            return Response({"subkeys": None, "metadata": metadata}, status=404)
        data = decode(await self._secrets.data(request.storage, secret, number))
        shape = None if data is None else subkeys(data, body.depth)
        return Response({"subkeys": shape, "metadata": metadata})


def subkeys(data: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """`data` with null for everything but objects that have names in them.

    Objects deeper than `depth` levels are null too; 0 is no limit, and a negative number counts as 1,
    as in OpenBao.
    """
    last = depth == 1 or depth < 0
    return {
        name: subkeys(value, max(0, depth - 1))
        if isinstance(value, dict) and value and not last
        else None
        for name, value in data.items()
    }
