"""Kubernetes: roles, their names and what they bind."""

from typing import Any

import pytest

from tests.node import errors
from tests.pods import Pods, with_pods
from wardgate.auth.kubernetes.selector import read_selector

ROLE = "auth/kubernetes/role/shop"
SELECTOR = "bound_service_account_namespace_selector"


@with_pods
async def test_a_role_has_one_name_in_upper_and_lower_case(pods: Pods) -> None:
    await pods.role("SHOP", audience="a")
    assert (await pods.node.listing("auth/kubernetes/role")).data["keys"] == ["shop"]
    assert (await pods.node.read("auth/kubernetes/role/Shop")).data["audience"] == "a"
    await pods.node.delete("auth/kubernetes/role/sHoP")
    assert (await pods.node.read(ROLE)).status == 404


@with_pods
async def test_policies_are_asked_about_the_role_that_is_meant(pods: Pods) -> None:
    await pods.node.policy(
        "roles", {"auth/kubernetes/role/*": "read", "auth/kubernetes/role/shop": "deny"}
    )
    token = (await pods.node.token(policies=["roles"]))["client_token"]
    for spelling in ("shop", "SHOP", "Shop"):
        path = f"auth/kubernetes/role/{spelling}"
        assert (await pods.node.read(path, token=token)).status == 403


@with_pods
async def test_names_that_no_role_can_have_lead_nowhere(pods: Pods) -> None:
    for name in ("a b", "-a", "a-", "a@b", "\u212a", "x" * 256):
        response = await pods.node.write(f"auth/kubernetes/role/{name}", {})
        assert (response.status, errors(response)) == (404, ["unsupported path"])


@with_pods
async def test_a_write_keeps_what_is_not_given_but_the_selector(pods: Pods) -> None:
    await pods.role(audience="a", token_ttl="10m", **{SELECTOR: "{}"})
    await pods.node.ok(ROLE, {"token_policies": "web"})
    shown = (await pods.node.read(ROLE)).data
    assert (shown["audience"], shown["token_ttl"]) == ("a", 600)
    assert shown["bound_service_account_namespaces"] == ("shop",)
    assert shown[SELECTOR] == ""


@pytest.mark.parametrize(
    "body",
    [
        {"bound_service_account_names": ""},
        {"bound_service_account_names": ["hunter2", "*"]},
        {"bound_service_account_namespaces": ""},
        {"bound_service_account_namespaces": "hunter2,*"},
        {"alias_name_source": "hunter2"},
        {"alias_name_source": ""},
        {"token_period": "9000h"},
        {"ttl": "2h", "max_ttl": "1h"},
        {"token_type": "hunter2"},
        {SELECTOR: "hunter2"},
        {SELECTOR: "hunter2: x"},
        {SELECTOR: "{"},
        {SELECTOR: "[]"},
        {SELECTOR: " "},
        {SELECTOR: "matchLabels:"},
        {SELECTOR: "matchLabels: {a: true}"},
        {SELECTOR: "matchLabels: {'hunter2 a': b}"},
        {SELECTOR: "matchLabels: {a: hunter2 b}"},
        {SELECTOR: "matchLabels: {a: b}\n---\nmatchLabels: {}"},
        {SELECTOR: "matchExpressions: [{key: a, operator: Maybe}]"},
        {SELECTOR: "matchExpressions: [{key: a, operator: In}]"},
        {SELECTOR: "matchExpressions: [{key: a, operator: Exists, values: [b]}]"},
        {SELECTOR: "matchExpressions: [{operator: Exists}]"},
        {SELECTOR: '{"matchLabels": {"a": "b"}, "matchLabels": {}}'},
        {SELECTOR: "matchLabels: {a: b, 'a': c}"},
        {SELECTOR: "matchLabels: {[a]: b, [c]: d}"},
        {SELECTOR: "matchLabels: {a: 2024-13-01}"},
        {SELECTOR: "matchExpressions: [&a {key: a, operator: Exists}, *a]"},
        {SELECTOR: "!!python/object/apply:os.getcwd []"},
        {SELECTOR: "[" * 4000},
        {SELECTOR: "matchLabels: {a: " + "x" * 4096 + "}"},
    ],
)
def test_what_a_role_cannot_be_is_refused_and_not_repeated(body: dict[str, Any]) -> None:
    @with_pods
    async def test(pods: Pods) -> None:
        before = (await pods.node.read(ROLE)).data
        response = await pods.node.write(ROLE, body)
        assert response.status == 400
        assert "hunter2" not in errors(response)[0]
        assert (await pods.node.read(ROLE)).data == before

    test()


@with_pods
async def test_a_selector_is_shown_as_it_was_written(pods: Pods) -> None:
    for text in (
        '{\n\t"matchLabels": {\n\t\t"team": "sales"}}',
        "# all of them\nmatchLabels: {}\n",
    ):
        await pods.role(**{SELECTOR: text})
        assert (await pods.node.read(ROLE)).data[SELECTOR] == text


@with_pods
async def test_a_life_longer_than_the_mounts_is_taken_with_a_warning(pods: Pods) -> None:
    response = await pods.node.ok(ROLE, {"token_max_ttl": "9000h"})
    assert response.status == 200
    assert response.warnings is not None
    assert "maximum TTL" in response.warnings[0]


@with_pods
async def test_old_names_are_taken_and_shown_while_they_mean_something(pods: Pods) -> None:
    await pods.node.ok(ROLE, {"policies": "web", "num_uses": 3, "bound_cidrs": "10.0.0.1"})
    shown = (await pods.node.read(ROLE)).data
    assert (shown["policies"], shown["num_uses"]) == (("web",), 3)
    assert shown["token_bound_cidrs"] == shown["bound_cidrs"] == ("10.0.0.1",)
    await pods.node.ok(ROLE, {"num_uses": 0, "token_policies": "db"})
    shown = (await pods.node.read(ROLE)).data
    assert shown["token_policies"] == ("db",)
    assert not {"num_uses", "policies"} & set(shown)


@pytest.mark.parametrize(
    "selector",
    ["!!timestamp x", "!!bool x", "matchLabels: {a: !!int ''}", "!!python/name:os.system"],
)
def test_a_selector_with_tags_of_its_own_is_refused(selector: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (any, but no other error)
        read_selector(selector)
