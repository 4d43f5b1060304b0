"""AppRole: a role, and a secret id that was made for it."""

from tests.auth_methods.method import Identity, JsonMap, Login, Method

_UNKNOWN = "5c9b3a0e-0000-4000-8000-0123456789ab"


class AppRoleMethod(Method):
    kind = "approle"
    entry_path = "role/ci"
    old_names = {"period": "token_period", "policies": "token_policies"}
    renewed_with_other_policies = True
    login_role = "ci"

    async def begin(self) -> None:
        await super().begin()
        self.secret_id = ""

    def required(self) -> JsonMap:
        return {}

    async def login(self) -> Login:
        if not self.secret_id:
            made = await self.node.ok(f"{self.entry}/secret-id", {})
            self.secret_id = made.data["secret_id"]
        return Login({"role_id": await self._role_id(), "secret_id": self.secret_id})

    async def wrong_logins(self) -> list[Login]:
        right = (await self.login()).body
        return [
            Login({**right, "secret_id": _UNKNOWN}),
            Login({**right, "secret_id": right["role_id"]}),
            Login({**right, "role_id": _UNKNOWN}),
            Login({**right, "role_id": "ci"}),
        ]

    async def other_spellings(self) -> list[Login]:
        role_id, secret_id = (await self.login()).body.values()
        return [
            Login({"role_id": role_id.upper(), "secret_id": secret_id}),
            Login({"role_id": f" {role_id} ", "secret_id": secret_id}),
            Login({"role_id": role_id, "secret_id": secret_id.upper()}),
            Login({"role_id": role_id, "secret_id": f" {secret_id} "}),
        ]

    async def identity(self) -> Identity:
        return Identity(await self._role_id(), "approle", {"role_name": "ci"})

    def secrets(self) -> list[str]:
        return [self.secret_id] if self.secret_id else []

    async def _role_id(self) -> str:
        found: str = (await self.node.read(f"{self.entry}/role-id")).data["role_id"]
        return found
