"""A mount, roles and logins for the tests of this method."""

from typing import Any

from tests.issuer import pem, signed
from tests.node import NodeUnderTest, errors
from wardgate.core.request import Response

JsonMap = dict[str, Any]


async def mounted(node: NodeUnderTest, **config: Any) -> None:
    """Enable the method, with the static key "rsa" unless `config` says otherwise."""
    if (await node.read("sys/auth/jwt")).status != 200:
        await node.ok("sys/auth/jwt", {"type": "jwt"})
    if not any(name in config for name in ("jwks_url", "oidc_discovery_url", "jwks_pairs")):
        config = {"jwt_validation_pubkeys": [pem("rsa")], **config}
    await node.ok("auth/jwt/config", config)


async def role(node: NodeUnderTest, name: str = "dev", **fields: Any) -> None:
    """Make a role for tokens to us, unless `fields` say otherwise."""
    base = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": "us"}
    await node.ok(f"auth/jwt/role/{name}", {**base, **fields})


def claims(node: NodeUnderTest, **more: Any) -> JsonMap:
    """Claims that the role of `role` takes for the next five minutes; None leaves one out."""
    now = int(node.clock.now())
    base = {"sub": "ada", "aud": "us", "iat": now, "exp": now + 300}
    return {name: value for name, value in {**base, **more}.items() if value is not None}


async def login(
    node: NodeUnderTest, token: str | JsonMap, role: str = "dev", **options: Any
) -> Response:
    """Log in with a token, or with claims that "rsa" signs."""
    jwt = token if isinstance(token, str) else signed(token)
    return await node.write("auth/jwt/login", {"role": role, "jwt": jwt}, token="", **options)


async def logged_in(node: NodeUnderTest, token: str | JsonMap, **options: Any) -> JsonMap:
    """The ``auth`` part of a login that succeeds."""
    response = await login(node, token, **options)
    assert response.status == 200, response.data
    assert response.auth is not None
    return response.auth


async def refusal(node: NodeUnderTest, token: str | JsonMap, **options: Any) -> str:
    """Why a login is refused, which has to be by 400."""
    response = await login(node, token, **options)
    assert response.status == 400, response.data
    return errors(response)[0]
