"""How much one request may cost, before anybody knows who sent it."""

from dataclasses import dataclass

DEFAULT_MAX_REQUEST_SIZE = 32 * 1024 * 1024
DEFAULT_MAX_REQUEST_DURATION = 90


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take: bytes of its body, None without a limit; seconds in all, and to
    arrive; and levels and values of the JSON in its body."""

    max_request_size: int | None = DEFAULT_MAX_REQUEST_SIZE
    max_request_duration: int = DEFAULT_MAX_REQUEST_DURATION
    read_timeout: int = DEFAULT_MAX_REQUEST_DURATION
    max_json_depth: int = 100
    max_json_values: int = 150_000  # read in less than 50 ms; meanwhile nobody else is served


DEFAULT_LIMITS = Limits()
