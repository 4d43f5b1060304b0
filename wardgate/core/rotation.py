"""When the key that encrypts stored values is replaced by itself."""

import msgspec

from wardgate.core.records import Codec
from wardgate.core.storage import Transaction

ROTATION_KEY = "core/rotation"
LEAST_OPERATIONS = 1_000_000
MOST_OPERATIONS = 3_865_470_566
"""Nine tenths of 2^32: as many values as may have random nonces under one key (NIST SP 800-38D),
with room for what is encrypted until everybody has the next one."""
LEAST_INTERVAL = 24 * 3600  # seconds


class RotationConfig(msgspec.Struct, frozen=True):
    """`interval` is seconds, 0 when time alone is no reason."""

    enabled: bool = True
    interval: int = 0
    max_operations: int = MOST_OPERATIONS

    def due(self, installed: float, encryptions: int, now: float) -> bool:
        """Whether a key has had its time: in use since `installed`, for so many values."""
        if not self.enabled:
            return False
        aged = self.interval > 0 and now - installed >= self.interval
        return aged or encryptions >= self.max_operations


ROTATION: Codec[RotationConfig] = Codec(RotationConfig)


async def rotation_config(transaction: Transaction) -> RotationConfig:
    """What was set, or what holds without that."""
    return await transaction.get(ROTATION_KEY, ROTATION) or RotationConfig()
