"""A mount whose people log in at a provider, and the steps of such a login."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.node import PEER, NodeUnderTest, errors, with_node
from tests.odd_provider import CALLBACK, CLIENT_ID, CLIENT_SECRET, OddProvider, odd_provider
from wardgate.core.request import Response

JsonMap = dict[str, Any]
NONCE = "of the program"
Test = Callable[[NodeUnderTest, OddProvider], Awaitable[None]]


def with_provider(body: Test) -> Callable[[], None]:
    """Make a test out of a coroutine function that is given a server and a provider that it uses,
    with the role "people"."""

    async def run(node: NodeUnderTest) -> None:
        with odd_provider(node.clock.now) as provider:
            await node.ok("sys/auth/oidc", {"type": "oidc"})
            await configure(node, provider)
            await role(node)
            await body(node, provider)

    run.__doc__ = body.__doc__
    return with_node(run)


async def configure(node: NodeUnderTest, provider: OddProvider, **more: Any) -> None:
    """Write the mount's configuration."""
    config = {
        "oidc_discovery_url": provider.address,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "default_role": "people",
        **more,
    }
    await node.ok("auth/oidc/config", config)


async def role(node: NodeUnderTest, name: str = "people", **fields: Any) -> None:
    """Make a role for everybody, unless `fields` say otherwise."""
    base = {"role_type": "oidc", "user_claim": "sub", "allowed_redirect_uris": CALLBACK}
    await node.ok(f"auth/oidc/role/{name}", {**base, **fields})


async def begun(node: NodeUnderTest, peer: str = PEER, **fields: Any) -> JsonMap:
    """Begin a login, as a stranger; what the program is told."""
    body = {"redirect_uri": CALLBACK, **fields}
    response = await node.ok("auth/oidc/oidc/auth_url", body, token="", peer=peer)
    data: JsonMap = response.data
    return data


async def callback(node: NodeUnderTest, query: dict[str, str], **options: Any) -> Response:
    """What the browser brought back goes to the server."""
    return await node.read("auth/oidc/oidc/callback", query=query, token="", **options)


async def posted(node: NodeUnderTest, form: dict[str, str]) -> Response:
    """The same by form_post."""
    return await node.write("auth/oidc/oidc/callback", form, token="")


async def poll(node: NodeUnderTest, state: str, nonce: str = NONCE, **options: Any) -> Response:
    """The program asks whether the login has ended."""
    body = {"state": state, "client_nonce": nonce}
    return await node.write("auth/oidc/oidc/poll", body, token="", **options)


async def logged_in(node: NodeUnderTest, provider: OddProvider, **fields: Any) -> JsonMap:
    """The ``auth`` part of a login in callback mode client that succeeds."""
    back = provider.authorize((await begun(node, **fields))["auth_url"])
    response = await callback(node, back)
    assert response.status == 200, response.data
    assert response.auth is not None
    return response.auth


async def groups_of(node: NodeUnderTest, provider: OddProvider, *names: str) -> set[str]:
    """Which of the groups called `names` somebody is in who logs in now."""
    accessor = (await node.read("sys/auth/oidc")).data["accessor"]
    for name in names:
        made = await node.ok("identity/group", {"type": "external", "name": name})
        if made.data:
            alias = {"name": name, "mount_accessor": accessor, "canonical_id": made.data["id"]}
            await node.ok("identity/group-alias", alias)
    response = await callback(node, provider.authorize((await begun(node))["auth_url"]))
    assert response.auth is not None, response.data
    entity = (await node.read(f"identity/entity/id/{response.auth['entity_id']}")).data
    found = set()
    for each in entity["group_ids"]:
        found.add((await node.read(f"identity/group/id/{each}")).data["name"])
    return found


async def refusal(node: NodeUnderTest, provider: OddProvider) -> str:
    """Why somebody is refused who logs in now."""
    response = await callback(node, provider.authorize((await begun(node))["auth_url"]))
    return errors(response)[0]


async def stored(node: NodeUnderTest) -> list[str]:
    """The keys of all logins that have not ended."""
    mount = (await node.read("sys/auth/oidc")).data["uuid"]
    return await node.keys_below(f"mount/{mount}/flow/")


def page_of(response: Response) -> str:
    """The text of an HTML page, which has to have the headers of one."""
    assert response.content_type == "text/html; charset=utf-8"
    assert response.raw is not None
    headers = dict(response.headers)
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    text = response.raw.decode()
    assert "<script" not in text
    return text
