"""Providers that are known by the address of their metadata."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from tests import saml_idp
from tests.node import NodeUnderTest, errors
from tests.saml_idp import ENTITY_ID, SSO_URL, Key, metadata
from tests.serving import serving
from tests.unit.auth.saml.browser_logins import (
    asked,
    begun,
    callback,
    challenge,
    configure,
    confirm,
    idp_key,
    other_key,
    poll,
    with_saml,
)
from wardgate.auth.saml.metadata import UnusableMetadata, read_metadata
from wardgate.auth.saml.provider import AT_MOST_EVERY, FRESH


class Served:
    """Metadata at an address; counts how often it was asked for."""

    def __init__(self) -> None:
        self.document = metadata(idp_key())
        self.status = 200
        self.asked = 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(body=self.document, status=self.status)


Test = Callable[[NodeUnderTest, Served, str], Awaitable[None]]


def with_metadata(body: Test) -> Callable[[], None]:
    """Make a test out of a coroutine function that is given a server, what its provider says of itself,
    and where."""

    async def run(node: NodeUnderTest) -> None:
        async with _served(node) as (served, address):
            await body(node, served, address)

    return with_saml(run)


@contextlib.asynccontextmanager
async def _served(node: NodeUnderTest) -> AsyncIterator[tuple[Served, str]]:
    served = Served()
    async with serving(served.answer) as address:
        try:
            await by_address(node, address)
            yield served, address
        finally:
            await node.core.outgoing.close()


async def by_address(node: NodeUnderTest, address: str) -> None:
    """The mount's provider is known by its metadata alone."""
    await node.ok("auth/saml/config", {"idp_metadata_url": f"{address}/metadata"})


async def answered(node: NodeUnderTest, key: Key) -> int:
    """The status of the page that ends a login at the provider, which signs with `key`."""
    data = await begun(node)
    login = asked(node, data)
    return (await callback(node, login, saml_idp.answer(login, key))).status


@with_metadata
async def test_people_log_in(node: NodeUnderTest, served: Served, address: str) -> None:
    data = await begun(node)
    assert data["sso_service_url"].startswith(f"{SSO_URL}?SAMLRequest=")
    login = asked(node, data)
    await confirm(node, await callback(node, login, saml_idp.answer(login, idp_key())))
    assert (await poll(node, data)).auth is not None
    assert served.asked == 1


@with_metadata
async def test_a_provider_with_two_keys_may_use_either(
    node: NodeUnderTest, served: Served, address: str
) -> None:
    served.document = metadata(other_key(), idp_key())
    await by_address(node, address)
    assert await answered(node, idp_key()) == 200
    assert await answered(node, other_key()) == 200


@with_metadata
async def test_a_new_key_is_found_when_it_is_used(
    node: NodeUnderTest, served: Served, address: str
) -> None:
    served.document = metadata(idp_key(), other_key())
    assert await answered(node, other_key()) == 400  # it is too soon to ask again
    node.clock.advance(AT_MOST_EVERY)
    assert await answered(node, other_key()) == 200
    assert served.asked == 2


@with_metadata
async def test_strangers_cannot_have_the_provider_asked_often(
    node: NodeUnderTest, served: Served, address: str
) -> None:
    node.clock.advance(AT_MOST_EVERY)
    for _ in range(10):
        assert await answered(node, other_key()) == 400
    assert served.asked == 2


@with_metadata
async def test_a_key_that_was_taken_back_is_not_trusted(
    node: NodeUnderTest, served: Served, address: str
) -> None:
    served.document = metadata(other_key())
    assert await answered(node, idp_key()) == 200  # nobody has asked yet
    node.clock.advance(FRESH)
    assert await answered(node, idp_key()) == 400
    assert await answered(node, other_key()) == 200


@with_metadata
async def test_metadata_that_are_old_are_worth_nothing(
    node: NodeUnderTest, served: Served, address: str
) -> None:
    served.status = 500
    assert await answered(node, idp_key()) == 200
    node.clock.advance(FRESH)
    body = {"client_challenge": challenge()}
    response = await node.write("auth/saml/sso_service_url", body, token="")
    assert response.status == 502
    assert errors(response)[0].endswith("cannot be used: the answer has status 500")


@with_metadata
async def test_a_provider_that_cannot_be_asked_again_is_known_still(
    node: NodeUnderTest, served: Served, address: str
) -> None:
    """Who sends forged answers has it asked; that must not lock out everybody else."""
    served.status = 500
    node.clock.advance(AT_MOST_EVERY)
    assert await answered(node, other_key()) == 400
    assert served.asked == 2
    assert await answered(node, idp_key()) == 200


@with_metadata
async def test_metadata_end_when_they_say_so(
    node: NodeUnderTest, served: Served, address: str
) -> None:
    served.document = metadata(idp_key(), valid_until=node.clock.now() + 60)
    await by_address(node, address)
    assert await answered(node, idp_key()) == 200
    node.clock.advance(61)
    body = {"client_challenge": challenge()}
    response = await node.write("auth/saml/sso_service_url", body, token="")
    assert response.status == 502
    assert "validUntil" in errors(response)[0]
    assert ENTITY_ID not in errors(response)[0]


@with_metadata
async def test_metadata_that_end_soon_after_they_came_say_why(
    node: NodeUnderTest, served: Served, address: str
) -> None:
    served.document = metadata(idp_key(), valid_until=node.clock.now() + AT_MOST_EVERY / 2)
    await by_address(node, address)
    node.clock.advance(AT_MOST_EVERY / 2 + 1)
    body = {"client_challenge": challenge()}
    said = errors(await node.write("auth/saml/sso_service_url", body, token=""))[0]
    assert said.endswith("cannot be used: the metadata is not valid any more (validUntil)")
    assert served.asked == 2  # once for each write


@with_metadata
async def test_writing_the_configuration_drops_the_old_keys_at_once(
    node: NodeUnderTest, served: Served, address: str
) -> None:
    served.document = metadata(other_key())
    await by_address(node, address)
    assert await answered(node, idp_key()) == 400
    assert await answered(node, other_key()) == 200


@with_metadata
async def test_both_ways_exclude_each_other(
    node: NodeUnderTest, served: Served, address: str
) -> None:
    found = (await node.read("auth/saml/config")).data
    assert (found["idp_sso_url"], found["idp_entity_id"], found["idp_cert"]) == ("", "", "")
    both = {"idp_metadata_url": address, "idp_sso_url": SSO_URL, "idp_cert": "x"}
    said = errors(await node.write("auth/saml/config", both))[0]
    assert said == "idp_metadata_url: excludes idp_sso_url, idp_cert; give one of both"
    await configure(node)
    assert (await node.read("auth/saml/config")).data["idp_metadata_url"] == ""


@with_metadata
async def test_metadata_of_no_use_are_not_configured(
    node: NodeUnderTest, served: Served, address: str
) -> None:
    before = (await node.read("auth/saml/config")).data
    for document, status, said in (
        (b"<a/>", 200, "not SAML metadata"),
        (b"", 404, "the answer has status 404"),
        (metadata(idp_key(), binding="HTTP-POST"), 200, "it offers HTTP-POST"),
    ):
        served.document, served.status = document, status
        body = {"idp_metadata_url": f"{address}/other"}
        response = await node.write("auth/saml/config", body)
        assert errors(response)[0].startswith("idp_metadata_url: ")
        assert said in errors(response)[0]
    assert (await node.read("auth/saml/config")).data == before


@with_metadata
async def test_what_the_provider_wants_and_does_not_get_is_warned_of(
    node: NodeUnderTest, served: Served, address: str
) -> None:
    served.document = metadata(idp_key(), more=' WantAuthnRequestsSigned="true"')
    response = await node.ok("auth/saml/config", {"idp_metadata_url": f"{address}/metadata"})
    assert response.warnings is not None
    assert any("WantAuthnRequestsSigned" in each for each in response.warnings)


ODD: dict[str, tuple[bytes, str]] = {
    "no provider": (metadata(Key()).replace(b"IDPSSO", b"SPSSO"), "0 identity providers"),
    "another protocol": (metadata(Key()).replace(b"SAML:2.0:prot", b"SAML:1.1:prot"), "0 identity"),
    "no keys": (metadata(), "from 1 to 10 certificates"),
    "odd key": (metadata(Key()).replace(b"X509Certificate>MII", b"X509Certificate>AAA"), "be read"),
    "no name": (metadata(Key(), entity_id=""), "does not name the provider"),
    "no address": (metadata(Key(), sso_url="javascript:alert(1)"), "no http or https URL"),
    "taken": (metadata(Key(), sso_url=f"{SSO_URL}?RelayState=x"), "request can be added"),
    "no binding": (metadata(Key(), binding="Odd"), "no known binding"),
    "odd end": (metadata(Key(), more=' validUntil="soon"'), "validUntil cannot be read"),
    "doctype": (b"<!DOCTYPE a>" + metadata(Key()), "document type"),
    "huge": (metadata(Key()) + b" " * 2**20, "longer than"),
    "plain": (metadata(Key(), sso_url="http://idp.example.test/"), "not https"),
    "encryption alone": (metadata(Key()).replace(b'"signing"', b'"encryption"'), "from 1 to 10"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_metadata(name: str) -> None:
    document, said = ODD[name]
    with pytest.raises(UnusableMetadata, match=said):
        read_metadata(document, 1e9, secure=True)


def test_one_provider_among_several_entities() -> None:
    inner = metadata(idp_key())
    wrapped = (
        b'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">'
        + inner
        + inner.replace(b"IDPSSO", b"SPSSO")
        + b"</md:EntitiesDescriptor>"
    )
    assert read_metadata(wrapped, 1e9, secure=True).entity_id == ENTITY_ID
    with pytest.raises(UnusableMetadata, match="2 identity providers"):
        read_metadata(wrapped.replace(b":SPSSO", b":IDPSSO"), 1e9, secure=True)
