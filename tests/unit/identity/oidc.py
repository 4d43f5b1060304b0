"""What the tests of identity tokens have in common."""

from typing import Any

from tests.jose import Jwk
from tests.node import NodeUnderTest
from wardgate.core.identity import ENTITIES, ENTITY, Entity

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA")
ISSUER = "https://id.example.com"


async def person(node: NodeUnderTest, name: str = "ada") -> str:
    """A token of somebody with an entity, who may ask for identity tokens."""
    await node.policy("tokens", {"identity/oidc/*": "read,update"})
    await node.user(name, token_policies="tokens")
    auth = (await node.login(name)).auth
    assert auth is not None
    token: str = auth["client_token"]
    return token


async def entity_of(node: NodeUnderTest, token: str) -> str:
    found = await node.read("auth/token/lookup-self", token=token)
    entity: str = found.data["entity_id"]
    return entity


async def change_entity(node: NodeUnderTest, entity_id: str, changed: Entity | None) -> None:
    """Let the stored entity be another, or none."""
    transaction = await node.core.storage.begin()
    if changed is None:
        transaction.delete(ENTITIES + entity_id)
    else:
        transaction.put(ENTITIES + entity_id, changed, ENTITY)
    await transaction.commit()


async def make_role(node: NodeUnderTest, **settings: Any) -> None:
    """The role "app" with the key "k", EdDSA if not said otherwise, for any client."""
    algorithm = settings.pop("algorithm", "EdDSA")
    key: dict[str, Any] = {
        name: settings.pop(name)
        for name in ("rotation_period", "verification_ttl")
        if name in settings
    }
    await node.ok("identity/oidc/key/k", {"algorithm": algorithm, "allowed_client_ids": "*", **key})
    await node.ok("identity/oidc/role/app", {"key": "k", "client_id": "client", **settings})


async def signed(node: NodeUnderTest, token: str, role: str = "app") -> str:
    """An identity token."""
    response = await node.read(f"identity/oidc/token/{role}", token=token)
    assert response.status == 200, response.data
    found: str = response.data["token"]
    return found


async def public_keys(node: NodeUnderTest) -> list[Jwk]:
    """The published keys, as anybody may read them."""
    response = await node.read("identity/oidc/.well-known/keys", token="")
    assert response.status == 200
    found: list[Jwk] = response.data["keys"]
    return found


async def active(node: NodeUnderTest, identity_token: str, **fields: str) -> Any:
    """True, or why the server thinks that a token is not good."""
    response = await node.write("identity/oidc/introspect", {"token": identity_token, **fields})
    return response.data.get("error", response.data["active"])
