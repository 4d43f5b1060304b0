"""``sys/version-history``: which versions have run on this storage."""

from wardgate import __version__
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, listing
from wardgate.core.versions import note_version, versions
from wardgate.framework.endpoints import endpoint
from wardgate.timestamps import rfc3339


class VersionHistoryEndpoints:
    """What `VersionNotes` wrote down."""

    @endpoint("version-history", Operation.LIST, operation_id="version-history")
    async def list_versions(self, request: Request) -> Response:
        """List the versions, each with the time when it was first unsealed here."""
        info: JsonMap = {}
        before: str | None = None
        for installed in await versions(request.transaction):
            info[installed.version] = {
                "commit_date": "",
                "previous_version": before,
                "timestamp_installed": rfc3339(int(installed.time)),
            }
            before = installed.version
        return listing(list(info), info)


class VersionNotes:
    """Notes the running version once the storage can be read; a step of the sweeper's rounds."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def step(self) -> bool:
        """Always False: once it is noted there is nothing to go on with."""
        now = self._core.clock.now()
        await self._core.storage.transact(
            lambda transaction: note_version(transaction, __version__, now)
        )
        return False
