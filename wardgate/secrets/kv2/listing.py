"""Lists of secrets: ``metadata/…`` gives names, ``detailed-metadata/…`` their metadata too."""

from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, listing
from wardgate.framework.endpoints import endpoint
from wardgate.framework.paging import Page
from wardgate.secrets.kv2.metadata import describe
from wardgate.secrets.kv2.store import SecretStore


class ListEndpoints:
    """Lists and scans folders."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets

    @endpoint("metadata/{path...}", Operation.LIST, operation_id="kv-list-metadata-path")
    async def list_names(self, request: Request, path: str, body: Page) -> Response:
        """List the names in a folder; names of folders end in a slash."""
        return listing(await self._names(request, path, body))

    @endpoint("metadata/{path...}", Operation.SCAN, operation_id="kv-scan-metadata-path")
    async def scan_names(self, request: Request, path: str) -> Response:
        """List all secrets below a folder, however deep."""
        found = await self._secrets.tree.scan(request.storage, path)
        return Response({"keys": found} if found else {})

    @endpoint(
        "detailed-metadata/{path...}",
        Operation.LIST,
        operation_id="kv-list-detailed-metadata-path",
    )
    async def list_detailed(self, request: Request, path: str, body: Page) -> Response:
        """List the names in a folder with the metadata of each secret."""
        names = await self._names(request, path, body)
        return listing(names, await self._details(request, path, names))

    @endpoint(
        "detailed-metadata/{path...}",
        Operation.SCAN,
        operation_id="kv-scan-detailed-metadata-path",
    )
    async def scan_detailed(self, request: Request, path: str) -> Response:
        """List all secrets below a folder, however deep, with the metadata of each."""
        found = await self._secrets.tree.scan(request.storage, path)
        if not found:
            return Response({})
        return listing(found, await self._details(request, path, found))

    async def _names(self, request: Request, path: str, page: Page) -> list[str]:
        return await self._secrets.tree.names(request.storage, path, page.after, page.most)

    async def _details(self, request: Request, path: str, names: list[str]) -> JsonMap:
        """The metadata of each secret in a folder; nothing of a folder."""
        folder = path.removesuffix("/") + "/" if path.strip("/") else ""
        details: JsonMap = {}
        for name in names:
            secret = await self._secrets.get(request.storage, folder + name)
            details[name] = {} if secret is None else describe(secret)
        return details
