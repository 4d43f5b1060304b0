"""Property tests look at what is answered, never at how long it took on a busy machine.

Each run tries other examples, except in CI, where the same commit must give the same result.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "untimed",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("untimed")
