"""``config``: settings for all secrets of a mount."""

from typing import Annotated

import msgspec

from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.core.storage import View
from wardgate.durations import format_duration
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Doc
from wardgate.secrets.kv2.fields import CasBody, SignedDuration, settings_given
from wardgate.secrets.kv2.record import CONFIG, Config

_KEY = "config"
_DEFAULT = Config()


async def read_config(view: View) -> Config:
    """The settings of the mount."""
    return await view.get(_KEY, CONFIG) or _DEFAULT


class ConfigBody(CasBody):
    """The settings to change."""

    max_versions: Annotated[
        int | None, Doc("How many versions of each secret are kept. 0 stands for 10.")
    ] = None
    delete_version_after: Annotated[
        SignedDuration | None,
        Doc(
            "The time after which a version is deleted by itself. 0 for never, unless the secret"
            " says otherwise; a negative duration for never, whatever the secret says."
        ),
    ] = None


class ConfigEndpoints:
    """Reads and changes the settings."""

    @endpoint("config", Operation.READ, operation_id="kv-read-config")
    async def read(self, request: Request) -> Response:
        """Read the settings for all secrets of the mount."""
        config = await read_config(request.storage)
        return Response(
            {
                "max_versions": config.max_versions,
                "cas_required": config.cas_required,
                "metadata_cas_required": config.metadata_cas_required,
                "delete_version_after": format_duration(config.delete_version_after),
            }
        )

    @endpoint("config", Operation.UPDATE, operation_id="kv-write-config")
    async def write(self, request: Request, body: ConfigBody) -> Response:
        """Change settings for all secrets of the mount.

        A setting that is not given stays; null sets it back.
        """
        changes = settings_given(request.body or {}, body)
        if changes:
            config = await read_config(request.storage)
            request.storage.put(_KEY, msgspec.structs.replace(config, **changes), CONFIG)
        return no_content()
