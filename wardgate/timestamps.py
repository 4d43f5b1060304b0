"""Points in time as Vault's API writes them."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=16_384)
def rfc3339(seconds: float) -> str:
    """Seconds since the Unix epoch in RFC 3339's form, in UTC: ``2026-11-21T20:39:43.75734Z``.

    The fraction ends at microseconds, which is as fine as a float tells times of this century, and
    has no trailing zeros. `ValueError` or `OverflowError` for times outside of the years 1 to 9999.
    """
    whole, micros = divmod(round(seconds * 1_000_000), 1_000_000)
    text = _to_the_second(whole)
    return f"{text}.{micros:06}".rstrip("0") + "Z" if micros else text + "Z"


@lru_cache(maxsize=1024)
def _to_the_second(seconds: int) -> str:
    """Most times that are told lie within the last few seconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
