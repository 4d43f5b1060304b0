"""Where log records go: standard error and, if there is one, the log file; as text or JSON lines."""

import json
import logging
import sys
from datetime import UTC, datetime

from wardgate.core.current_request import REQUEST_ID
from wardgate.core.log_levels import LEVELS, TRACE
from wardgate.server.config import LogFormat, LogLevel, ServerConfig
from wardgate.server.log_file import LogFile

ROOT = "wardgate"
"""The logger above all others of this program."""

logging.addLevelName(TRACE, "TRACE")


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} [{record.levelname}] {record.name}: {record.getMessage()}"
        request = REQUEST_ID.get()
        named = not request or hasattr(record, "fields")  # a line about a request has its id
        return line if named else f"{line} request_id={request}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "@timestamp": _time(record),
            "@level": record.levelname.lower(),
            "@module": record.name,
            "@message": record.getMessage(),
        }
        request = REQUEST_ID.get()
        if request:
            line["request_id"] = request
        return json.dumps(line | getattr(record, "fields", {}))


def _time(record: logging.LogRecord) -> str:
    """RFC 3339 in UTC, always with six digits of microseconds, so that lines sort and align."""
    time = datetime.fromtimestamp(record.created, UTC).replace(tzinfo=None)
    return time.isoformat(timespec="microseconds") + "Z"


def set_up_logs(level: LogLevel, format: LogFormat, file: LogFile | None = None) -> None:
    """Send the records of `wardgate` loggers from `level` on to standard error, and to `file`.

    Tracebacks are left out: the message of an exception may hold a secret.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if file is not None:
        handlers.append(file)
    for handler in handlers:
        handler.setFormatter(_Json() if format is LogFormat.JSON else _Text())
    logger = logging.getLogger(ROOT)
    logger.handlers = handlers
    logger.propagate = False
    set_level(level)


def set_level(level: LogLevel) -> None:
    """Log from `level` on, where nobody has set another level for a logger (``sys/loggers``)."""
    logging.getLogger(ROOT).setLevel(LEVELS[level.value])


def open_log_file(config: ServerConfig) -> LogFile | None:
    """The log file that the configuration asks for. Raises `LogFileError`."""
    if config.log_file is None:
        return None
    return LogFile(
        config.log_file,
        most_bytes=config.log_rotate_bytes,
        most_seconds=config.log_rotate_duration,
        most_files=config.log_rotate_max_files,
    )
