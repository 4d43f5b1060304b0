"""Logins at the identity provider of pysaml2, which signs and encrypts with xmlsec1."""

import sys
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.node import NodeUnderTest, errors
from tests.pysaml2_idp import Pysaml2
from tests.saml_idp import ENTITY_ID, SSO_URL
from tests.unit.auth.saml.browser_logins import (
    asked,
    begun,
    callback,
    configure,
    confirm,
    idp_key,
    other_key,
    poll,
    role,
    with_saml,
)
from wardgate.auth.saml.certificates import from_pem
from wardgate.auth.saml.metadata import read_metadata

XENC, XENC11 = "http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#"
MAIL = "URN:mace:dir:attribute-def:mail"
GCM, CBC = f"{XENC11}aes256-gcm", f"{XENC}aes256-cbc"
BOTH = {"sign_response": True, "sign_assertion": True}
UNTRUSTED = (
    "Login failed. The identity provider's answer cannot be verified; the server's log says more."
)

Test = Callable[[NodeUnderTest, Pysaml2], Awaitable[None]]


def with_pysaml2(body: Test) -> Callable[[], None]:
    """Make a test out of a coroutine function that is given a server, whose clock is right, and a
    provider that knows it."""

    async def run(node: NodeUnderTest) -> None:
        node.clock.advance(time.time() - node.clock.now())
        metadata = await node.http("GET", "/v1/auth/saml/metadata", token=None)
        assert metadata.headers["content-type"] == "application/samlmetadata+xml"
        await body(node, Pysaml2(idp_key(), metadata.body))

    return with_saml(run)


SIGNED = [
    {"sign_response": True},
    {"sign_assertion": True},
    BOTH,
    {**BOTH, "encryption": GCM},
    {**BOTH, "encryption": f"{XENC11}aes128-gcm", "session_key": "aes-128"},
    {**BOTH, "encryption": CBC},
    {"sign_assertion": True, "encryption": GCM, "self_contained": False},
    {"sign_response": True, "encryption": GCM},
    {"sign_response": True, "encryption": CBC},
    {"sign_assertion": True, "encryption": GCM},
]


@pytest.mark.parametrize("how", SIGNED, ids=str)
def test_people_log_in(how: dict[str, object]) -> None:
    @with_pysaml2
    async def check(node: NodeUnderTest, provider: Pysaml2) -> None:
        await role(node, bound_attributes={MAIL: "ada@example.com"})
        data = await begun(node)
        xml = provider.answer(data["sso_service_url"], **how)
        assert (b"EncryptedAssertion" in xml) == ("encryption" in how)
        page = await callback(node, asked(node, data), xml)
        assert page.status == 200, page.data
        await confirm(node, page)
        auth = (await poll(node, data)).auth
        assert auth is not None
        assert auth["metadata"] == {"role": "people"}

    check()


@with_pysaml2
async def test_its_metadata_configure_the_mount(node: NodeUnderTest, provider: Pysaml2) -> None:
    found = read_metadata(provider.metadata(), node.clock.now(), secure=True)
    assert (found.entity_id, found.sso_url) == (ENTITY_ID, SSO_URL)
    assert found.certificates == from_pem(idp_key().certificate_pem)


ENCRYPTED = [
    ({"encryption": GCM}, UNTRUSTED),
    ({"encryption": CBC}, "has to come in a signed response"),
    ({"sign_assertion": True, "encryption": CBC}, "has to come in a signed response"),
    (
        {**BOTH, "encryption": f"{XENC}tripledes-cbc", "session_key": "des-192"},
        "is not encrypted with AES-GCM",
    ),
]


@pytest.mark.parametrize(("how", "said"), ENCRYPTED, ids=str)
def test_encryption_is_no_signature(how: dict[str, object], said: str) -> None:
    @with_pysaml2
    async def check(node: NodeUnderTest, provider: Pysaml2) -> None:
        data = await begun(node)
        xml = provider.answer(data["sso_service_url"], **how)
        response = await callback(node, asked(node, data), xml)
        assert said in errors(response)[0]
        assert errors(await poll(node, data)) == ["authorization_pending"]

    check()


@with_pysaml2
async def test_an_answer_with_another_key_says_the_same_wherever_it_fails(
    node: NodeUnderTest, provider: Pysaml2
) -> None:
    """What cannot be decrypted, what is no XML then, and what nobody signed: nobody can tell."""
    data = await begun(node)
    url, login = data["sso_service_url"], asked(node, data)
    good = provider.answer(url, encryption=GCM, sign_assertion=True)
    unsigned = provider.answer(url, encryption=GCM)
    start = good.rindex(b"CipherValue>", 0, good.rindex(b"CipherValue>"))
    cut = good[: start + 40] + bytes([good[start + 40] ^ 1]) + good[start + 41 :]
    start = good.index(b"CipherValue>")
    other = good[: start + 40] + bytes([good[start + 40] ^ 1]) + good[start + 41 :]
    for xml in (unsigned, cut, other):
        assert errors(await callback(node, login, xml)) == [UNTRUSTED]
    assert (await callback(node, login, good)).status == 200


def test_a_library_that_does_not_load_refuses_encrypted_assertions_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "wardgate.auth.saml.decryption", None)

    @with_pysaml2
    async def check(node: NodeUnderTest, provider: Pysaml2) -> None:
        data = await begun(node)
        url, login = data["sso_service_url"], asked(node, data)
        xml = provider.answer(url, **BOTH, encryption=GCM)
        said = errors(await callback(node, login, xml))[0]
        assert "this server cannot decrypt assertions" in said
        assert (await callback(node, login, provider.answer(url, **BOTH))).status == 200

    check()


@with_pysaml2
async def test_two_mounts_have_two_keys(node: NodeUnderTest, provider: Pysaml2) -> None:
    await node.ok("sys/auth/two", {"type": "saml"})
    config = (await node.read("auth/saml/config")).data
    await node.ok("auth/two/config", dict(config))
    one = await node.http("GET", "/v1/auth/saml/metadata", token=None)
    two = await node.http("GET", "/v1/auth/two/metadata", token=None)
    assert one.body != two.body
    await configure(node)  # a write keeps the key
    assert (await node.http("GET", "/v1/auth/saml/metadata", token=None)).body == one.body


@with_pysaml2
async def test_another_provider_of_the_same_name_is_nobody(
    node: NodeUnderTest, provider: Pysaml2
) -> None:
    metadata = await node.http("GET", "/v1/auth/saml/metadata", token=None)
    impostor = Pysaml2(other_key(), metadata.body)
    data = await begun(node)
    for how in (BOTH, {**BOTH, "encryption": GCM}):
        xml = impostor.answer(data["sso_service_url"], **how)
        assert errors(await callback(node, asked(node, data), xml)) == [UNTRUSTED]
