"""JWT: a role for whoever has a token that a known key has signed. Mounted as "oidc" it is the same."""

from typing import Any

from tests.auth_methods.method import Identity, JsonMap, Login, Method
from tests.issuer import pem, signed

_AUDIENCE = "wardgate"


class JwtMethod(Method):
    kind = "jwt"
    entry_path = "role/dev"
    old_names = {
        "bound_cidrs": "token_bound_cidrs",
        "max_ttl": "token_max_ttl",
        "num_uses": "token_num_uses",
        "period": "token_period",
        "policies": "token_policies",
        "ttl": "token_ttl",
    }
    renewed_with_other_policies = True
    login_role = "dev"
    has_groups = True

    async def begin(self) -> None:
        await super().begin()
        self.tokens: list[str] = []
        self.groups: tuple[str, ...] = ()
        await self.node.ok(f"{self.mount}/config", {"jwt_validation_pubkeys": [pem("ec")]})

    def required(self) -> JsonMap:
        return {
            "role_type": "jwt",
            "user_claim": "sub",
            "bound_audiences": _AUDIENCE,
            "groups_claim": "groups",
            "claim_mappings": {"team": "team"},
        }

    async def login(self) -> Login:
        return Login({"role": "dev", "jwt": self._jwt()})

    async def wrong_logins(self) -> list[Login]:
        return [
            Login({"role": "dev", "jwt": self._jwt("other")}),
            Login({"role": "dev", "jwt": self._jwt(aud="elsewhere")}),
            Login({"role": "dev", "jwt": self._jwt(exp=1)}),
            Login({"role": "nobody", "jwt": self._jwt()}),
        ]

    async def other_spellings(self) -> list[Login]:
        return [Login({"role": role, "jwt": self._jwt()}) for role in ("DEV", "Dev", " dev ")]

    async def identity(self) -> Identity:
        return Identity("ada", f"{self.kind}-ada", {"role": "dev", "team": "x"})

    def secrets(self) -> list[str]:
        return self.tokens

    def join(self, *groups: str) -> None:
        self.groups = groups

    def _jwt(self, key: str = "ec", **claims: Any) -> str:
        now = int(self.node.clock.now())
        own = {"sub": "ada", "aud": _AUDIENCE, "team": "x", "iat": now, "exp": now + 600}
        self.tokens.append(signed({**own, "groups": self.groups, **claims}, key))
        return self.tokens[-1]


class OidcMethod(JwtMethod):
    kind = "oidc"
