"""``sys/loggers``: how much is logged, changed while the server runs.

The levels are those of this process: another one over the same storage keeps its own, and so does
this one only until it ends or, by `revert`, until it is told to go back to the configuration.
"""

import logging
from collections.abc import Iterable
from typing import Annotated

from wardgate.core.log_levels import LEVELS, level_name, name_of
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc

_PREFIX = "wardgate."


class LevelBody(Body):
    """A level to log from."""

    level: Annotated[
        str | None, Doc("trace, debug, info, warn or error: what is less important is left out.")
    ] = None


class LoggerEndpoints:
    """Read, set and revert the levels of this process's loggers."""

    @endpoint("loggers", Operation.READ, operation_id="loggers-read-verbosity-level")
    async def read_all(self, request: Request) -> Response:
        """Read the levels of all loggers."""
        found = {name: name_of(each.getEffectiveLevel()) for name, each in _loggers().items()}
        return Response(found, warnings=[])

    @endpoint("loggers", Operation.UPDATE, operation_id="loggers-update-verbosity-level")
    async def write_all(self, request: Request, body: LevelBody) -> Response:
        """Set the level of all loggers."""
        return _set(_loggers().values(), _level(body))

    @endpoint("loggers", Operation.DELETE, operation_id="loggers-revert-verbosity-level")
    async def revert_all(self, request: Request) -> Response:
        """Go back to the configured level for all loggers."""
        return _set(_loggers().values(), logging.NOTSET)

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
        return _set([_existing(name)], level)

    @endpoint("loggers/{name}", Operation.DELETE, operation_id="loggers-revert-verbosity-level-for")
    async def revert(self, request: Request, name: str) -> Response:
        """Go back to the configured level for one logger."""
        return _set([_existing(name)], logging.NOTSET)


def _set(loggers: Iterable[logging.Logger], level: int) -> Response:
    """204; the level changes when the request is done."""

    def change() -> None:
        for logger in loggers:
            logger.setLevel(level)

    response = no_content()
    response.then = change
    return response


def _loggers() -> dict[str, logging.Logger]:
    """The program's loggers by name, without the part that all have in common."""
    return {
        name.removeprefix(_PREFIX): each
        for name, each in sorted(logging.root.manager.loggerDict.items())
        if name.startswith(_PREFIX) and isinstance(each, logging.Logger)
    }


def _existing(name: str) -> logging.Logger:
    logger = _loggers().get(name)
    if logger is None:
        raise InvalidRequest("logger not found; a read of sys/loggers lists them")
    return logger


def _level(body: LevelBody) -> int:
    if body.level is None:
        raise InvalidRequest("level is required")
    if not body.level:
        raise InvalidRequest("level is empty")
    name = level_name(body.level)
    if name is None:
        raise InvalidRequest("invalid level provided: expected one of " + ", ".join(LEVELS))
    return LEVELS[name]
