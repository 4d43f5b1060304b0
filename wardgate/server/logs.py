"""Where log records go: standard error, as text or as JSON lines."""

import json
import logging
import sys
from datetime import UTC, datetime

from wardgate.server.config import LogFormat, LogLevel

_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{_time(record)} [{record.levelname}] {record.name}: {record.getMessage()}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {
                "@timestamp": _time(record),
                "@level": record.levelname.lower(),
                "@module": record.name,
                "@message": record.getMessage(),
            }
        )


def _time(record: logging.LogRecord) -> str:
    """RFC 3339 in UTC, always with six digits of microseconds, so that lines sort and align."""
    time = datetime.fromtimestamp(record.created, UTC).replace(tzinfo=None)
    return time.isoformat(timespec="microseconds") + "Z"


def set_up_logs(level: LogLevel, format: LogFormat) -> None:
    """Send the records of `wardgate` loggers from `level` on to standard error.

    Tracebacks are left out: the message of an exception may hold a secret.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if format is LogFormat.JSON else _Text())
    logger = logging.getLogger("wardgate")
    logger.handlers = [handler]
    logger.setLevel(_LEVELS[level.value])
    logger.propagate = False
