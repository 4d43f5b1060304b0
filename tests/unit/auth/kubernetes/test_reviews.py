"""Kubernetes: reviews that are remembered, annotations, and requests that run again."""

import pytest

from tests.node import errors
from tests.pods import Pods, strange_api, with_pods
from tests.services.kubernetes_cluster import CREATE_REVIEWS
from wardgate.auth.kubernetes import reviews
from wardgate.auth.kubernetes.reviews import Reviews, review_key

PREFIX = "vault.hashicorp.com/alias-metadata-"


@with_pods
async def test_every_login_is_reviewed_unless_the_configuration_says_otherwise(pods: Pods) -> None:
    jwt = pods.token()
    for _ in range(3):
        await pods.logged_in(jwt)
    assert pods.api.reviews() == 3


@with_pods
async def test_a_review_is_remembered_for_as_long_as_was_said(pods: Pods) -> None:
    await pods.configure(token_review_cache_ttl=5)
    jwt = pods.token()
    await pods.logged_in(jwt)
    pods.cluster.delete(pods.checkout)
    pods.node.clock.advance(4.9)
    await pods.logged_in(jwt)
    assert pods.api.reviews() == 1
    pods.node.clock.advance(0.2)
    assert (await pods.login(jwt)).status == 403
    assert pods.api.reviews() == 2


@with_pods
async def test_what_is_remembered_is_one_token_under_one_configuration(pods: Pods) -> None:
    await pods.configure(token_review_cache_ttl=60)
    jwt = pods.token()
    await pods.logged_in(jwt)
    await pods.logged_in(pods.token())
    await pods.role(audience=pods.cluster.bound_claims(pods.checkout)["iss"])
    await pods.logged_in(jwt)
    assert pods.api.reviews() == 2  # the audience that was asked for is the same one
    with strange_api(lambda asked: (201, {"status": {}})) as other:
        await pods.configure(token_review_cache_ttl=60, **other)
        assert (await pods.login(jwt)).status == 403


@with_pods
async def test_a_bad_token_is_never_remembered(pods: Pods) -> None:
    await pods.configure(token_review_cache_ttl=60)
    jwt = pods.token(pod="checkout-1")
    pods.cluster.delete_pod("shop", "checkout-1")
    for _ in range(2):
        assert (await pods.login(jwt)).status == 403
    assert pods.api.reviews() == 2


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "MOST", 3)
    kept = Reviews()
    for number in range(5):
        kept.remember(review_key(b"%d" % number), 0.0, 10.0)
    assert len(kept) == 3
    assert [kept.holds(review_key(b"%d" % number), 5.0) for number in range(5)] == [
        False,
        False,
        True,
        True,
        True,
    ]


def test_questions_of_the_same_text_in_other_parts_are_others() -> None:
    assert review_key(b"ab", b"c") != review_key(b"a", b"bc") != review_key(b"abc")


@with_pods
async def test_annotations_become_metadata_of_the_alias(pods: Pods) -> None:
    annotated = pods.cluster.account(
        "shop", "billed", annotations={f"{PREFIX}unit": "sales", "other": "x", "vault": "y"}
    )
    await pods.configure(use_annotations_as_alias_metadata=True)
    auth = await pods.logged_in(pods.token(annotated))
    (alias,) = (await pods.node.read(f"identity/entity/id/{auth['entity_id']}")).data["aliases"]
    assert alias["metadata"]["unit"] == "sales"
    assert set(alias["metadata"]) == {
        "unit",
        "service_account_name",
        "service_account_namespace",
        "service_account_secret_name",
        "service_account_uid",
    }
    assert "unit" not in auth["metadata"]
    await pods.configure()
    await pods.logged_in(pods.token(annotated))
    (alias,) = (await pods.node.read(f"identity/entity/id/{auth['entity_id']}")).data["aliases"]
    assert "unit" not in alias["metadata"]


@pytest.mark.parametrize(
    "annotations",
    [
        {f"{PREFIX}service_account_name": "root"},
        {PREFIX: "x"},
        {f"{PREFIX}{'k' * 129}": "x"},
        {f"{PREFIX}k": "x" * 513},
        {f"{PREFIX}{number}": "x" for number in range(61)},
    ],
)
def test_annotations_that_cannot_be_metadata_let_nobody_in(annotations: dict[str, str]) -> None:
    @with_pods
    async def test(pods: Pods) -> None:
        account = pods.cluster.account("shop", "billed", annotations=annotations)
        await pods.configure(use_annotations_as_alias_metadata=True)
        response = await pods.login(pods.token(account))
        assert (response.status, "annotations" in errors(response)[0]) == (400, True)

    test()


@with_pods
async def test_a_reviewer_who_may_not_read_accounts_lets_nobody_in(pods: Pods) -> None:
    narrow = pods.cluster.account("kube-system", "narrow", [CREATE_REVIEWS])
    await pods.configure(
        use_annotations_as_alias_metadata=True,
        token_reviewer_jwt=pods.cluster.legacy_token(narrow),
    )
    response = await pods.login(pods.token())
    assert (response.status, "get service accounts" in errors(response)[0]) == (502, True)


def test_a_clock_that_is_set_back_prolongs_no_review() -> None:
    kept, key = Reviews(), review_key(b"token")
    kept.remember(key, 1000.0, 60.0)
    assert [kept.holds(key, now) for now in (1000.0, 1059.0, 1060.0, 999.0)] == [
        True, True, False, False,
    ]  # fmt: skip
