"""Every table that calls without a token can fill is bounded (security case 47).

What such a call leaves behind, and what bounds it:

- counts of requests for rate limits: `MAX_WINDOWS` of each kind (`core/quotas/counters.py`), or the
  `ROOM` of memory that processes share (`core/quotas/shared_counters.py`);
- counts of failed logins (`core/lockout.py`), in the storage: `SLOTS` records of `PER_SLOT` names
  for each mount;
- decoded records and those that are not there (`core/storage.py`): `CACHE_BYTES`;
- policy sets that were compiled (`core/policies.py`): a fixed number, and only tokens have any;
- requests in flight and bodies that are still arriving (`core/in_flight.py`, `http/arrivals.py`):
  one for each request, of which each connection has few, and connections are limited in number
  (`server/limits.py`);
- turns that writers wait for (`core/storage.py`): a fixed number;
- texts of durations that were read (`durations.py`): the last 1,024;
- answers that are wrapped (`core/pipeline.py`): none without a token, but those to logins that succeed;
- reviews of Kubernetes tokens (`auth/kubernetes/reviews.py`): of tokens that are good alone, `MOST` of
  them for each mount;
- logins at an OpenID provider that have begun (`auth/jwt/oidc/flows.py`), in the storage: `REGIONS`
  times `PER_REGION` records for each mount;
- registrations and logins with passkeys that have begun (`auth/webauthn/challenges.py`): as many;
- SAML logins that have begun (`auth/saml/flows.py`): as many, in the same way; of assertions that were
  used, 256 records of `_MOST_IN_BUCKET`, and only a trusted provider's count;
- key shares given to unseal the server (`barrier/shamir_seal.py`): one a share.
"""

import pytest

from tests.authenticator import Authenticator
from tests.node import NodeUnderTest, with_node
from tests.odd_provider import CALLBACK, OddProvider
from tests.passkeys import Passkeys
from tests.unit.auth.jwt.browser_logins import begun, callback, logged_in, stored, with_provider
from tests.unit.auth.saml import browser_logins as saml
from wardgate.auth import userpass
from wardgate.auth.saml import flows
from wardgate.core import lockout
from wardgate.core.quotas import MemoryCounters
from wardgate.core.storage import View
from wardgate.durations import _from_text
from wardgate.framework import pending


@with_node
async def test_47_addresses_without_end_fill_no_memory(node: NodeUnderTest) -> None:
    node.core.rate_limits.counters = counters = MemoryCounters(most=50)
    fields = {"rate": 1, "interval": "1h", "block_interval": "1h"}
    await node.ok("sys/quotas/rate-limit/all", fields)
    for number in range(500):
        for _ in range(2):
            await node.read("cubbyhole/a", token="", peer=f"10.0.{number // 250}.{number % 250}:1")
        assert len(counters) <= 100


def test_47_names_without_end_fill_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(userpass, "_COST", 4)
    monkeypatch.setattr(userpass, "_UNKNOWN", [])
    monkeypatch.setattr(lockout, "SLOTS", 8)
    monkeypatch.setattr(lockout, "PER_SLOT", 2)

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.user()
        before = len(await node.keys_below(""))
        for number in range(300):
            await node.login(f"nobody-{number}", "x")
        for name in ("x" * 4000, "a\tb", "/", "%00"):
            await node.login(name, "x")
        assert len(await node.keys_below("")) - before <= 8

    body()


@with_node
async def test_47_nothing_is_stored_for_what_is_not_there(node: NodeUnderTest) -> None:
    before = await node.keys_below("")
    for number in range(200):
        await node.read(f"nowhere-{number}/a", token=f"s.{number:024}")
        await node.write("sys/wrapping/unwrap", {"token": f"s.{number:024}"}, token="")
        await node.write(f"auth/nowhere-{number}/login/x", {"password": "x"}, token="")
    assert await node.keys_below("") == before


@with_node
async def test_47_who_has_no_token_has_nothing_stored_by_wrapping(node: NodeUnderTest) -> None:
    kept = (await node.read("sys/mounts", wrap_ttl=60)).wrap_info
    assert kept is not None
    before = await node.keys_below("")
    for token in ("", "s.nobody"):
        for path in ("sys/internal/ui/mounts", "identity/oidc/.well-known/keys"):
            assert (await node.read(path, token=token, wrap_ttl=60)).status in (400, 403)
        asked = {"token": kept["token"]}
        for path in ("sys/wrapping/lookup", "sys/wrapping/unwrap"):
            assert (await node.write(path, asked, token=token, wrap_ttl=60)).status in (400, 403)
    assert await node.keys_below("") == before
    wrapped = await node.read("sys/internal/ui/mounts", wrap_ttl=60)
    assert wrapped.wrap_info is not None
    again = await node.write("sys/wrapping/unwrap", token=kept["token"], wrap_ttl=60)
    assert again.wrap_info is not None
    await node.user()
    assert (await node.login(wrap_ttl=60)).wrap_info is not None


@with_node
async def test_47_tokens_without_end_fill_no_cache(node: NodeUnderTest) -> None:
    storage = node.core.storage
    storage._room = 100_000
    for number in range(2_000):
        await node.read("cubbyhole/a", token=f"s.{number:024}")
    assert storage._room >= 0
    assert len(storage.cache) < 300
    assert len(node.core.policies._compiled) == 0


@with_node
async def test_47_what_is_over_leaves_nothing_in_flight(node: NodeUnderTest) -> None:
    for number in range(100):
        await node.http("GET", f"/v1/cubbyhole/{number}", token=None)
        await node.http("POST", "/v1/sys/init", b"{", token=None)
    assert len(node.core.in_flight.requests) == 0
    assert len(node.application.arrivals._since) == 0


@with_node
async def test_47_durations_that_were_read_are_forgotten(node: NodeUnderTest) -> None:
    for number in range(2_000):
        await node.http("GET", "/v1/a", token=None, headers={"x-vault-wrap-ttl": f"{number}s"})
    assert _from_text.cache_info().currsize <= 1024


def test_47_logins_that_begin_without_end_fill_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "REGIONS", 2)
    monkeypatch.setattr(pending, "PER_REGION", 8)

    @with_provider
    async def body(node: NodeUnderTest, provider: OddProvider) -> None:
        for number in range(200):
            await begun(node, peer=f"10.0.0.{number}:1")
        assert len(await stored(node)) <= 16
        await logged_in(node, provider)

    body()


def test_47_passkeys_that_are_asked_for_without_end_fill_no_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pending, "REGIONS", 2)
    monkeypatch.setattr(pending, "PER_REGION", 8)

    @with_node
    async def body(node: NodeUnderTest) -> None:
        people, ada = await Passkeys.enabled(node), Authenticator()
        await people.register(ada)
        before = len(await node.keys_below(""))
        for number in range(100):
            peer = f"10.0.0.{number}:1"
            await people.begin("login", {"username": f"nobody-{number}"}, peer=peer)
            await people.begin("login", {}, peer=peer)
            await people.begin("register", {"username": f"somebody-{number}"}, peer=peer)
        assert len(await node.keys_below("")) - before <= 16
        await people.log_in(ada)

    body()


def test_47_a_flood_of_passkeys_from_one_network_leaves_most_others_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pending, "PER_REGION", 16)

    @with_node
    async def body(node: NodeUnderTest) -> None:
        people, ada = await Passkeys.enabled(node), Authenticator()
        await people.register(ada)
        peers = [f"10.{number}.0.1:1" for number in range(64)]
        begun = [await people.begin("login", {}, peer=peer) for peer in peers]
        for number in range(400):
            await people.begin("login", {}, peer=f"[2001:db8:1:{number:x}::1]:1")
        answers = [
            await people.send("login/finish", {"credential": ada.get(options)}) for options in begun
        ]
        assert [answer.status for answer in answers].count(200) >= 40

    body()


def test_47_a_flood_from_one_network_leaves_most_others_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pending, "PER_REGION", 16)

    @with_provider
    async def body(node: NodeUnderTest, provider: OddProvider) -> None:
        peers = [f"10.{number}.0.1:1" for number in range(64)]
        backs = [provider.authorize((await begun(node, peer=peer))["auth_url"]) for peer in peers]
        for number in range(400):
            await begun(node, peer=f"[2001:db8:1:{number:x}::1]:1")
        ended = [(await callback(node, back)).status for back in backs]
        assert ended.count(200) >= 40  # of the sixteen regions the flood has one

    body()


@with_provider
async def test_47_a_login_that_begins_is_not_wrapped_for_strangers(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    body = {"redirect_uri": CALLBACK}
    before = await node.keys_below("")
    response = await node.write("auth/oidc/oidc/auth_url", body, token="", wrap_ttl=600)
    assert response.status == 400
    assert await node.keys_below("") == before
    response = await node.write("auth/oidc/oidc/auth_url", body, wrap_ttl=600)
    assert response.wrap_info is not None
    back = provider.authorize((await begun(node))["auth_url"])
    ended = await callback(node, back, wrap_ttl=600)
    assert ended.wrap_info is not None


def test_47_saml_logins_that_begin_without_end_fill_no_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pending, "REGIONS", 2)
    monkeypatch.setattr(pending, "PER_REGION", 8)

    @saml.with_saml
    async def body(node: NodeUnderTest) -> None:
        before = len(await node.keys_below(""))
        for number in range(200):
            await saml.begun(node, peer=f"10.0.0.{number}:1")
        assert len(await node.keys_below("")) - before <= 16
        assert (await saml.logged_in(node)).auth is not None

    body()


@with_node
async def test_47_used_assertions_are_forgotten(node: NodeUnderTest) -> None:
    """No later than logins that they could belong to are over, and however many there are."""
    transaction = await node.core.storage.begin()
    view, now = View(transaction, "mount/"), node.clock.now()
    for number in range(3_000):
        assert await flows.use_once(view, "issuer", f"_{number}", now)
    assert not await flows.use_once(view, "issuer", "_2999", now)
    assert await flows.use_once(view, "another", "_2999", now)
    staged = transaction.staged()
    assert len(staged) <= 256
    size = sum(len(codec.encode(record)) for record, codec in filter(None, staged.values()))
    later = now + 2 * flows.LIFE
    for number in range(3_000, 6_000):
        assert await flows.use_once(view, "issuer", f"_{number}", later)
    again = transaction.staged()
    grown = sum(len(codec.encode(record)) for record, codec in filter(None, again.values()))
    assert grown <= size * 1.2
