"""Userpass: a user."""

import bcrypt

from tests.auth_methods.method import Identity, JsonMap, Login, Method

_PASSWORD = "correct horse"
_QUICK = 4  # bcrypt's work factor: these passwords protect nothing


class UserpassMethod(Method):
    kind = "userpass"
    entry_path = "users/ada"
    old_names = {
        "bound_cidrs": "token_bound_cidrs",
        "max_ttl": "token_max_ttl",
        "policies": "token_policies",
        "ttl": "token_ttl",
    }

    async def begin(self) -> None:
        await super().begin()
        self.hash = bcrypt.hashpw(_PASSWORD.encode(), bcrypt.gensalt(_QUICK)).decode()

    def required(self) -> JsonMap:
        return {"password_hash": self.hash}

    async def login(self) -> Login:
        return Login({"password": _PASSWORD}, "login/ada")

    async def wrong_logins(self) -> list[Login]:
        return [
            Login({"password": "wrong horse"}, "login/ada"),
            Login({"password": _PASSWORD.upper()}, "login/ada"),
            Login({"password": _PASSWORD}, "login/bob"),
        ]

    async def other_spellings(self) -> list[Login]:
        return [
            Login({"password": _PASSWORD}, f"login/{name}")
            for name in ("ADA", "aDa", " ada", "ada ")
        ]

    async def identity(self) -> Identity:
        return Identity("ada", "userpass-ada", {"username": "ada"})

    def secrets(self) -> list[str]:
        return [_PASSWORD, "wrong horse", self.hash]
