"""Auto-unseal seals: what the configuration says of them, and what encrypts the root key."""

from wardgate.barrier.auto_seal import Wrapper
from wardgate.server.seals.config import ShamirSeal, StaticSeal, TransitSeal
from wardgate.server.seals.static import StaticWrapper


def open_wrapper(seal: ShamirSeal | StaticSeal | TransitSeal) -> Wrapper | None:
    """What keeps the root key as `seal` says; None for key shares in the hands of people.

    Key files are read, nothing is sent. Raises `ConfigError`.
    """
    match seal:
        case ShamirSeal():
            return None
        case StaticSeal():
            return StaticWrapper.open(seal)
        case TransitSeal():
            # Its HTTP library takes long to load, and most servers never call another one.
            from wardgate.server.seals.transit import TransitWrapper

            return TransitWrapper(seal)
