"""Kubernetes: what a login gives, and what it needs."""

import pytest

from tests.node import errors
from tests.pods import Pods, with_pods
from tests.servers import free_port

DENIED = ["permission denied"]


@with_pods
async def test_a_login_gives_a_token_with_the_roles_settings(pods: Pods) -> None:
    await pods.role(token_policies="web", token_ttl="10m")
    auth = await pods.logged_in(pods.token(pod="checkout-1"))
    assert (auth["policies"], auth["lease_duration"]) == (["default", "web"], 600)
    assert auth["metadata"] == {
        "role": "shop",
        "service_account_name": "checkout",
        "service_account_namespace": "shop",
        "service_account_secret_name": "",
        "service_account_uid": pods.checkout.uid,
    }
    looked = await pods.node.ok("auth/token/lookup", {"token": auth["client_token"]})
    assert looked.data["display_name"] == "kubernetes-shop-checkout"


@with_pods
async def test_the_token_of_a_secret_logs_in_until_the_secret_is_gone(pods: Pods) -> None:
    token = pods.cluster.legacy_token(pods.checkout)
    metadata = (await pods.logged_in(token))["metadata"]
    assert metadata["service_account_secret_name"].startswith("checkout-token-")
    pods.node.clock.advance(10 * 365 * 86400)
    await pods.logged_in(token)
    pods.cluster.delete_secrets(pods.checkout)
    assert errors(await pods.login(token)) == DENIED


@with_pods
async def test_the_alias_is_the_uid_or_the_name(pods: Pods) -> None:
    for source, name in (
        ("serviceaccount_uid", pods.checkout.uid),
        ("serviceaccount_name", "shop/checkout"),
    ):
        await pods.role(alias_name_source=source)
        entity = (await pods.logged_in(pods.token()))["entity_id"]
        (alias,) = (await pods.node.read(f"identity/entity/id/{entity}")).data["aliases"]
        assert alias["name"] == name
        assert alias["metadata"]["service_account_uid"] == pods.checkout.uid


@with_pods
async def test_an_account_that_was_made_again_is_somebody_else(pods: Pods) -> None:
    first = pods.token()
    entity = (await pods.logged_in(first))["entity_id"]
    pods.checkout = pods.cluster.account("shop", "checkout")
    assert errors(await pods.login(first)) == DENIED
    assert (await pods.logged_in(pods.token()))["entity_id"] != entity


@with_pods
async def test_names_and_namespaces_are_bound_by_globs(pods: Pods) -> None:
    web = pods.token(pods.cluster.account("dev-1", "web-a"))
    await pods.role(
        bound_service_account_names="web-*,x", bound_service_account_namespaces="dev-?,dev-*"
    )
    await pods.logged_in(web)
    assert errors(await pods.login(pods.token())) == ["service account name not authorized"]
    await pods.role(bound_service_account_namespaces="dev")
    assert errors(await pods.login(web)) == ["namespace not authorized"]
    assert pods.api.reviews() == 1  # nobody is asked about who has no chance


@with_pods
async def test_namespaces_may_be_chosen_by_their_labels(pods: Pods) -> None:
    dev = pods.token(pods.cluster.account("dev", "app"))
    await pods.role(
        bound_service_account_namespaces="",
        bound_service_account_namespace_selector="matchLabels: {team: sales}",
    )
    await pods.logged_in(pods.token())
    assert errors(await pods.login(dev)) == ["namespace not authorized"]
    pods.cluster.namespace("dev", {"team": "sales"})
    await pods.logged_in(dev)
    del pods.cluster.namespaces["dev"]
    assert errors(await pods.login(dev)) == ["namespace not authorized"]


@with_pods
async def test_a_role_may_mean_namespaces_by_name_or_by_label(pods: Pods) -> None:
    dev = pods.token(pods.cluster.account("dev", "app"))
    await pods.role(
        bound_service_account_namespaces="dev",
        bound_service_account_namespace_selector='{"matchExpressions":'
        ' [{"key": "team", "operator": "In", "values": ["sales", "ops"]}]}',
    )
    await pods.logged_in(dev)
    await pods.logged_in(pods.token())


@with_pods
async def test_labels_are_looked_up_with_the_reviewers_token_only(pods: Pods) -> None:
    own = pods.cluster.account("shop", "own", ["create tokenreviews", "get namespaces"])
    await pods.configure(token_reviewer_jwt="")
    await pods.role(
        bound_service_account_namespaces="",
        bound_service_account_namespace_selector="matchLabels: {team: sales}",
    )
    (message,) = errors(await pods.login(pods.token(own)))
    assert message.startswith("namespace not authorized: set token_reviewer_jwt")


@with_pods
async def test_an_audience_that_the_role_names_must_be_in_the_token(pods: Pods) -> None:
    await pods.role(audience="wardgate")
    await pods.logged_in(pods.token(audiences=["a", "wardgate"]))
    assert pods.api.asked[-1].body["spec"]["audiences"] == ["wardgate"]
    reviews = pods.api.reviews()
    for token in (pods.token(), pods.cluster.legacy_token(pods.checkout)):
        assert errors(await pods.login(token))[0].startswith("invalid audience (aud) claim")
    assert pods.api.reviews() == reviews


@with_pods
async def test_without_an_audience_the_tokens_own_are_asked_for(pods: Pods) -> None:
    await pods.logged_in(pods.token(audiences=["a", "b"]))
    assert pods.api.asked[-1].body["spec"]["audiences"] == ["a", "b"]
    await pods.logged_in(pods.cluster.legacy_token(pods.checkout))
    assert "audiences" not in pods.api.asked[-1].body["spec"]


@with_pods
async def test_a_token_has_its_time_give_or_take_a_minute(pods: Pods) -> None:
    token = pods.token(seconds=600)
    pods.node.clock.advance(659)
    await pods.logged_in(token)
    pods.node.clock.advance(2)
    assert errors(await pods.login(token)) == [
        "invalid expiration time (exp) claim: token is expired"
    ]
    later = pods.token()
    pods.node.clock.advance(-59)
    await pods.logged_in(later)
    pods.node.clock.advance(-2)
    assert errors(await pods.login(later)) == [
        "invalid not before (nbf) claim: token not yet valid"
    ]


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"iat": None}, 403),
        ({"iat": True}, 403),
        ({"exp": "tomorrow"}, 403),
        ({"exp": 1e300}, 200),
        ({"nbf": -5}, 200),
        ({"nbf": -(10**400)}, 200),
        ({"exp": 10**400}, 200),
        ({"iat": 1_700_000_061}, 403),
        ({"iat": 1_700_000_060}, 200),
        ({"aud": 5}, 403),
        ({"aud": [5]}, 403),
        ({"aud": None}, 403),
        ({"kubernetes.io": {}}, 403),
        ({"kubernetes.io": {"namespace": "shop", "serviceaccount": "checkout"}}, 403),
        ({"kubernetes.io": [1]}, 403),
    ],
)
def test_odd_claims_are_refused_or_mean_what_they_say(
    claims: dict[str, object], status: int
) -> None:
    @with_pods
    async def test(pods: Pods) -> None:
        token = pods.cluster.signer.signed({**pods.cluster.bound_claims(pods.checkout), **claims})
        assert (await pods.login(token)).status == status

    test()


@with_pods
async def test_the_issuer_is_checked_where_the_configuration_wants_it(pods: Pods) -> None:
    issuer = pods.cluster.bound_claims(pods.checkout)["iss"]
    await pods.configure(disable_iss_validation=False, issuer=issuer)
    await pods.logged_in(pods.token())
    await pods.configure(disable_iss_validation=False, issuer="https://elsewhere")
    assert errors(await pods.login(pods.token())) == ["invalid issuer (iss) claim"]
    await pods.configure(disable_iss_validation=True, issuer="https://elsewhere")
    await pods.logged_in(pods.token())


@with_pods
async def test_who_has_no_reviewer_asks_about_themselves(pods: Pods) -> None:
    await pods.configure(token_reviewer_jwt="")
    own = pods.cluster.account("shop", "own", ["create tokenreviews"])
    await pods.logged_in(pods.token(own))
    assert pods.api.asked[-1].bearer == pods.api.asked[-1].body["spec"]["token"]
    (message,) = errors(await pods.login(pods.token()))
    assert "system:auth-delegator" in message
    pods.cluster.delete(own)
    assert errors(await pods.login(pods.token(own))) == DENIED


@with_pods
async def test_addresses_bind_the_login_before_anybody_is_asked(pods: Pods) -> None:
    await pods.role(token_bound_cidrs="10.0.0.0/8")
    assert errors(await pods.login(pods.token())) == DENIED
    assert pods.api.asked == []
    await pods.logged_in(pods.token(), peer="10.1.1.1:5")


@with_pods
async def test_what_is_missing_is_named(pods: Pods) -> None:
    jwt = pods.token()
    for body, message in (
        ({}, "missing role"),
        ({"role": "shop"}, "missing jwt"),
        ({"jwt": jwt}, "missing role"),
        ({"role": "nobody", "jwt": jwt}, "invalid role name"),
        ({"role": "x/../shop", "jwt": jwt}, "invalid role name"),
        ({"role": "shop", "jwt": "x" * 16385}, "jwt: at most 16384 characters"),
    ):
        response = await pods.node.write("auth/kubernetes/login", body, token="")
        assert (response.status, errors(response)) == (400, [message])
    await pods.node.ok("sys/auth/other", {"type": "kubernetes"})
    role = {"bound_service_account_names": "*", "bound_service_account_namespaces": "*"}
    await pods.node.ok("auth/other/role/shop", role)
    response = await pods.node.write("auth/other/login", {"role": "shop", "jwt": jwt}, token="")
    assert response.status == 400
    assert "not configured" in errors(response)[0]


@with_pods
async def test_rate_limits_may_be_for_a_role(pods: Pods) -> None:
    await pods.role("other")
    limit = {"rate": 1, "interval": "1h", "path": "auth/kubernetes", "role": "shop"}
    await pods.node.ok("sys/quotas/rate-limit/shop", limit)
    await pods.logged_in(pods.token())
    for spelling in ("shop", "SHOP", "Shop"):
        assert (await pods.login(pods.token(), spelling)).status == 429
    await pods.logged_in(pods.token(), "other")


@with_pods
async def test_an_api_that_is_away_is_answered_with_502(pods: Pods) -> None:
    away = f"https://127.0.0.1:{free_port()}"
    await pods.configure(kubernetes_host=away)
    response = await pods.login(pods.token())
    assert response.status == 502
    assert errors(response)[0].startswith("the Kubernetes API cannot be asked: ")
    assert away not in errors(response)[0]
