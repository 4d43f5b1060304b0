"""Identity tokens over time, against what their roles and keys promised.

Keys rotate, roles change, the clock moves by any length. After each step the published keys are read
as a stranger reads them, at another node, and every token is checked with them.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.jose import claims_of, header_of, verifies
from tests.node import NodeUnderTest
from tests.unit.identity.oidc import person, public_keys, signed

T = TypeVar("T")
KEYS = st.sampled_from(("one", "two"))
ROLES = st.sampled_from(("app", "web"))


class IdentityTokens(RuleBasedStateMachine):
    """`rotated_away` are pairs that were rotated with a TTL of their own, with their end."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.tokens: list[str] = []
        self.rotated_away: dict[str, float] = {}
        self.seen: set[str] = set()
        self._run(self._begin())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def _begin(self) -> None:
        self.node = await NodeUnderTest.start()
        self.other = await self.node.another()
        self.ada = await person(self.node)
        for key in ("one", "two"):
            await self._write(
                f"key/{key}",
                algorithm="EdDSA",
                allowed_client_ids="*",
                rotation_period=600,
                verification_ttl=600,
            )
        for role in ("app", "web"):
            await self._write(f"role/{role}", key="one", ttl=600)

    async def _write(self, path: str, **fields: object) -> int:
        return (await self.node.write(f"identity/oidc/{path}", dict(fields))).status

    def teardown(self) -> None:
        self._run(self.node.node.stop())
        self.loop.close()

    async def _sign(self, role: str) -> str:
        """A token. The pair that signs it was published before."""
        if not await self.node.lives(self.ada):
            self.ada = await person(self.node)
        token = await signed(self.node, self.ada, role)
        assert header_of(token)["kid"] in self.seen
        return token

    @rule(role=ROLES)
    def sign(self, role: str) -> None:
        self.tokens.append(self._run(self._sign(role)))

    @rule(role=ROLES, key=KEYS, ttl=st.sampled_from((0, 60, 600)))
    def change_role(self, role: str, key: str, ttl: int) -> None:
        """Refused where the key is not published for so long."""
        self._run(self._write(f"role/{role}", key=key, ttl=ttl))

    @rule(role=ROLES)
    def make_role_anew(self, role: str) -> None:
        self._run(self.node.delete(f"identity/oidc/role/{role}"))
        self.every_token_that_has_not_expired_verifies()
        assert self._run(self._write(f"role/{role}", key="one", ttl=0)) == 204

    @rule(key=KEYS, period=st.sampled_from((60, 600, 3600)), periods=st.sampled_from((0.1, 1, 10)))
    def change_key(self, key: str, period: int, periods: float) -> None:
        """Refused where a role gives out longer tokens."""
        verification_ttl = int(period * periods)
        self._run(
            self._write(f"key/{key}", rotation_period=period, verification_ttl=verification_ttl)
        )

    @rule(key=KEYS)
    def rotate(self, key: str) -> None:
        assert self._run(self._write(f"key/{key}/rotate")) == 204

    @rule(key=KEYS, ttl=st.sampled_from((0, 30, 700)))
    def rotate_with_a_ttl(self, key: str, ttl: int) -> None:
        assert self._run(self._write("role/probe", key=key, ttl=0)) == 204
        self.every_token_that_has_not_expired_verifies()
        signer = header_of(self._run(self._sign("probe")))["kid"]
        assert self._run(self._write(f"key/{key}/rotate", verification_ttl=ttl)) == 204
        self.rotated_away[signer] = self.node.clock.now() + ttl

    @rule(seconds=st.sampled_from((1, 29, 59, 60, 300, 599, 601, 4000)))
    def wait(self, seconds: int) -> None:
        self.node.clock.advance(seconds)

    @rule()
    def sweep(self) -> None:
        self._run(self.node.sweep())

    @rule()
    def sweep_in_two_processes(self) -> None:
        async def both() -> None:
            await asyncio.gather(self.node.core.sweeper.round(), self.other.core.sweeper.round())

        self._run(both())

    @invariant()
    def every_token_that_has_not_expired_verifies(self) -> None:
        keys = self._run(public_keys(self.other))
        self.seen |= {jwk["kid"] for jwk in keys}
        now = self.node.clock.now()
        for token in self.tokens:
            ended = self.rotated_away.get(header_of(token)["kid"])
            if ended is not None and ended <= now:
                assert not verifies(token, keys)
            elif now < claims_of(token)["exp"]:
                assert verifies(token, keys)


TestIdentityTokens = IdentityTokens.TestCase
TestIdentityTokens.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
