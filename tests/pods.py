"""A node with the kubernetes auth method, and the cluster whose pods log in there."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.node import NodeUnderTest
from tests.services.kubernetes_api import Api, ApiHandler, Asked, https, kubernetes_api
from tests.services.kubernetes_cluster import REVIEWER, Account, Cluster, JsonMap
from wardgate.core.request import Response

CONFIG, LOGIN = "auth/kubernetes/config", "auth/kubernetes/login"
RENEW = "auth/token/renew-self"


class Pods:
    """`checkout` is an account of the namespace `shop`; `reviewer` is a token that may ask the API.
    The role `shop` is for all accounts of that namespace."""

    def __init__(self, node: NodeUnderTest, api: Api) -> None:
        self.node = node
        self.api = api
        self.cluster = api.cluster
        self.cluster.namespace("shop", {"team": "sales"})
        self.checkout = self.cluster.account("shop", "checkout")
        self.reviewer = self.cluster.legacy_token(
            self.cluster.account("kube-system", "reviewer", REVIEWER)
        )

    async def configure(self, **fields: Any) -> None:
        """Write the configuration; fields that are not given are those of the cluster."""
        await self.node.ok(CONFIG, {**self.config(), **fields})

    def config(self) -> JsonMap:
        """What leads to the cluster."""
        return {
            "kubernetes_host": self.api.host,
            "kubernetes_ca_cert": self.api.ca_pem,
            "token_reviewer_jwt": self.reviewer,
        }

    async def role(self, name: str = "shop", **fields: Any) -> None:
        """Write a role, for all accounts of the namespace `shop` unless `fields` say so."""
        bound = {"bound_service_account_names": "*", "bound_service_account_namespaces": "shop"}
        await self.node.ok(f"auth/kubernetes/role/{name}", {**bound, **fields})

    async def login(self, jwt: str, role: str = "shop", **options: Any) -> Response:
        """Try to log in."""
        return await self.node.write(LOGIN, {"role": role, "jwt": jwt}, token="", **options)

    async def logged_in(self, jwt: str, role: str = "shop", **options: Any) -> JsonMap:
        """Log in, which must succeed; the ``auth`` of the answer."""
        response = await self.login(jwt, role, **options)
        assert response.status == 200, response.data
        assert response.auth is not None
        return response.auth

    def token(self, account: Account | None = None, **terms: Any) -> str:
        """A bound token, of `checkout` unless another account is given."""
        return self.cluster.bound_token(account or self.checkout, **terms)


def with_pods(body: Callable[[Pods], Awaitable[None]]) -> Callable[[], None]:
    """Make a test out of a coroutine function that is given a cluster and a configured node."""

    def test() -> None:
        async def run() -> None:
            node = await NodeUnderTest.start()
            with kubernetes_api(Cluster(node.clock.now)) as api:
                try:
                    pods = Pods(node, api)
                    await node.ok("sys/auth/kubernetes", {"type": "kubernetes"})
                    await pods.configure()
                    await pods.role()
                    await body(pods)
                finally:
                    await node.node.stop()

        asyncio.run(run())

    test.__doc__ = body.__doc__
    return test


@contextmanager
def strange_api(answer: Callable[[Asked], tuple[int, JsonMap]]) -> Iterator[JsonMap]:
    """An API that answers as it likes; the fields of a configuration that lead to it."""

    class Handler(ApiHandler):
        def answer(self, asked: Asked) -> tuple[int, JsonMap]:
            return answer(asked)

    with https(Handler) as (host, ca_pem):
        yield {"kubernetes_host": host, "kubernetes_ca_cert": ca_pem}


def garbled(token: str) -> str:
    """The token with another signature of the same length."""
    text, _, signature = token.rpartition(".")
    size = len(base64.urlsafe_b64decode(signature + "=="))
    return f"{text}.{base64.urlsafe_b64encode(bytes(size)).decode().rstrip('=')}"
