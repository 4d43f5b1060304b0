"""How long requests take: what they were for is counted when they have been answered.

A request is one value in one summary, that of its mount and operation; what all requests took is put
together from these when somebody asks.
"""

import re
from collections.abc import Iterable

from wardgate.core.metrics import Metrics, Reading, Summary, summed
from wardgate.core.request import Request, Response

MAX_ROUTES = 2000
"""Mounts and operations that are told apart; what comes beyond is counted as ``other``."""

_Routes = dict[str, dict[str, Summary]]


class Timing:
    """The summaries of one node, shared by its listeners."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._with_token: _Routes = {}
        self._logins: _Routes = {}
        self._other = Summary(), Summary()
        self._by_name: dict[str, list[Summary]] = {}
        metrics.collected(
            "core.handle_request",
            "summary",
            "Milliseconds that requests with a token took.",
            lambda: [_together([*_all(self._with_token), self._other[0]])],
        )
        metrics.collected(
            "core.handle_login_request",
            "summary",
            "Milliseconds that requests took which need no token, such as logins.",
            lambda: [_together([*_all(self._logins), self._other[1]])],
        )

    def observe(self, request: Request, response: Response, seconds: float) -> None:
        """Take in a request that was answered, if it was for a mount."""
        login = request.token is None and response.status != 403
        try:
            mount = request.mount
            routes = self._logins if login else self._with_token
            summary = routes[mount.path][request.operation]
        except KeyError:
            summary = self._route(mount.path, request.operation, login)
        except AttributeError:
            return  # what tells the state of the server, or a request to nowhere
        summary.observe(seconds * 1000)

    def _route(self, path: str, operation: str, login: bool) -> Summary:
        name = f"route.{operation}.{re.sub('[^A-Za-z0-9_]', '-', path)}"
        if name not in self._by_name and len(self._by_name) >= MAX_ROUTES:
            return self._other[login]
        routes = self._logins if login else self._with_token
        made = routes.setdefault(path, {}).setdefault(operation, Summary())
        of_name = self._by_name.setdefault(name, [])
        of_name.append(made)
        if len(of_name) == 1:
            self._metrics.collected(
                name,
                "summary",
                "Milliseconds that requests to this mount took.",
                lambda: [_together(of_name)],
            )
        return made


def _all(routes: _Routes) -> list[Summary]:
    return [summary for by_operation in routes.values() for summary in by_operation.values()]


def _together(summaries: Iterable[Summary]) -> Reading:
    """One reading of several summaries."""
    return summed((), [Reading((), each.sum, each.count, each.recent()) for each in summaries])
