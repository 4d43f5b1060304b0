"""``delete/…``, ``undelete/…``, ``destroy/…``: what becomes of chosen versions."""

from typing import Annotated

import msgspec

from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.secrets.kv2.config import read_config
from wardgate.secrets.kv2.fields import IntegerList
from wardgate.secrets.kv2.record import Secret
from wardgate.secrets.kv2.store import SecretStore


class VersionsBody(Body):
    """Which versions."""

    versions: Annotated[
        IntegerList, Doc("The numbers of the versions. Those that are not there do not count.")
    ] = ()


class VersionEndpoints:
    """Deletes, undeletes and destroys versions."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets

    async def _find(
        self, request: Request, path: str, body: VersionsBody
    ) -> tuple[Secret | None, list[int]]:
        """The secret and those of the chosen versions that are left and not destroyed."""
        if not body.versions:
            raise InvalidRequest("versions: missing; give the numbers of one or more versions")
        secret = await self._secrets.get(request.storage, path)
        if secret is None:
            return None, []
        left = []
        for number in dict.fromkeys(body.versions):
            version = secret.version(number)
            if version is not None and not version.destroyed:
                left.append(number)
        return secret, left

    @endpoint("delete/{path...}", Operation.UPDATE, operation_id="kv-write-delete-path")
    async def delete(self, request: Request, path: str, body: VersionsBody) -> Response:
        """Mark versions as deleted; they can be undeleted."""
        secret, numbers = await self._find(request, path, body)
        if secret is None:
            return no_content()
        live = [
            number
            for number in numbers
            if not secret.versions[number - secret.first].is_deleted(request.time)
        ]
        return self._mark(request, path, secret, live, request.time)

    @endpoint("undelete/{path...}", Operation.UPDATE, operation_id="kv-write-undelete-path")
    async def undelete(self, request: Request, path: str, body: VersionsBody) -> Response:
        """Bring deleted versions back.

        Where versions are deleted by themselves after some time, that time begins anew.
        """
        secret, numbers = await self._find(request, path, body)
        if secret is None:
            return no_content()
        config = await read_config(request.storage)
        time = config.deletion(secret, request.time)
        return self._mark(request, path, secret, numbers, time)

    def _mark(
        self, request: Request, path: str, secret: Secret, numbers: list[int], time: float
    ) -> Response:
        """Set the deletion time of these versions."""
        for number in numbers:
            version = secret.versions[number - secret.first]
            version = msgspec.structs.replace(version, deleted=time)
            secret = secret.with_version(number, version)
        if numbers:
            self._secrets.put(request.storage, path, secret)
        return no_content()

    @endpoint("destroy/{path...}", Operation.UPDATE, operation_id="kv-write-destroy-path")
    async def destroy(self, request: Request, path: str, body: VersionsBody) -> Response:
        """Remove the data of versions for good."""
        secret, numbers = await self._find(request, path, body)
        if secret is None:
            return no_content()
        for number in numbers:
            secret = self._secrets.destroy(request.storage, secret, number)
        if numbers:
            self._secrets.put(request.storage, path, secret)
        return no_content()
