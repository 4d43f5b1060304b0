"""``sys/leases`` and ``sys/leases/count``: the leases that could not be revoked."""

from typing import Annotated

from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc

MOST = 10_000
"""How many leases are listed to who does not say."""


class IrrevocableBody(Body):
    """Which leases are meant."""

    type: Annotated[str, Doc("Only 'irrevocable' is known.")] = ""
    include_child_namespaces: Annotated[bool, Doc("There are none; has no effect.")] = False


class IrrevocableListBody(IrrevocableBody):
    """Which leases are meant, and how many of them."""

    limit: Annotated[str, Doc("At most so many; 'none' for all. 10,000 if not given.")] = ""


class IrrevocableEndpoints:
    """``leases`` and ``leases/count``: what could not be revoked."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("leases", Operation.READ, operation_id="leases-list", sudo=True)
    async def list_leases(self, request: Request, body: IrrevocableListBody) -> Response:
        """List the leases that were given up because they could not be revoked."""
        _check(body)
        limit = _limit(body.limit)
        leases = await self._core.leases.store.irrevocable(request.transaction, limit)
        shown: list[JsonMap] = [
            {"lease_id": lease.id, "mount_id": lease.mount_accessor, "error": lease.refusal}
            for lease in leases[:limit]
        ]
        warnings = None
        if limit is not None and len(leases) > limit:
            warnings = ["There are more irrevocable leases; ask with limit=none for all of them."]
        return Response({"lease_count": len(shown), "leases": shown}, warnings=warnings)

    @endpoint("leases/count", Operation.READ, operation_id="leases-count")
    async def count(self, request: Request, body: IrrevocableBody) -> Response:
        """Count the leases that were given up, for each mount."""
        _check(body)
        counts = await self._core.leases.store.count_irrevocable(request.transaction)
        return Response({"lease_count": sum(counts.values()), "counts": counts})


def _check(body: IrrevocableBody) -> None:
    if body.type != "irrevocable":
        raise NotFound


def _limit(text: str) -> int | None:
    if text in ("", "none"):
        return None if text else MOST
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) == 0:
        raise InvalidRequest("limit must be 'none' or a positive integer")
    return int(text)
