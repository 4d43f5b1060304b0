"""Keys that are fetched: when, how often, and what happens when nobody gives them."""

import asyncio

from tests.issuer import Issuer, pem, serving, signed
from tests.node import NodeUnderTest, errors, with_node
from tests.unit.auth.jwt.logins import claims, logged_in, login, mounted, refusal, role
from wardgate.auth.jwt.key_sets import AT_MOST_EVERY, FRESH, KEPT

JWKS = "/jwks"
DISCOVERY = "/.well-known/openid-configuration"


async def with_keys(node: NodeUnderTest, issuer: Issuer) -> None:
    """A mount whose keys come from the issuer's key set, and a role."""
    await mounted(node, jwks_url=f"{issuer.address}{JWKS}")
    await role(node)


@with_node
async def test_keys_come_from_a_key_set_and_are_kept(node: NodeUnderTest) -> None:
    with serving() as issuer:
        await with_keys(node, issuer)
        for key_id in issuer.published:
            await logged_in(node, issuer.sign(claims(node), key_id))
        assert issuer.asked[JWKS] == 2  # once to see that they are there, once to use them
        await logged_in(node, signed(claims(node), "ec"))  # it names no key
        assert issuer.asked[JWKS] == 2


@with_node
async def test_keys_come_from_an_openid_provider(node: NodeUnderTest) -> None:
    with serving() as issuer:
        await mounted(node, oidc_discovery_url=issuer.address)
        await role(node)
        await logged_in(node, issuer.sign(claims(node)))
        assert (issuer.asked[DISCOVERY], issuer.asked[JWKS]) == (2, 2)


@with_node
async def test_keys_come_from_several_key_sets(node: NodeUnderTest) -> None:
    with serving() as one, serving() as other:
        other.published = {"other-1": "other"}
        pairs = [{"jwks_url": f"{each.address}{JWKS}"} for each in (one, other)]
        await mounted(node, jwks_pairs=pairs)
        await role(node)
        shown = (await node.read("auth/jwt/config")).data
        assert [pair["jwks_url"] for pair in shown["jwks_pairs"]] == [
            pair["jwks_url"] for pair in pairs
        ]
        await logged_in(node, one.sign(claims(node)))
        await logged_in(node, other.sign(claims(node), "other-1"))
        asked = one.asked[JWKS]
        node.clock.advance(AT_MOST_EVERY)
        await logged_in(node, other.sign(claims(node), "other-1"))
        assert one.asked[JWKS] == asked  # it is the other set that has the key
        one.answers[JWKS] = (500, b"")
        await mounted(node, jwks_pairs=pairs, skip_jwks_validation=True)
        await logged_in(node, other.sign(claims(node), "other-1"))
        assert "status 500" in await refusal(node, signed(claims(node), "rsa", kid="rsa-1"))


@with_node
async def test_a_new_key_is_found_when_a_token_names_it(node: NodeUnderTest) -> None:
    with serving() as issuer:
        await with_keys(node, issuer)
        await logged_in(node, issuer.sign(claims(node)))
        issuer.published = {"new": "other"}
        node.clock.advance(AT_MOST_EVERY)
        await logged_in(node, issuer.sign(claims(node), "new"))
        assert "no known key" in await refusal(node, signed(claims(node), "rsa", kid="rsa-1"))


@with_node
async def test_a_withdrawn_key_is_good_for_a_while_at_most(node: NodeUnderTest) -> None:
    with serving() as issuer:
        await with_keys(node, issuer)
        await logged_in(node, issuer.sign(claims(node)))
        issuer.published = {"ec-1": "ec"}
        node.clock.advance(FRESH)
        assert "no known key" in await refusal(node, signed(claims(node), "rsa", kid="rsa-1"))


@with_node
async def test_old_keys_are_used_for_a_while_when_nobody_answers(node: NodeUnderTest) -> None:
    with serving() as issuer:
        await with_keys(node, issuer)
        await logged_in(node, issuer.sign(claims(node)))
        issuer.answers[JWKS] = (503, b"")
        node.clock.advance(FRESH)
        await logged_in(node, issuer.sign(claims(node)))
        node.clock.advance(KEPT - FRESH - 1)
        await logged_in(node, issuer.sign(claims(node)))
        node.clock.advance(AT_MOST_EVERY)
        message = await refusal(node, issuer.sign(claims(node)))
        assert message.endswith("the keys could not be had: the answer has status 503")
        del issuer.answers[JWKS]
        node.clock.advance(AT_MOST_EVERY)
        await logged_in(node, issuer.sign(claims(node)))


@with_node
async def test_logins_that_need_keys_at_once_wait_for_one_fetch(node: NodeUnderTest) -> None:
    with serving() as issuer:
        await with_keys(node, issuer)
        issuer.going_on.clear()
        token = issuer.sign(claims(node))
        logins = [asyncio.create_task(login(node, token)) for _ in range(20)]
        await issuer.was_asked(JWKS, 2)
        issuer.going_on.set()
        assert {response.status for response in await asyncio.gather(*logins)} == {200}
        assert issuer.asked[JWKS] == 2


@with_node
async def test_a_login_that_is_given_up_does_not_end_the_fetch_of_others(
    node: NodeUnderTest,
) -> None:
    with serving() as issuer:
        await with_keys(node, issuer)
        issuer.going_on.clear()
        token = issuer.sign(claims(node))
        first, second = (asyncio.create_task(login(node, token)) for _ in range(2))
        await issuer.was_asked(JWKS, 2)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        issuer.going_on.set()
        assert (await second).status == 200


@with_node
async def test_a_configuration_whose_keys_cannot_be_had_is_refused(node: NodeUnderTest) -> None:
    with serving() as issuer:
        await node.ok("sys/auth/jwt", {"type": "jwt"})
        config = "auth/jwt/config"
        for path, answer, why in (
            (JWKS, (404, b""), "status 404"),
            (JWKS, (200, b"<html>"), "not JSON"),
            (JWKS, (200, b"[]"), "no list called keys"),
            (JWKS, (200, b'{"keys": []}'), "without a key that can be used"),
            (DISCOVERY, (200, b"[]"), "no JSON object"),
            (DISCOVERY, (200, b'{"issuer": "https://else"}'), "is not oidc_discovery_url"),
        ):
            issuer.answers = {path: answer}
            urls = (
                {"jwks_url": issuer.address + JWKS}
                if path == JWKS
                else {"oidc_discovery_url": issuer.address}
            )
            refused = errors(await node.write(config, urls))[0]
            assert why in refused
            assert (await node.read(config)).status == 404
        stored = await node.ok(config, {**urls, "skip_jwks_validation": True})
        assert stored.warnings == [refused]
        shown = await node.read(config)
        assert shown.data["status"] == "invalid"
        assert shown.warnings == [f"the keys could not be had: {refused.partition(': ')[2]}"]


@with_node
async def test_an_issuer_has_to_name_itself_as_it_is_configured(node: NodeUnderTest) -> None:
    with serving() as issuer:
        await node.ok("sys/auth/jwt", {"type": "jwt"})
        refused = await node.write("auth/jwt/config", {"oidc_discovery_url": issuer.address + "/"})
        assert "is not oidc_discovery_url" in errors(refused)[0]


@with_node
async def test_another_process_learns_of_a_new_configuration(node: NodeUnderTest) -> None:
    with serving() as issuer:
        await with_keys(node, issuer)
        other = await node.another()
        token = issuer.sign(claims(node))
        await logged_in(other, token)
        await mounted(node, jwt_validation_pubkeys=[pem("other")])
        assert "no known key" in await refusal(other, token)
        await other.core.outgoing.close()
