"""The core's services, put together."""

from typing import Protocol

from wardgate.clock import Clock
from wardgate.core.catalog import Catalog
from wardgate.core.logins import Logins
from wardgate.core.mounts import Mounts
from wardgate.core.policies import Policies
from wardgate.core.settings import Settings
from wardgate.core.storage import Storage
from wardgate.core.sweep import Sweeper
from wardgate.core.tokens.batch import Cipher
from wardgate.core.tokens.store import TokenStore
from wardgate.core.wrapping import Wrapping
from wardgate.store.interface import Store


class EncryptedStore(Store, Cipher, Protocol):
    """The barrier, as the core sees it."""


class Core:
    """Everything that endpoints may ask of the server."""

    def __init__(
        self,
        barrier: EncryptedStore,
        clock: Clock,
        settings: Settings,
        catalog: Catalog,
    ) -> None:
        self.clock = clock
        self.settings = settings
        self.storage = Storage(barrier)
        self.barrier = barrier
        self.catalog = catalog
        self.mounts = Mounts(lambda mount: catalog.build(self, mount))
        self.policies = Policies()
        self.tokens = TokenStore(barrier, self.mounts)
        self.wrapping = Wrapping(self.tokens)
        self.logins = Logins(self.tokens, self.policies, settings)
        self.sweeper = Sweeper(self.storage, self.tokens, clock)

    def forget(self) -> None:
        """Drop everything decoded, when the barrier is sealed."""
        self.storage.forget()
        self.policies.forget()
