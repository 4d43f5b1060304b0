"""People with passkeys at a node: what browsers send to its WebAuthn mount."""

from typing import Any

import msgspec

from tests.authenticator import ES256, HONEST, ORIGIN, RP_ID, Authenticator, Credential, Tricks
from tests.node import NodeUnderTest, errors
from wardgate.core.request import Response

JsonMap = dict[str, Any]
MOUNT = "auth/webauthn"
LOGIN_FAILED = (400, ["login failed"])
REGISTRATION_FAILED = (400, ["registration failed"])


class Passkeys:
    """A WebAuthn mount, as browsers and operators see it."""

    def __init__(self, node: NodeUnderTest, mount: str = MOUNT) -> None:
        self.node = node
        self.mount = mount

    @classmethod
    async def enabled(cls, node: NodeUnderTest, mount: str = MOUNT, **config: Any) -> "Passkeys":
        """Enable and configure the mount."""
        await node.ok(f"sys/{mount}", {"type": "webauthn"})
        found = cls(node, mount)
        await found.configure(rp_id=RP_ID, rp_origins=[ORIGIN], **config)
        return found

    async def configure(self, **config: Any) -> None:
        await self.node.ok(f"{self.mount}/config", config)

    async def user(self, name: str = "ada", **fields: Any) -> None:
        """A user as an operator makes one, without a key."""
        await self.node.ok(f"{self.mount}/user/{name}", fields)

    async def read_user(self, name: str = "ada") -> JsonMap:
        """What is shown of a user; empty where there is none."""
        response = await self.node.read(f"{self.mount}/user/{name}")
        shown: JsonMap = plain(response.data if response.status == 200 else {})
        return shown

    async def code(self, name: str = "ada") -> str:
        """A new enrolment code."""
        made = await self.node.ok(f"{self.mount}/user/{name}/enrolment-code")
        code: str = made.data["enrolment_code"]
        return code

    async def send(self, path: str, body: JsonMap, *, token: str = "", **options: Any) -> Response:
        return await self.node.write(f"{self.mount}/{path}", body, token=token, **options)

    async def begin(self, path: str, body: JsonMap, *, token: str = "", **options: Any) -> JsonMap:
        """The options that the browser gets, for something that must be allowed to begin."""
        response = await self.send(f"{path}/begin", body, token=token, **options)
        assert response.status == 200, response.data
        options_of_browser: JsonMap = plain(response.data)
        return options_of_browser

    async def try_to_register(
        self,
        browser: Authenticator,
        name: str = "ada",
        tricks: Tricks = HONEST,
        *,
        code: str = "",
        algorithm: int = ES256,
        token: str = "",
    ) -> Response:
        """Register a new key; the registration must be allowed to begin."""
        body: JsonMap = {"username": name, **({"enrolment_code": code} if code else {})}
        options = await self.begin("register", body, token=token)
        made = browser.create(options, tricks, algorithm=algorithm)
        body = {"username": name, "credential": made}
        return await self.send("register/finish", body, token=token)

    async def register(
        self, browser: Authenticator, name: str = "ada", tricks: Tricks = HONEST, **options: Any
    ) -> Credential:
        """Register a new key, which must succeed."""
        response = await self.try_to_register(browser, name, tricks, **options)
        assert response.status == 200, response.data
        return browser.credentials[-1]

    async def enrol(self, browser: Authenticator, name: str = "ada", **fields: Any) -> Credential:
        """Make a user who has a key."""
        await self.user(name, **fields)
        return await self.register(browser, name, code=await self.code(name))

    async def try_to_log_in(
        self,
        browser: Authenticator,
        name: str = "ada",
        tricks: Tricks = HONEST,
        *,
        key: Credential | None = None,
        **options: Any,
    ) -> Response:
        """Log in, with a passkey where `name` is empty."""
        body: JsonMap = {"username": name} if name else {}
        begun = await self.begin("login", body, **options)
        body["credential"] = browser.get(begun, tricks, key=key)
        return await self.send("login/finish", body, **options)

    async def log_in(self, browser: Authenticator, name: str = "ada", **options: Any) -> JsonMap:
        """The ``auth`` of a login that must succeed."""
        response = await self.try_to_log_in(browser, name, **options)
        assert response.status == 200, response.data
        assert response.auth is not None
        auth: JsonMap = plain(response.auth)
        return auth


def refusal(response: Response) -> tuple[int, list[str]]:
    """Status and messages of an answer that gives no token."""
    assert response.auth is None
    return response.status, errors(response)


def plain(answered: Any) -> Any:
    """What is answered as JSON has it."""
    return msgspec.json.decode(msgspec.json.encode(answered))
