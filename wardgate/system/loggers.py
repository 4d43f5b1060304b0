"""``sys/loggers``: how much is logged, changed while the server runs.

The levels are those of this server, in all of its processes. Another server over the same storage keeps
its own, and so does this one only until it ends or, by `revert`, until it is told to go back to the
configuration.
"""

import logging
from typing import Annotated, Any

import msgspec

from wardgate.core.core import Core
from wardgate.core.log_levels import LEVELS, level_name, name_of
from wardgate.core.operation import Operation
from wardgate.core.peers import Peers
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc

SET_LEVEL = "set log level"
ALL_LEVELS = "log levels"
_PREFIX = "wardgate."


class Change(msgspec.Struct, frozen=True):
    """What other workers are told by `SET_LEVEL`: the level of one logger, or of all where `name` is
    empty."""

    name: str
    level: int


class LevelBody(Body):
    """A level to log from."""

    level: Annotated[
        str | None, Doc("trace, debug, info, warn or error: what is less important is left out.")
    ] = None


class LoggerEndpoints:
    """Read, set and revert the levels of this server's loggers."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("loggers", Operation.READ, operation_id="loggers-read-verbosity-level")
    async def read_all(self, request: Request) -> Response:
        """Read the levels of all loggers."""
        found = {name: name_of(each.getEffectiveLevel()) for name, each in _loggers().items()}
        return Response(found, warnings=[])

    @endpoint("loggers", Operation.UPDATE, operation_id="loggers-update-verbosity-level")
    async def write_all(self, request: Request, body: LevelBody) -> Response:
        """Set the level of all loggers."""
        return self._set("", _level(body))

    @endpoint("loggers", Operation.DELETE, operation_id="loggers-revert-verbosity-level")
    async def revert_all(self, request: Request) -> Response:
        """Go back to the configured level for all loggers."""
        return self._set("", logging.NOTSET)

    @endpoint("loggers/{name}", Operation.READ, operation_id="loggers-read-verbosity-level-for")
    async def read(self, request: Request, name: str) -> Response:
        """Read the level of one logger."""
        found = _loggers().get(name)
        levels = {} if found is None else {name: name_of(found.getEffectiveLevel())}
        return Response(levels, warnings=[])

    @endpoint("loggers/{name}", Operation.UPDATE, operation_id="loggers-update-verbosity-level-for")
    async def write(self, request: Request, name: str, body: LevelBody) -> Response:
        """Set the level of one logger."""
        level = _level(body)
        return self._set(_existing(name), level)

    @endpoint("loggers/{name}", Operation.DELETE, operation_id="loggers-revert-verbosity-level-for")
    async def revert(self, request: Request, name: str) -> Response:
        """Go back to the configured level for one logger."""
        return self._set(_existing(name), logging.NOTSET)

    def _set(self, name: str, level: int) -> Response:
        """204; the level changes when the request is done, and then in the other workers."""
        change, peers = Change(name, level), self._core.peers

        async def tell() -> Response:
            others = await peers.ask(SET_LEVEL, change)
            if not others.missing:
                return no_content()
            return no_content(
                [f"worker processes that did not answer, and may log as before: {others.missing}"]
            )

        response = no_content()
        response.then = lambda: _apply(change)
        if not peers.alone:
            response.after = tell
        return response


async def set_level(told: Any) -> None:
    """Do what another worker says."""
    _apply(msgspec.convert(told, Change))


async def levels(_: Any) -> dict[str, int]:
    """The levels that somebody has set, for a worker that has just begun."""
    return {name: each.level for name, each in _loggers().items() if each.level}


async def take_levels(peers: Peers) -> None:
    """Log as the others do."""
    for told in await peers.ask(ALL_LEVELS, kind=dict[str, int]):
        for name, level in told.items():
            _apply(Change(name, level))


def _apply(change: Change) -> None:
    if change.name:  # in another worker it may have been made already
        logging.getLogger(_PREFIX + change.name).setLevel(change.level)
        return
    for logger in _loggers().values():
        logger.setLevel(change.level)


def _loggers() -> dict[str, logging.Logger]:
    """The program's loggers by name, without the part that all have in common."""
    return {
        name.removeprefix(_PREFIX): each
        for name, each in sorted(logging.root.manager.loggerDict.items())
        if name.startswith(_PREFIX) and isinstance(each, logging.Logger)
    }


def _existing(name: str) -> str:
    """`name`, if there is such a logger."""
    if name not in _loggers():
        raise InvalidRequest("logger not found; a read of sys/loggers lists them")
    return name


def _level(body: LevelBody) -> int:
    if body.level is None:
        raise InvalidRequest("level is required")
    if not body.level:
        raise InvalidRequest("level is empty")
    name = level_name(body.level)
    if name is None:
        raise InvalidRequest("invalid level provided: expected one of " + ", ".join(LEVELS))
    return LEVELS[name]
