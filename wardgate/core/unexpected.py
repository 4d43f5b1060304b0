"""Failures that nobody foresaw."""

import logging
import traceback

_log = logging.getLogger("wardgate.core")


def log_unexpected(what: str, error: Exception) -> None:
    """Log that `what` failed: the error's type and place only, since its message may hold a secret."""
    places = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s failed unexpectedly: %s\n%s", what, type(error).__name__, places)
