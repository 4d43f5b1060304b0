"""``metadata/…``: what is known of a secret beside its data, and its own settings."""

from typing import Annotated

import msgspec

from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, no_content
from wardgate.durations import format_duration
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Doc, Duration
from wardgate.secrets.kv2.config import read_config
from wardgate.secrets.kv2.custom_metadata import custom_metadata
from wardgate.secrets.kv2.fields import CasBody, Map, settings_given
from wardgate.secrets.kv2.merge_patch import merge_patch
from wardgate.secrets.kv2.record import Secret, describe_version
from wardgate.secrets.kv2.store import SecretStore
from wardgate.timestamps import rfc3339

_SETTINGS = frozenset(
    (
        "max_versions",
        "cas_required",
        "metadata_cas_required",
        "delete_version_after",
        "custom_metadata",
    )
)


class MetadataBody(CasBody):
    """The settings to change."""

    max_versions: Annotated[
        int | None,
        Doc("How many versions are kept, if that is more than the mount's setting. 0 for that."),
    ] = None
    delete_version_after: Annotated[
        Duration | None,
        Doc(
            "The time after which a version is deleted by itself, if that is sooner than the mount's"
            " setting. 0 for that."
        ),
    ] = None
    custom_metadata: Annotated[
        Map | None,
        Doc("Up to 64 texts of your own about the secret, which readers of its data see too."),
    ] = None
    metadata_cas: Annotated[
        int | None,
        Doc(
            "With it, the change only happens if this is the current metadata version; 0 where there"
            " is no metadata yet."
        ),
    ] = None
    after: Annotated[str, Doc("Only used for listing.")] = ""
    limit: Annotated[int, Doc("Only used for listing.")] = 0


def describe(secret: Secret) -> JsonMap:
    """All that the API tells of a secret without its data."""
    return {
        "cas_required": secret.cas_required,
        "created_time": rfc3339(secret.created),
        "current_metadata_version": secret.metadata_version,
        "current_version": secret.current,
        "custom_metadata": secret.custom_metadata or None,
        "delete_version_after": format_duration(secret.delete_version_after),
        "max_versions": secret.max_versions,
        "metadata_cas_required": secret.metadata_cas_required,
        "oldest_version": secret.oldest,
        "updated_time": rfc3339(secret.updated),
        "versions": {
            str(number): describe_version(version)
            for number, version in enumerate(secret.versions, secret.first)
        },
    }


class MetadataEndpoints:
    """Reads, writes, patches and deletes metadata."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets

    async def exists(self, request: Request, path: str) -> bool:
        return await self._secrets.get(request.storage, path) is not None

    @endpoint("metadata/{path...}", Operation.READ, operation_id="kv-read-metadata-path")
    async def read(self, request: Request, path: str) -> Response:
        """Read the metadata of a secret and of all of its versions."""
        secret = await self._secrets.get(request.storage, path)
        if secret is None:
            raise NotFound()
        return Response(describe(secret))

    @endpoint(
        "metadata/{path...}",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="kv-write-metadata-path",
        exists="exists",
    )
    async def write(self, request: Request, path: str, body: MetadataBody) -> Response:
        """Change a secret's own settings, whether the secret has data yet or not.

        A setting that is not given stays; null sets it back. Custom metadata is replaced as a whole.
        """
        secret = await self._secrets.get(request.storage, path)
        if secret is None:
            secret = Secret(created=request.time, updated=request.time)
        return await self._change(request, path, secret, body, body.custom_metadata)

    @endpoint("metadata/{path...}", Operation.PATCH, operation_id="kv-patch-metadata-path")
    async def patch(self, request: Request, path: str, body: MetadataBody) -> Response:
        """Change a secret's own settings as a merge patch (RFC 7396).

        A setting that is not given stays; null sets it back. Custom metadata is merged.
        """
        secret = await self._secrets.get(request.storage, path)
        if secret is None:
            return Response(status=404, raw=b"")
        custom = merge_patch(secret.custom_metadata, body.custom_metadata)
        return await self._change(request, path, secret, body, custom)

    async def _change(
        self,
        request: Request,
        path: str,
        secret: Secret,
        body: MetadataBody,
        custom: JsonMap | None,
    ) -> Response:
        """Set what the request gives; a request that gives nothing changes nothing."""
        given = _SETTINGS & (request.body or {}).keys()
        if not given:
            return no_content()
        await self._check_cas(request, secret, body)
        changes = settings_given(given, body)
        if "custom_metadata" in given:
            changes["custom_metadata"] = custom_metadata(custom or {})
        secret = msgspec.structs.replace(
            secret,
            updated=request.time,
            metadata_version=secret.metadata_version + 1,
            **changes,
        )
        self._secrets.put(request.storage, path, secret)
        return no_content()

    async def _check_cas(self, request: Request, secret: Secret, body: MetadataBody) -> None:
        """Compare the stated metadata version with the current one."""
        if "metadata_cas" in (request.body or {}):
            if (body.metadata_cas or 0) != secret.metadata_version:
                raise InvalidRequest(
                    "metadata check-and-set parameter does not match the current version"
                )
            return
        config = await read_config(request.storage)
        if config.metadata_cas_required or secret.metadata_cas_required:
            raise InvalidRequest("metadata check-and-set parameter required for this call")

    @endpoint("metadata/{path...}", Operation.DELETE, operation_id="kv-delete-metadata-path")
    async def delete(self, request: Request, path: str) -> Response:
        """Remove a secret with its metadata and all of its versions, for good."""
        secret = await self._secrets.get(request.storage, path)
        if secret is not None:
            self._secrets.erase(request.storage, path, secret)
        return no_content()
