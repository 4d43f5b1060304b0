"""Rate limit quotas: how many requests each client may send, before anybody asks who it is."""

from wardgate.core.quotas.counters import Counters, MemoryCounters, Taken
from wardgate.core.quotas.limiter import RateLimited, RateLimits
from wardgate.core.quotas.rules import (
    DEFAULT_EXEMPT_PATHS,
    QUOTAS_KEY,
    QuotaTable,
    RateLimit,
    quota_table,
    save_quota_table,
    whole_rate,
)
from wardgate.core.quotas.shared_counters import SharedCounters

__all__ = [
    "DEFAULT_EXEMPT_PATHS",
    "QUOTAS_KEY",
    "Counters",
    "MemoryCounters",
    "QuotaTable",
    "RateLimit",
    "RateLimited",
    "RateLimits",
    "SharedCounters",
    "Taken",
    "quota_table",
    "save_quota_table",
    "whole_rate",
]
