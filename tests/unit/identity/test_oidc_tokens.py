"""Identity tokens: what they say, and that strangers can check them."""

import asyncio
import base64

import msgspec
import pytest

from tests.jose import claims_of, header_of, verifies
from tests.node import NodeUnderTest, errors, with_node
from tests.unit.identity.oidc import (
    ALGORITHMS,
    ISSUER,
    active,
    change_entity,
    entity_of,
    make_role,
    person,
    public_keys,
    signed,
)
from wardgate.core.identity import entity_by_id
from wardgate.core.settings import Settings


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_stranger_can_check_a_token_of_every_algorithm(algorithm: str) -> None:
    @with_node
    async def scenario(node: NodeUnderTest) -> None:
        ada = await person(node)
        await make_role(node, algorithm=algorithm, ttl="1h")
        token = await signed(node, ada)
        assert header_of(token)["alg"] == algorithm
        assert verifies(token, await public_keys(node))
        assert not verifies(token[:-4] + "AAAA", await public_keys(node))
        assert await active(node, token) is True

    scenario()


@with_node
async def test_a_token_says_who_for_whom_and_until_when(node: NodeUnderTest) -> None:
    ada = await person(node)
    await node.ok("identity/oidc/config", {"issuer": ISSUER})
    await make_role(node, ttl="10m")
    assert claims_of(await signed(node, ada)) == {
        "iss": f"{ISSUER}/v1/identity/oidc",
        "sub": await entity_of(node, ada),
        "aud": "client",
        "iat": int(node.clock.now()),
        "exp": int(node.clock.now()) + 600,
        "namespace": "root",
    }


def test_the_issuer_is_the_servers_own_address_unless_another_is_configured() -> None:
    async def scenario() -> None:
        node = await NodeUnderTest.start(settings=Settings(api_addr="https://w.example.com:8200"))
        read = await node.read("identity/oidc/.well-known/openid-configuration", token="")
        assert read.data["issuer"] == "https://w.example.com:8200/v1/identity/oidc"
        assert read.data["jwks_uri"] == read.data["issuer"] + "/.well-known/keys"
        await node.node.stop()

    asyncio.run(scenario())


@with_node
async def test_only_who_has_an_entity_gets_a_token(node: NodeUnderTest) -> None:
    await make_role(node)
    answer = await node.read("identity/oidc/token/app")
    assert errors(answer) == ["no entity associated with the request's token"]


@with_node
async def test_the_key_says_which_roles_may_use_it(node: NodeUnderTest) -> None:
    ada = await person(node)
    await make_role(node)
    await node.ok("identity/oidc/key/k", {"allowed_client_ids": "other"})
    assert (await node.read("identity/oidc/token/app", token=ada)).status == 400
    await node.ok("identity/oidc/key/k", {"allowed_client_ids": "other,client"})
    assert (await node.read("identity/oidc/token/app", token=ada)).status == 200


@with_node
async def test_introspection_says_what_is_wrong(node: NodeUnderTest) -> None:
    ada = await person(node)
    await node.ok("identity/oidc/config", {"issuer": ISSUER})
    await make_role(node, ttl="10m")
    token = await signed(node, ada)
    assert await active(node, token, client_id="client") is True
    assert "audience" in await active(node, token, client_id="another")
    assert "parsing" in await active(node, "")
    assert "parsing" in await active(node, "a.b.c")
    header, claims, signature = token.split(".")
    other_claims = (await signed(node, await person(node, "eve"))).split(".")[1]
    for forged in (
        f"{header}.{other_claims}.{signature}",
        f"eyJhbGciOiJub25lIn0.{claims}.",
        f"eyJhbGciOiJIUzI1NiJ9.{claims}.{signature}",
    ):
        assert await active(node, forged) == "unable to validate the token signature"
    await node.ok("identity/oidc/config", {"issuer": "https://elsewhere.example.com"})
    assert "issuer" in await active(node, token)
    await node.ok("identity/oidc/config", {"issuer": ISSUER})
    node.clock.advance(599)
    assert await active(node, token) is True
    node.clock.advance(1)
    assert "expired" in await active(node, token)


@with_node
async def test_a_token_is_inactive_when_its_entity_is_disabled_or_gone(
    node: NodeUnderTest,
) -> None:
    ada = await person(node)
    await make_role(node)
    token = await signed(node, ada)
    entity = await entity_by_id(await node.core.storage.begin(), await entity_of(node, ada))
    assert entity is not None
    await change_entity(node, entity.id, msgspec.structs.replace(entity, disabled=True))
    assert await active(node, token) == "entity is disabled"
    assert (await node.read("identity/oidc/token/app", token=ada)).status == 403
    await change_entity(node, entity.id, None)
    assert await active(node, token) == "entity was not found"


@with_node
async def test_an_algorithm_cannot_be_confused(node: NodeUnderTest) -> None:
    """A token that names a key of another algorithm than its own is refused."""
    ada = await person(node)
    await make_role(node, algorithm="RS256")
    token = await signed(node, ada)
    _, claims, signature = token.split(".")
    for algorithm in ("RS384", "HS256", "none", "ES256", "EdDSA"):
        header = msgspec.json.encode({**header_of(token), "alg": algorithm})
        forged = f"{_base64url(header)}.{claims}.{signature}"
        assert await active(node, forged) == "unable to validate the token signature"


@with_node
async def test_what_is_no_text_is_no_token(node: NodeUnderTest) -> None:
    for odd in ("x" * 300_000, "é.é.é", "..", "a.b", "{}", "\x00.\x00.\x00"):
        assert "parsing" in await active(node, odd)
    answer = await node.write("identity/oidc/introspect", {"token": {"a": 1}})
    assert answer.status == 400


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
