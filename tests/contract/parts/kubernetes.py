"""``auth/{kubernetes_mount_path}``."""

import atexit
from contextlib import ExitStack
from functools import cache

from tests.api import Api
from tests.contract.parts.part import Part, World
from tests.services.kubernetes_api import Api as KubernetesApi
from tests.services.kubernetes_api import kubernetes_api
from tests.services.kubernetes_cluster import REVIEWER, Cluster


@cache
def _running() -> KubernetesApi:
    """One cluster for all, until the process ends."""
    running = ExitStack()
    atexit.register(running.close)
    return running.enter_context(kubernetes_api(Cluster()))


def prepare(api: Api, name: str) -> World:
    kubernetes = _running()
    cluster = kubernetes.cluster
    reviewer = cluster.account(name, "reviewer", REVIEWER)
    config = {
        "kubernetes_host": kubernetes.host,
        "kubernetes_ca_cert": kubernetes.ca_pem,
        "token_reviewer_jwt": cluster.bound_token(reviewer),
    }
    role = {"bound_service_account_names": "app", "bound_service_account_namespaces": name}
    assert api.post(f"sys/auth/{name}", {"type": "kubernetes"}).status == 204
    assert api.post(f"auth/{name}/config", config).status == 204
    assert api.post(f"auth/{name}/role/{name}", role).status == 204
    jwt = cluster.bound_token(cluster.account(name, "app"))
    return {
        "kubernetes_mount_path": name,
        "name": name,
        "jwt": jwt,
        "host": kubernetes.host,
        "ca": kubernetes.ca_pem,
    }


PART = Part(
    lead="/auth/{kubernetes_mount_path}/",
    count=7,
    prepare=prepare,
    bodies={
        "kubernetes-configure-auth": lambda world: {
            "kubernetes_host": world["host"],
            "kubernetes_ca_cert": world["ca"],
        },
        "kubernetes-login": lambda world: {"role": world["name"], "jwt": world["jwt"]},
    },
    no_content=frozenset({"kubernetes-configure-auth", "kubernetes-write-auth-role"}),
    gives_token=frozenset({"kubernetes-login"}),
)
