"""Kubernetes: a renewal needs what the login needed."""

from tests.node import errors
from tests.pods import RENEW, Pods, with_pods


@with_pods
async def test_a_renewal_follows_the_role_as_it_is_now(pods: Pods) -> None:
    await pods.role(token_ttl="10m")
    token = (await pods.logged_in(pods.token()))["client_token"]
    await pods.role(token_ttl="20m", token_policies="changed")
    renewed = await pods.node.ok(RENEW, {}, token=token)
    assert renewed.auth is not None
    assert (renewed.auth["lease_duration"], renewed.auth["policies"]) == (1200, ["default"])
    await pods.node.delete("auth/kubernetes/role/shop")
    refused = await pods.node.write(RENEW, {}, token=token)
    assert (refused.status, "no longer exists" in errors(refused)[0]) == (400, True)
    assert await pods.node.lives(token)


@with_pods
async def test_the_cluster_is_asked_again(pods: Pods) -> None:
    token = (await pods.logged_in(pods.token(pod="checkout-1")))["client_token"]
    await pods.node.ok(RENEW, {}, token=token)
    assert pods.api.reviews() == 2
    pods.cluster.delete_pod("shop", "checkout-1")
    assert (await pods.node.write(RENEW, {}, token=token)).status == 403
    assert await pods.node.lives(token)


@with_pods
async def test_somebody_elses_token_is_renewed_on_the_same_terms(pods: Pods) -> None:
    auth = await pods.logged_in(pods.token())
    body = {"accessor": auth["accessor"]}
    await pods.node.ok("auth/token/renew-accessor", body)
    pods.cluster.delete(pods.checkout)
    assert (await pods.node.write("auth/token/renew-accessor", body)).status == 403


@with_pods
async def test_what_the_role_demands_is_demanded_again(pods: Pods) -> None:
    token = (await pods.logged_in(pods.token()))["client_token"]
    for fields in (
        {"bound_service_account_names": "other"},
        {"bound_service_account_namespaces": "other"},
        {"audience": "other"},
    ):
        await pods.role(**fields)
        assert (await pods.node.write(RENEW, {}, token=token)).status == 403
        await pods.role(audience="")
        await pods.node.ok(RENEW, {}, token=token)
    await pods.role(token_bound_cidrs="10.0.0.0/8")
    await pods.node.ok(RENEW, {}, token=token)  # as in OpenBao: the token has its own blocks


@with_pods
async def test_the_end_of_the_clusters_token_is_the_end_of_renewals(pods: Pods) -> None:
    await pods.role(token_ttl="1h", token_max_ttl="24h")
    token = (await pods.logged_in(pods.token(seconds=1800)))["client_token"]
    pods.node.clock.advance(1800)
    await pods.node.ok(RENEW, {}, token=token)
    pods.node.clock.advance(120)
    assert "expired" in errors(await pods.node.write(RENEW, {}, token=token))[0]


@with_pods
async def test_the_clusters_token_is_kept_where_only_the_server_reads(pods: Pods) -> None:
    jwt = pods.token()
    auth = await pods.logged_in(jwt)
    shown = [
        (await pods.node.read("auth/token/lookup-self", token=auth["client_token"])).data,
        (await pods.node.ok("auth/token/lookup", {"token": auth["client_token"]})).data,
        (await pods.node.read(f"identity/entity/id/{auth['entity_id']}")).data,
        auth,
    ]
    assert jwt not in repr(shown)


@with_pods
async def test_a_batch_token_does_not_carry_the_clusters_token(pods: Pods) -> None:
    jwt = pods.token()
    await pods.role(token_type="batch")
    batch = (await pods.logged_in(jwt))["client_token"]
    assert len(batch) < len(jwt)
