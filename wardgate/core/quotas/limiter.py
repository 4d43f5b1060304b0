"""Holds requests to the rate limits, each once, however often its transaction runs."""

import math

from wardgate.clock import Clock
from wardgate.core.mounts import MountTable
from wardgate.core.quotas.counters import Counters, Taken
from wardgate.core.quotas.rules import QuotaTable, RateLimit
from wardgate.core.request import Headers, Request
from wardgate.errors import RequestError


class RateLimited(RequestError):
    """The client has sent more requests than a quota allows. `audited`: the refusal is to be
    written to the audit log."""

    status = 429

    def __init__(self, *, audited: bool) -> None:
        super().__init__("rate limit quota exceeded")
        self.audited = audited


class RateLimits:
    """Counts requests, and refuses those that are too many."""

    def __init__(self, counters: Counters, clock: Clock) -> None:
        self.counters = counters
        self._clock = clock

    async def admit(
        self,
        request: Request,
        mounts: MountTable,
        table: QuotaTable,
        *,
        ask_for_role: bool = True,
    ) -> None:
        """Count the request under the limit that it falls under; `RateLimited` when that is used up.

        Sets the headers that tell the client what is left, where that is wanted. Without
        `ask_for_role` the request's body is not looked at, and limits of roles do not count.
        """
        path = request.path
        if not table.limits or table.exempts(path):
            return
        mount = mounts.find(path)
        if mount is None or not path.startswith(mount.path):
            limit = table.everything  # the mount's path without its slash is no path of the mount
        else:
            role = ""
            if ask_for_role and table.has_roles(mount):
                role = await self._role(request, mounts)
            limit = table.find(mount, path[len(mount.path) :], role)
        if limit is not None:
            self._count(request, table, limit)

    def _count(self, request: Request, table: QuotaTable, limit: RateLimit) -> None:
        taken: Taken | None = request.memo.get(limit.id)
        if taken is None:
            taken = request.memo[limit.id] = self.counters.take(
                limit.id,
                request.remote_address,
                limit.most,
                limit.interval,
                limit.block,
                # not the request's time: whoever keeps a body back chooses how long ago that is
                self._clock.now(),
            )
        if table.response_headers:
            request.answer_headers = _headers(limit, taken)
        if not taken.allowed:
            raise RateLimited(audited=table.audit_logging)

    async def _role(self, request: Request, mounts: MountTable) -> str:
        """The role that a login asks for; none where the request is too malformed to tell."""
        try:
            return await mounts.backend(request.mount).login_role(request)
        except RequestError:
            return ""


def _headers(limit: RateLimit, taken: Taken) -> Headers:
    """Times are rounded up: who waits for that long does not come too early."""
    headers = []
    if not taken.blocked:
        headers = [
            ("x-ratelimit-limit", str(limit.most)),
            ("x-ratelimit-remaining", str(taken.remaining)),
            ("x-ratelimit-reset", str(math.ceil(taken.reset))),
        ]
    if not taken.allowed:
        headers.append(("retry-after", str(math.ceil(taken.retry_after))))
    return headers
