"""The core's services, put together."""

from typing import Protocol

from wardgate.clock import Clock
from wardgate.core.audit.service import Audit
from wardgate.core.callers import Callers
from wardgate.core.catalog import Catalog
from wardgate.core.ground import Grounds
from wardgate.core.identity import Standings
from wardgate.core.in_flight import InFlight
from wardgate.core.leases.service import Leases
from wardgate.core.lockout import Lockout
from wardgate.core.logins import Logins
from wardgate.core.metrics import Metrics
from wardgate.core.mounts import Mounts
from wardgate.core.outgoing import Outgoing
from wardgate.core.peers import NoPeers, Peers
from wardgate.core.policies import Policies
from wardgate.core.purging import Purging
from wardgate.core.quotas import Counters, MemoryCounters, RateLimits
from wardgate.core.settings import Settings
from wardgate.core.storage import Storage
from wardgate.core.sweep import Sweeper
from wardgate.core.tokens.batch import Cipher
from wardgate.core.tokens.clearing import Clearing
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
        counters: Counters | None = None,
    ) -> None:
        """`counters` say how many requests each client has sent; by default this process counts for
        itself."""
        self.clock = clock
        self.settings = settings
        self.metrics = Metrics()
        self.peers: Peers = NoPeers()
        self.storage = Storage(barrier)
        self.barrier = barrier
        self.catalog = catalog
        self.mounts = Mounts(lambda mount: catalog.build(self, mount))
        self.grounds = Grounds(self.mounts)
        self.policies = Policies()
        self.tokens = TokenStore(barrier, self.mounts, self.metrics)
        self.callers = Callers(self.tokens)
        self.wrapping = Wrapping(self.tokens)
        self.standings = Standings()
        self.audit = Audit(self.storage, self.standings, clock, settings, self.metrics)
        self.logins = Logins(self.tokens, self.standings, settings)
        self.leases = Leases(self.storage, self.mounts, self.tokens, settings, clock)
        counters = MemoryCounters() if counters is None else counters  # none counted yet is false
        self.rate_limits = RateLimits(counters, clock)
        self.lockout = Lockout(settings.user_lockout)
        self.in_flight = InFlight()
        self.outgoing = Outgoing()
        self.sweeper = Sweeper(
            self.storage,
            Clearing(self.tokens, self.leases.store),
            Purging(self.leases.store),
            self.leases.prefixes,
            self.leases.revocation,
            clock,
        )

    def forget(self) -> None:
        """Drop everything decoded, when the barrier is sealed."""
        self.storage.forget()
        self.mounts.forget()
        self.grounds.forget()
        self.callers.forget()
        self.policies.forget()
        self.standings.forget()
        self.audit.forget()
