"""Rate limits against a simple model: each client has, for each quota, a bucket of tokens that is
filled again when an interval has gone by since it was first taken from."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.node import NodeUnderTest

T = TypeVar("T")
NAMES = ("one", "two", "three", "four")
PLACES = ("", "kv", "kv/a", "kv/a*", "kv/a/*", "kv/a/b*", "cubbyhole")
REQUESTS = ("kv/a", "kv/ab", "kv/a/b", "kv/a/c", "kv/x", "cubbyhole/a", "nowhere/a")
EXEMPT = ("kv/a/c", "!kv/a/cc", "cubbyhole/")
TIMES = (2, 5)
CLIENTS = ("10.0.0.1:1", "[::1]:1")


@dataclass
class Bucket:
    """What one client has left."""

    tokens: int
    since: float
    blocked_until: float = 0.0


@dataclass
class Quota:
    """A quota of the model; `place` is as it was written, with the mount at ``kv/``."""

    place: str
    rate: int
    interval: int
    block: int
    buckets: dict[str, Bucket] = field(default_factory=dict)

    def fits(self, path: str) -> bool:
        if self.place.endswith("*"):
            return path.startswith(self.place[:-1])
        if self.place in ("", "kv", "cubbyhole"):
            return not self.place or path.startswith(self.place + "/")
        return path == self.place

    def rank(self) -> tuple[int, int]:
        """How specific the quota is."""
        if not self.place:
            return 0, 0
        if "/" not in self.place:
            return 1, 0
        return (2, len(self.place)) if self.place.endswith("*") else (3, 0)

    def take(self, client: str, now: float) -> bool:
        bucket = self.buckets.get(client)
        if bucket is not None and now < bucket.blocked_until:
            return False
        if bucket is None or bucket.blocked_until or now >= bucket.since + self.interval:
            bucket = self.buckets[client] = Bucket(self.rate, now)
        if bucket.tokens:
            bucket.tokens -= 1
            return True
        if self.block:
            bucket.blocked_until = now + self.block
        return False


class Quotas(RuleBasedStateMachine):
    """Any order of writing and deleting quotas, of requests, and of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.node = self._run(NodeUnderTest.start())
        self.quotas: dict[str, Quota] = {}
        self.exempting = False
        self.mount = "kv"

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def _real(self, path: str) -> str:
        """A path of the model, where the mount is now."""
        return self.mount + path[2:] if path.startswith("kv") else path

    @initialize()
    def mount_something(self) -> None:
        self._run(self.node.ok("sys/mounts/kv", {"type": "kv"}))
        self.configure(exempting=False)
        self.write("one", "", rate=2, interval=5, block=0)
        self.write("two", "kv", rate=3, interval=5, block=2)

    @rule(exempting=st.booleans())
    def configure(self, exempting: bool) -> None:
        paths = [
            "!" + self._real(path[1:]) if path.startswith("!") else self._real(path)
            for path in (EXEMPT if exempting else ())
        ]
        body = {
            "rate_limit_exempt_paths": ["sys/quotas/", "sys/remount", *paths],
            "enable_rate_limit_response_headers": True,
        }
        self._run(self.node.ok("sys/quotas/config", body))
        self.exempting = exempting

    @rule(
        name=st.sampled_from(NAMES),
        place=st.sampled_from(PLACES),
        rate=st.integers(1, 4),
        interval=st.sampled_from(TIMES),
        block=st.sampled_from((0, 0, *TIMES)),
    )
    def write(self, name: str, place: str, rate: int, interval: int, block: int) -> None:
        body = {
            "path": self._real(place),
            "rate": rate,
            "interval": interval,
            "block_interval": block,
        }
        response = self._run(self.node.write(f"sys/quotas/rate-limit/{name}", body))
        taken = any(other != name and quota.place == place for other, quota in self.quotas.items())
        assert response.status == (400 if taken else 204)
        if not taken:
            self.quotas[name] = Quota(place, rate, interval, block)

    @rule(name=st.sampled_from(NAMES))
    def delete(self, name: str) -> None:
        assert self._run(self.node.delete(f"sys/quotas/rate-limit/{name}")).status == 204
        self.quotas.pop(name, None)

    @rule()
    def move_the_mount(self) -> None:
        to = "moved" if self.mount == "kv" else "kv"
        self._run(self.node.ok("sys/remount", {"from": self.mount, "to": to}))
        self.mount = to
        self.configure(self.exempting)

    @rule(
        waiting=st.sampled_from((0, 0.5, *TIMES)),
        path=st.sampled_from(REQUESTS),
        client=st.sampled_from(CLIENTS),
        times=st.integers(1, 4),
        token=st.sampled_from(("root", "s.unknown", "")),
    )
    def send(self, waiting: float, path: str, client: str, times: int, token: str) -> None:
        self.node.clock.advance(waiting)
        for _ in range(times):
            response = self._run(self.node.read(self._real(path), peer=client, token=token))
            quota = self._quota_for(path)
            allowed = quota is None or quota.take(client, self.node.clock.now())
            assert (response.status != 429) == allowed
            left = dict(response.headers).get("x-ratelimit-remaining")
            if quota is None:
                assert left is None
            elif allowed:
                assert left == str(quota.buckets[client].tokens)

    def _quota_for(self, path: str) -> Quota | None:
        if self.exempting and path.startswith(("kv/a/c", "cubbyhole/")):
            return None
        fitting = [quota for quota in self.quotas.values() if quota.fits(path)]
        return max(fitting, key=Quota.rank, default=None)

    def teardown(self) -> None:
        for name, quota in self.quotas.items():
            shown = self._run(self.node.read(f"sys/quotas/rate-limit/{name}")).data
            assert shown["path"].rstrip("/") == self._real(quota.place)
            assert (shown["rate"], shown["interval"]) == (quota.rate, quota.interval)
        self._run(self.node.node.stop())
        self.loop.close()


Quotas.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
test_quotas = Quotas.TestCase
