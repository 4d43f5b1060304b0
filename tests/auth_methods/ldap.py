"""LDAP: the configuration of a mount, and somebody in a real directory.

All tests share one directory; each has somebody of their own there, so that nobody is in the way.
"""

import secrets

from tests.auth_methods.method import Identity, JsonMap, Login, Method
from tests.services.directory_entries import (
    BASE,
    PEOPLE,
    SERVICE,
    SERVICE_PASSWORD,
    entry,
    group,
    person,
)
from tests.services.slapd import shared_slapd
from wardgate.core.request import Response

_PASSWORD = "correct horse"


class LdapMethod(Method):
    kind = "ldap"
    entry_path = "config"
    entry_is_always_there = True
    has_groups = True

    async def begin(self) -> None:
        await super().begin()
        self.directory = shared_slapd()
        self.name = f"p{secrets.token_hex(6)}"
        self.unit = f"ou={self.name},{BASE}"
        self.directory.add(entry(self.unit, "organizationalUnit", ou=self.name))
        self.beside.callback(self.directory.remove, self.unit)
        self.beside.callback(self._remove)
        self.known = False
        self.groups: list[str] = []

    def required(self) -> JsonMap:
        return {
            "url": self.directory.url,
            "binddn": SERVICE,
            "bindpass": SERVICE_PASSWORD,
            "userdn": PEOPLE,
            "userattr": "uid",
            "groupdn": self.unit,
        }

    async def try_to_write(self, **settings: object) -> Response:
        if not self.known:
            self.directory.add(person(self.name, _PASSWORD))
            self.known = True
        return await super().try_to_write(**settings)

    async def read(self) -> JsonMap:
        return await super().read() if self.known else {}

    async def delete(self) -> None:
        """Whoever logs in leaves the directory: a configuration stays for ever."""
        self._remove()

    def _remove(self) -> None:
        self.join()
        if self.known:
            self.directory.remove(f"uid={self.name},{PEOPLE}")
            self.known = False

    async def login(self) -> Login:
        return Login({"password": _PASSWORD}, f"login/{self.name}")

    async def wrong_logins(self) -> list[Login]:
        return [
            Login({"password": "wrong horse"}, f"login/{self.name}"),
            Login({"password": _PASSWORD.upper()}, f"login/{self.name}"),
            Login({"password": _PASSWORD}, "login/nobody"),
        ]

    async def other_spellings(self) -> list[Login]:
        name = self.name
        return [
            Login({"password": _PASSWORD}, f"login/{each}")
            for each in (name.upper(), name.title(), f" {name}", f"{name} ")
        ]

    async def identity(self) -> Identity:
        return Identity(self.name, f"ldap-{self.name}", {"username": self.name})

    def secrets(self) -> list[str]:
        return [_PASSWORD, "wrong horse", SERVICE_PASSWORD]

    def join(self, *groups: str) -> None:
        for name in self.groups:
            self.directory.remove(f"cn={name},{self.unit}")
        self.groups = []
        for name in groups:
            self.directory.add(group(name, f"uid={self.name},{PEOPLE}", at=self.unit))
            self.groups.append(name)
