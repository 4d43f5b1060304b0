"""``sys/internal/counters``: how many tokens and entities are stored."""

from wardgate.core.identity import ENTITIES
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.core.storage import Transaction
from wardgate.core.tokens.store import ACCESSORS
from wardgate.errors import NotFound
from wardgate.framework.endpoints import endpoint

_AT_ONCE = 5_000
"""Names that are counted before others have their turn."""


class CounterEndpoints:
    """Counted when they are asked for: a count that is kept would be one record that all logins
    fight for."""

    @endpoint("internal/counters/tokens", Operation.READ, operation_id="internal-count-tokens")
    async def tokens(self, request: Request) -> Response:
        """The number of service tokens, those included that have ended and are not swept away yet."""
        total = await _count(request.transaction, ACCESSORS)
        return Response({"counters": {"service_tokens": {"total": total}}})

    @endpoint("internal/counters/entities", Operation.READ, operation_id="internal-count-entities")
    async def entities(self, request: Request) -> Response:
        """The number of entities."""
        total = await _count(request.transaction, ENTITIES)
        return Response({"counters": {"entities": {"total": total}}})

    @endpoint("internal/counters/requests", Operation.READ, operation_id="internal-count-requests")
    async def requests(self, request: Request) -> Response:
        """Gone from Vault's API, and told so to who asks still."""
        raise NotFound("The functionality has been removed on this path")


async def _count(transaction: Transaction, folder: str) -> int:
    total, last = 0, ""
    while names := await transaction.list(folder, last, _AT_ONCE):
        total += len(names)
        last = names[-1]
    return total
