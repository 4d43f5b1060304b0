"""Providers that put all groups into one text."""

import pytest

from tests.node import NodeUnderTest
from tests.odd_provider import OddProvider
from tests.unit.auth.jwt.browser_logins import configure, groups_of, role, with_provider


@pytest.mark.parametrize(("name", "groups"), [("ibmisam", "a b"), ("secureauth", "a,b")])
def test_groups_may_be_joined(name: str, groups: str) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        await configure(node, provider, provider_config={"provider": name})
        await role(node, groups_claim="groups")
        provider.claims = {"groups": groups}
        assert await groups_of(node, provider, "a", "b", "c") == {"a", "b"}
        provider.claims = {"groups": ["a"]}
        assert await groups_of(node, provider) == {"a"}

    check()
