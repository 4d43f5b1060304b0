"""A mount whose people log in at an identity provider, and the steps of such a login."""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from tests import saml_idp
from tests.node import PEER, NodeUnderTest, errors, with_node
from tests.saml_idp import ACS_URL, ENTITY_ID, SP_ENTITY_ID, SSO_URL, Key, Login
from tests.visitor import forms_of
from wardgate.core.request import Response

JsonMap = dict[str, Any]
VERIFIER = "of the program"
Test = Callable[[NodeUnderTest], Awaitable[None]]


@cache
def idp_key() -> Key:
    """The provider's key; one for all, since making one takes time."""
    return Key()


@cache
def other_key() -> Key:
    """Somebody else's key."""
    return Key()


def with_saml(body: Test) -> Callable[[], None]:
    """Make a test out of a coroutine function that is given a server with a mount at auth/saml and the
    role "people"."""

    async def run(node: NodeUnderTest) -> None:
        await node.ok("sys/auth/saml", {"type": "saml"})
        await configure(node)
        await role(node)
        await body(node)

    run.__doc__ = body.__doc__
    return with_node(run)


async def configure(node: NodeUnderTest, **more: Any) -> Response:
    """Write the mount's configuration."""
    config = {
        "entity_id": SP_ENTITY_ID,
        "acs_urls": [ACS_URL],
        "default_role": "people",
        "idp_sso_url": SSO_URL,
        "idp_entity_id": ENTITY_ID,
        "idp_cert": idp_key().certificate_pem,
    }
    return await node.ok("auth/saml/config", {**config, **more})


async def role(node: NodeUnderTest, name: str = "people", **fields: Any) -> Response:
    """Make a role for everybody, unless `fields` say otherwise."""
    return await node.ok(f"auth/saml/role/{name}", {"token_policies": "shop", **fields})


def challenge(verifier: str = VERIFIER) -> str:
    """What a program sends of its verifier."""
    return base64.b64encode(hashlib.sha256(verifier.encode()).digest()).decode()


async def begun(node: NodeUnderTest, peer: str = PEER, **fields: Any) -> JsonMap:
    """Begin a login, as a stranger; what the program is told."""
    body = {"client_challenge": challenge(), **fields}
    response = await node.ok("auth/saml/sso_service_url", body, token="", peer=peer)
    data: JsonMap = response.data
    return data


def asked(node: NodeUnderTest, data: JsonMap, **changes: object) -> Login:
    """The login as the provider knows it."""
    return saml_idp.asked(data["sso_service_url"], node.clock.now(), **changes)


async def callback(node: NodeUnderTest, login: Login, xml: str | bytes, **options: Any) -> Response:
    """The browser posts the provider's answer."""
    body = {"RelayState": login.relay_state, "SAMLResponse": saml_idp.posted(xml)}
    return await node.write("auth/saml/callback", body, token="", **options)


async def confirm(node: NodeUnderTest, page: Response, **options: Any) -> Response:
    """The person at the browser presses the page's only button."""
    assert page.raw is not None, page.data
    (form,) = forms_of(page.raw.decode())
    assert form.method == "post"
    return await node.write("auth/saml/callback", dict(form.fields), token="", **options)


async def poll(
    node: NodeUnderTest, data: JsonMap, verifier: str = VERIFIER, **options: Any
) -> Response:
    """The program asks for its token."""
    body = {"token_poll_id": data["token_poll_id"], "client_verifier": verifier}
    return await node.write("auth/saml/token", body, token="", **options)


async def logged_in(
    node: NodeUnderTest, sign: str = "assertion", begin: JsonMap | None = None, **said: object
) -> Response:
    """A whole login; the answer to the program."""
    data = await begun(node, **(begin or {}))
    login = asked(node, data, **said)
    page = await callback(node, login, saml_idp.answer(login, idp_key(), sign))
    assert page.status == 200, page.data
    assert (await confirm(node, page)).status == 200
    return await poll(node, data)


async def refused(node: NodeUnderTest, data: dict[str, Any], login: Login, xml: str) -> str:
    """What is said of an answer, which must let nobody in and end no login."""
    response = await callback(node, login, xml)
    assert response.status == 400
    assert errors(await poll(node, data)) == ["authorization_pending"]
    return errors(response)[0]
