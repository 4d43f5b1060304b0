"""``identity/prune``: removing entities that nobody needs any more."""

from typing import Annotated

from wardgate.core.identity.pruning import Pruning, last_pruning, start_pruning
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response
from wardgate.errors import NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, Duration
from wardgate.timestamps import rfc3339

DEFAULT_AGE = 768 * 3600  # seconds: as long as a token lives at most, unless it is renewed


class PruneBody(Body):
    """Which entities to remove."""

    dry_run: Annotated[bool, Doc("Only find out what would be removed.")] = False
    min_age: Annotated[
        Duration, Doc("How long an entity must not have been written, in seconds.")
    ] = DEFAULT_AGE


class PruneEndpoints:
    """Remove unused entities, and tell what came of it."""

    @endpoint("prune", Operation.UPDATE, operation_id="identity-prune", sudo=True)
    async def prune(self, request: Request, body: PruneBody) -> Response:
        """Begin to remove entities without alias, group and living token, in the background."""
        run = await start_pruning(
            request.transaction, request.time, body.min_age, dry_run=body.dry_run
        )
        return Response(_shown(run), status=202)

    @endpoint("prune", Operation.READ, operation_id="identity-read-prune", sudo=True)
    async def read(self, request: Request) -> Response:
        """Tell how far the removal of unused entities is, or how the last one ended."""
        run = await last_pruning(request.transaction)
        if run is None:
            raise NotFound
        return Response(_shown(run))


def _shown(run: Pruning) -> JsonMap:
    return {
        "dry_run": run.dry_run,
        "ended": rfc3339(run.ended) if run.ended else None,
        "entities_looked_at": run.looked_at,
        "entity_ids": run.shown,
        "not_written_since": rfc3339(max(run.before, 0)),
        "removed": run.removed,
        "started": rfc3339(run.started),
    }
