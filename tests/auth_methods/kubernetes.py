"""Kubernetes: a role for the service accounts of a namespace, in a cluster on loopback."""

from tests.auth_methods.method import Identity, JsonMap, Login, Method
from tests.pods import CONFIG, Pods, garbled
from tests.services.kubernetes_api import kubernetes_api
from tests.services.kubernetes_cluster import Cluster


class KubernetesMethod(Method):
    kind = "kubernetes"
    entry_path = "role/shop"
    old_names = {
        "bound_cidrs": "token_bound_cidrs",
        "max_ttl": "token_max_ttl",
        "num_uses": "token_num_uses",
        "period": "token_period",
        "policies": "token_policies",
        "ttl": "token_ttl",
    }
    renewed_with_other_policies = True
    metadata_keep_spelling = True
    login_role = "shop"

    async def begin(self) -> None:
        await super().begin()
        api = self.beside.enter_context(kubernetes_api(Cluster(self.node.clock.now)))
        self.pods = Pods(self.node, api)
        self.jwts: list[str] = []
        await self.node.ok(CONFIG, self.pods.config())

    def required(self) -> JsonMap:
        return {
            "bound_service_account_names": "checkout",
            "bound_service_account_namespaces": "shop",
        }

    async def login(self) -> Login:
        return Login({"role": "shop", "jwt": self._jwt()})

    async def wrong_logins(self) -> list[Login]:
        other = self.pods.cluster.account("shop", "other")
        elsewhere = self.pods.cluster.account("kube-system", "checkout")
        return [
            Login({"role": "shop", "jwt": garbled(self._jwt())}),
            Login({"role": "shop", "jwt": self.pods.token(other)}),
            Login({"role": "shop", "jwt": self.pods.token(elsewhere)}),
            Login({"role": "nobody", "jwt": self._jwt()}),
        ]

    async def other_spellings(self) -> list[Login]:
        return [Login({"role": role, "jwt": self._jwt()}) for role in ("SHOP", "Shop", " shop ")]

    async def identity(self) -> Identity:
        account = self.pods.checkout
        metadata = {
            "role": "shop",
            "service_account_name": "checkout",
            "service_account_namespace": "shop",
            "service_account_secret_name": "",
            "service_account_uid": account.uid,
        }
        return Identity(account.uid, "kubernetes-shop-checkout", metadata)

    def secrets(self) -> list[str]:
        return [*self.jwts, self.pods.reviewer]

    def _jwt(self) -> str:
        self.jwts.append(self.pods.token())
        return self.jwts[-1]
