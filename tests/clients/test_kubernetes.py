"""hvac and the real `bao` command use the kubernetes auth method, beside the double of a cluster."""

from collections.abc import Callable, Iterator
from typing import Any

import hvac
import pytest
from hvac.exceptions import Forbidden

from tests.clients.conftest import Bao
from tests.services.kubernetes_api import Api, kubernetes_api
from tests.services.kubernetes_cluster import REVIEWER, Cluster

Connect = Callable[[str], hvac.Client]


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A cluster's API."""
    with kubernetes_api(Cluster()) as api:
        yield api


@pytest.fixture
def reviewer(api: Api) -> str:
    """A token that may ask the API."""
    return api.cluster.legacy_token(api.cluster.account("kube-system", "reviewer", REVIEWER))


@pytest.fixture
def jwt(api: Api, name: str) -> str:
    """The token of a pod of `app` in a namespace of its own."""
    return api.cluster.bound_token(api.cluster.account(name, "app"), pod="app-1")


def test_hvac_configures_and_logs_in(
    client: Any, connect: Connect, api: Api, reviewer: str, jwt: str, name: str
) -> None:
    client.sys.enable_auth_method("kubernetes", path=name)
    kubernetes = client.auth.kubernetes
    kubernetes.configure(
        kubernetes_host=api.host,
        kubernetes_ca_cert=api.ca_pem,
        token_reviewer_jwt=reviewer,
        pem_keys=[api.cluster.signer.certificate_pem],  # hvac takes no plain keys
        mount_point=name,
    )
    config = kubernetes.read_config(mount_point=name)
    assert config["kubernetes_host"] == api.host
    assert "token_reviewer_jwt" not in config
    kubernetes.create_role(
        name="web",
        bound_service_account_names=["app"],
        bound_service_account_namespaces=[name],
        policies=["web"],
        ttl="10m",
        alias_name_source="serviceaccount_name",
        mount_point=name,
    )
    role = kubernetes.read_role("web", mount_point=name)
    assert (role["token_policies"], role["token_ttl"]) == (["web"], 600)
    assert kubernetes.list_roles(mount_point=name)["keys"] == ["web"]

    pod = connect("")
    auth = pod.auth.kubernetes.login(role="web", jwt=jwt, mount_point=name)["auth"]
    assert auth["metadata"]["service_account_namespace"] == name
    assert pod.auth.token.lookup_self()["data"]["display_name"] == f"{name}-{name}-app"
    assert pod.auth.token.renew_self()["auth"]["lease_duration"] == 600

    kubernetes.delete_role("web", mount_point=name)
    with pytest.raises(hvac.exceptions.InvalidRequest):
        pod.auth.kubernetes.login(role="web", jwt=jwt, mount_point=name)


def test_hvac_sees_a_refusal(client: Any, api: Api, reviewer: str, jwt: str, name: str) -> None:
    client.sys.enable_auth_method("kubernetes", path=name)
    client.auth.kubernetes.configure(
        api.host, kubernetes_ca_cert=api.ca_pem, token_reviewer_jwt=reviewer, mount_point=name
    )
    client.auth.kubernetes.create_role("web", ["app"], [name], mount_point=name)
    del api.cluster.accounts[name, "app"]
    with pytest.raises(Forbidden):
        client.auth.kubernetes.login("web", jwt, use_token=False, mount_point=name)


def test_bao_writes_a_login(bao: Bao, api: Api, reviewer: str, jwt: str, name: str) -> None:
    bao("auth", "enable", f"-path={name}", "kubernetes")
    (bao.home / "ca.pem").write_text(api.ca_pem)
    (bao.home / "reviewer.jwt").write_text(reviewer)
    bao(
        "write",
        f"auth/{name}/config",
        f"kubernetes_host={api.host}",
        f"kubernetes_ca_cert=@{bao.home / 'ca.pem'}",
        f"token_reviewer_jwt=@{bao.home / 'reviewer.jwt'}",
    )
    bao(
        "write",
        f"auth/{name}/role/web",
        "bound_service_account_names=app",
        f"bound_service_account_namespaces={name}",
        "token_policies=default",
    )
    login = ("write", f"auth/{name}/login", "role=web", "jwt=-")
    auth = bao.carrying("").json(*login, stdin=jwt)["auth"]
    assert auth["metadata"]["service_account_name"] == "app"
    pod = bao.carrying(auth["client_token"])
    assert pod.json("token", "renew")["auth"]["policies"] == ["default"]
    assert "Code: 403" in bao.carrying("").refused(*login, stdin=jwt[:-8])
