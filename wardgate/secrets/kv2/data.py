"""``data/…``: the secrets themselves."""

from typing import Annotated, Any

import msgspec

from wardgate.core.json import decode, encode
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, BodyReader, Doc
from wardgate.secrets.kv2.config import read_config
from wardgate.secrets.kv2.fields import Map
from wardgate.secrets.kv2.merge_patch import merge_patch
from wardgate.secrets.kv2.record import Config, Secret, Version
from wardgate.secrets.kv2.store import SecretStore


class WhichVersion(Body):
    """Which version to read."""

    version: Annotated[int, Doc("The version to read; 0 for the current one.")] = 0


class DataBody(Body):
    """The new version of a secret."""

    data: Annotated[Map | None, Doc("The secret: an object of any JSON values.")] = None
    options: Annotated[
        Map | None,
        Doc(
            "With 'cas', the write only happens if this is the number of the current version; 0 says"
            " that the secret must not exist yet."
        ),
    ] = None
    version: Annotated[int, Doc("Only used for reading.")] = 0


class _Options(Body):
    cas: int = 0


_OPTIONS = BodyReader(_Options)


class DataEndpoints:
    """Reads, writes, patches and deletes secrets."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets

    async def exists(self, request: Request, path: str) -> bool:
        return await self._secrets.get(request.storage, path) is not None

    @endpoint("data/{path...}", Operation.READ, operation_id="kv-read-data-path")
    async def read(self, request: Request, path: str, body: WhichVersion) -> Response:
        """Read a version of a secret.

        Of a version that is deleted or destroyed, the answer (404) has the metadata only.
        """
        secret, number = await self.find(request, path, body.version)
        metadata = secret.describe(number)
        if not secret.versions[number - secret.first].readable(request.time):
            return Response({"data": None, "metadata": metadata}, status=404)
        data = await self._secrets.data(request.storage, secret, number)
        return Response({"data": msgspec.Raw(data), "metadata": metadata})

    async def find(self, request: Request, path: str, number: int) -> tuple[Secret, int]:
        """The secret, and the number of the version that `number` stands for; else `NotFound`."""
        secret = await self._secrets.get(request.storage, path)
        if secret is None:
            raise NotFound()
        number = number if number > 0 else secret.current
        if secret.version(number) is None:
            raise NotFound()
        return secret, number

    @endpoint(
        "data/{path...}",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="kv-write-data-path",
        exists="exists",
    )
    async def write(self, request: Request, path: str, body: DataBody) -> Response:
        """Store a new version of a secret."""
        _check_data(request)
        secret = await self._secrets.get(request.storage, path)
        if secret is None:
            secret = Secret(created=request.time, updated=request.time)
        config = await read_config(request.storage)
        _check_cas(body, secret, config)
        return self._add(request, path, secret, config, body.data)

    @endpoint("data/{path...}", Operation.PATCH, operation_id="kv-patch-data-path")
    async def patch(self, request: Request, path: str, body: DataBody) -> Response:
        """Merge data into the current version of a secret (RFC 7396), as a new version."""
        _check_data(request)
        secret = await self._secrets.get(request.storage, path)
        current = None if secret is None else secret.version(secret.current)
        if secret is None or current is None:
            return Response(status=404, raw=b"")
        config = await read_config(request.storage)
        _check_cas(body, secret, config)
        if not current.readable(request.time):
            return Response(secret.describe(secret.current), status=404)
        data = await self._secrets.data(request.storage, secret, secret.current)
        return self._add(request, path, secret, config, merge_patch(decode(data), body.data))

    @endpoint("data/{path...}", Operation.DELETE, operation_id="kv-delete-data-path")
    async def delete(self, request: Request, path: str) -> Response:
        """Mark the current version of a secret as deleted; it can be undeleted."""
        secret = await self._secrets.get(request.storage, path)
        version = None if secret is None else secret.version(secret.current)
        if secret is not None and version is not None and version.readable(request.time):
            version = msgspec.structs.replace(version, deleted=request.time)
            self._secrets.put(request.storage, path, secret.with_version(secret.current, version))
        return no_content()

    def _add(
        self, request: Request, path: str, secret: Secret, config: Config, data: Any
    ) -> Response:
        version = Version(request.time, config.deletion(secret, request.time))
        keep = config.versions_kept(secret)
        secret = self._secrets.add_version(
            request.storage, path, secret, version, encode(data), keep=keep
        )
        return Response(secret.describe(secret.current))


def _check_data(request: Request) -> None:
    # null is data too, so what counts is whether the field was given
    if not request.body or "data" not in request.body:
        raise InvalidRequest("data: missing; the secret must be given as an object in this field")


def _check_cas(body: DataBody, secret: Secret, config: Config) -> None:
    """Compare the stated version with the current one; `InvalidRequest` where they differ."""
    options = body.options or {}
    if "cas" not in options:
        if config.cas_required or secret.cas_required:
            raise InvalidRequest("check-and-set parameter required for this call")
    elif _OPTIONS.read({"cas": options["cas"]}, []).cas != secret.current:
        raise InvalidRequest("check-and-set parameter did not match the current version")
