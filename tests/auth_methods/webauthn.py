"""WebAuthn: a user with a passkey."""

from typing import Any

from tests.auth_methods.method import Identity, JsonMap, Login, Method, plain
from tests.authenticator import ORIGIN, RP_ID, Authenticator, Credential, Tricks
from wardgate.core.request import Response

_FINISH = "login/finish"
_AT_ONCE = 8  # how often the suite sends one login, all in all


class WebauthnMethod(Method):
    kind = "webauthn"
    entry_path = "user/ada"
    path_suffix = "/ada"

    async def begin(self) -> None:
        await super().begin()
        await self.node.ok(f"{self.mount}/config", {"rp_id": RP_ID, "rp_origins": [ORIGIN]})
        self.codes: list[str] = []
        self.unused: dict[int, list[Login]] = {}
        self.browser = Authenticator()

    def required(self) -> JsonMap:
        return {}

    async def login(self) -> Login:
        """A challenge is good for one login: when the suite sends this one again after it succeeded,
        it is one that was begun at the same time."""
        await self._register()
        logins = [await self._begun("ada") for _ in range(_AT_ONCE)]
        self.unused[id(logins[0].body)] = logins
        return logins[0]

    async def send(self, login: Login, **options: Any) -> Response:
        unused = self.unused.get(id(login.body))
        if not unused:
            return await super().send(login, **options)
        login = unused.pop(0)
        response = await super().send(login, **options)
        if response.status != 200:
            unused.insert(0, login)
        return response

    async def wrong_logins(self) -> list[Login]:
        await self._register()
        return [
            await self._begun("ada", Tricks(signature=b"\x30\x06\x02\x01\x01\x02\x01\x01")),
            await self._begun("ada", Tricks(origin="http://localhost:8201")),
            await self._begun("bob"),
            await self._begun("", Tricks(user_handle=bytes(64))),
        ]

    async def other_spellings(self) -> list[Login]:
        await self._register()
        logins = [await self._begun("ada") for _ in range(4)]
        names = ("ADA", "Ada", " ada", "ada ")
        return [
            Login({**login.body, "username": name}, login.path)
            for login, name in zip(logins, names, strict=True)
        ]

    async def identity(self) -> Identity:
        metadata = {
            "username": "ada",
            "attestation_type": "none",
            "authenticator_sign_count": "0",
        }
        return Identity("ada", "webauthn-ada", metadata)

    def secrets(self) -> list[str]:
        return self.codes

    async def _register(self) -> None:
        """Give the user a key, if there is none."""
        shown = plain((await self.node.read(self.entry)).data)
        if shown["credentials"]:
            return
        code = (await self.node.ok(f"{self.entry}/enrolment-code")).data["enrolment_code"]
        self.codes.append(code)
        body = {"username": "ada", "enrolment_code": code}
        begun = await self.node.ok(f"{self.mount}/register/begin", body, token="")
        made = self.browser.create(plain(begun.data))
        body = {"username": "ada", "credential": made}
        await self.node.ok(f"{self.mount}/register/finish", body, token="")

    async def _begun(self, name: str, tricks: Tricks | None = None) -> Login:
        body = {"username": name} if name else {}
        begun = await self.node.ok(f"{self.mount}/login/begin", body, token="")
        key: Credential = self.browser.credentials[-1]
        answer = self.browser.get(plain(begun.data), tricks or Tricks(), key=key)
        return Login({**body, "credential": answer}, _FINISH)
