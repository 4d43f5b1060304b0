"""Azure / Entra ID tells groups elsewhere when they do not fit into a token; against a strict double
of Microsoft Graph."""

from typing import Any

import pytest
from aiohttp import web

from tests.issuer import pem, signed
from tests.node import NodeUnderTest, errors, with_node
from tests.odd_provider import OddProvider
from tests.serving import serving
from tests.unit.auth.jwt.browser_logins import configure, groups_of, refusal, role, with_provider
from tests.unit.auth.jwt.logins import claims as jwt_claims
from tests.unit.auth.jwt.logins import login as jwt_login
from tests.unit.auth.jwt.logins import mounted
from tests.unit.auth.jwt.logins import role as jwt_role
from wardgate.auth.jwt.config import Config
from wardgate.auth.jwt.roles import Role
from wardgate.auth.jwt.special import azure

JsonMap = dict[str, Any]
GROUP_IDS = [f"{number:08}-0000-4000-8000-000000000000" for number in range(201)]


class Graph:
    """Microsoft Graph's getMemberObjects."""

    def __init__(self) -> None:
        self.answer: tuple[int, Any] = (200, {"value": GROUP_IDS})
        self.asked = 0

    async def handle(self, request: web.Request) -> web.Response:
        self.asked += 1
        assert (request.method, request.path) == ("POST", "/v1.0/users/ada/getMemberObjects")
        assert request.headers["Authorization"] == "Bearer the-access-token"
        assert await request.json() == {"securityEnabledOnly": False}
        status, body = self.answer
        return web.json_response(body, status=status)


def distributed(endpoint: str) -> JsonMap:
    """The claims of somebody who is in too many groups."""
    return {
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": f"{endpoint}/users/ada/getMemberObjects"}},
    }


@with_provider
async def test_azure_is_asked_for_groups_that_do_not_fit_into_a_token(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    graph = Graph()
    async with serving(graph.handle) as address:
        settings = {"provider": "azure", "graph_endpoint": address}
        await configure(node, provider, provider_config=settings)
        await role(node, groups_claim="groups", bound_claims={"groups": GROUP_IDS[200]})
        provider.claims = distributed(f"{address}/v1.0")
        assert await groups_of(node, provider, GROUP_IDS[7], "other") == {GROUP_IDS[7]}
        assert graph.asked == 1
        provider.claims = {"groups": [GROUP_IDS[200]]}
        assert await groups_of(node, provider) == set()
        assert graph.asked == 1  # the token says it all
        answers: list[tuple[int, Any]] = [
            (403, {"error": {"message": "Authorization_RequestDenied"}}),
            (200, {"value": "x"}),
            (200, {"value": [1]}),
            (200, []),
        ]
        for answer in answers:
            provider.claims = distributed(f"{address}/v1.0")
            graph.answer = answer
            assert "claim not found in token: Microsoft Graph" in await refusal(node, provider)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/v1.0",
        "http://graph.microsoft.com/v1.0",
        "https://graph.microsoft.com.evil.example",
        "https://graph.microsoft.com@evil.example",
        "https://graph.microsoft.com:444",
        "https://[",
        "file:///etc",
        "https://graph.microsoft.com\\@evil.example",
    ],
)
def test_an_access_token_goes_to_microsoft_alone(endpoint: str) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        settings = {"provider": "azure", "graph_endpoint": "http://127.0.0.1:1"}
        await configure(node, provider, provider_config=settings)
        await role(node, groups_claim="groups")
        provider.claims = distributed(endpoint)
        why = await refusal(node, provider)
        assert "neither Microsoft Graph nor" in why or "no address" in why
        assert "evil" not in why

    check()


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"_claim_names": ["groups"]},
        {"_claim_names": {"groups": ["src1"]}, "_claim_sources": {}},
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": "x"}},
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": 7}}},
    ],
)
def test_a_token_that_names_no_source_lets_nobody_in(claims: JsonMap) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        await configure(node, provider, provider_config={"provider": "azure"})
        await role(node, groups_claim="groups")
        provider.claims = claims
        assert '"groups" claim not found in token' in await refusal(node, provider)

    check()


@pytest.mark.parametrize(
    ("named", "asked"),
    [
        ("https://graph.windows.net/t", "https://graph.microsoft.com/v1.0/t"),
        ("https://graph.microsoftazure.us/t", "https://graph.microsoft.us/v1.0/t"),
        ("https://graph.microsoft.com/v1.0", "https://graph.microsoft.com/v1.0"),
        ("https://GRAPH.microsoft.us/v1.0", "https://graph.microsoft.us/v1.0"),
        ("http://graph.windows.net/t", "https://graph.microsoft.com/v1.0/t"),
    ],
)
def test_the_api_that_is_gone_is_not_asked_but_its_successor(named: str, asked: str) -> None:
    config = Config(written="w", provider_config_json=b'{"provider": "azure"}')
    role = Role(name="r", groups_claim="groups")
    found = azure._source(config, role, distributed(named))
    assert found == f"{asked}/users/ada/getMemberObjects"


def test_an_endpoint_of_ones_own_is_the_same_in_capital_letters() -> None:
    settings = b'{"provider": "azure", "graph_endpoint": "https://Graph.Example/"}'
    config = Config(written="w", provider_config_json=settings)
    role = Role(name="r", groups_claim="groups")
    for named in ("https://graph.example/v1.0", "https://GRAPH.example/v1.0"):
        found = azure._source(config, role, distributed(named))
        assert found == "https://graph.example/v1.0/users/ada/getMemberObjects"


@pytest.mark.parametrize(
    "endpoint",
    [
        "graph.example", "https://", "ftp://a", "https://a/b", 7, "https://a?b=c", "https://a/?b",
        "https://a#b", "https://b@a",
    ],
)  # fmt: skip
def test_an_endpoint_of_ones_own_is_the_address_of_a_server(endpoint: Any) -> None:
    @with_node
    async def check(node: NodeUnderTest) -> None:
        await node.ok("sys/auth/jwt", {"type": "jwt"})
        settings = {"provider": "azure", "graph_endpoint": endpoint}
        body = {"jwt_validation_pubkeys": [pem("rsa")], "provider_config": settings}
        response = await node.write("auth/jwt/config", body)
        assert "graph_endpoint must be like" in errors(response)[0]

    check()


@with_node
async def test_a_login_with_a_token_of_azure_brings_an_access_token_along(
    node: NodeUnderTest,
) -> None:
    graph = Graph()
    async with serving(graph.handle) as address:
        settings = {"provider": "azure", "graph_endpoint": address}
        await mounted(node, provider_config=settings)
        await jwt_role(node, groups_claim="groups", bound_claims={"groups": GROUP_IDS[0]})
        token = signed(jwt_claims(node, **distributed(f"{address}/v1.0")))
        assert "no access token" in errors(await jwt_login(node, token))[0]
        body = {
            "role": "dev",
            "jwt": token,
            "distributed_claim_access_token": "the-access-token",
        }
        assert (await node.write("auth/jwt/login", body, token="")).status == 200


@with_node
async def test_groups_are_those_of_the_claim_that_the_role_names_in_the_end(
    node: NodeUnderTest,
) -> None:
    async def changing(request: web.Request) -> web.Response:
        await jwt_role(node, groups_claim="others")
        return web.json_response({"value": GROUP_IDS})

    async with serving(changing) as address:
        settings = {"provider": "azure", "graph_endpoint": address}
        await mounted(node, provider_config=settings)
        await jwt_role(node, groups_claim="groups")
        token = signed(jwt_claims(node, **distributed(f"{address}/v1.0")))
        body = {"role": "dev", "jwt": token, "distributed_claim_access_token": "the-access-token"}
        response = await node.write("auth/jwt/login", body, token="")
        assert '"others" claim not found in token' in errors(response)[0]
