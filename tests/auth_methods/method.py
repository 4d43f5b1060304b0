"""What the suite has to know of an auth method: how to set it up, and how somebody logs in."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, ClassVar

import msgspec

from tests.node import NodeUnderTest, errors
from wardgate.core.request import Response

JsonMap = dict[str, Any]


def plain(answered: Any) -> Any:
    """What is answered as JSON has it."""
    return msgspec.json.decode(msgspec.json.encode(answered))


@dataclass(frozen=True)
class Login:
    """A login as it is sent: the path below the mount, and the body."""

    body: JsonMap
    path: str = "login"


@dataclass(frozen=True)
class Identity:
    """Who a login is for, as the server should say it."""

    alias: str
    display_name: str
    metadata: Mapping[str, str] = field(default_factory=dict)


class Method(ABC):
    """An auth method at ``auth/KIND/`` of a node, with one entry (a user, a role) that the suite
    changes, and one person or machine that logs in through it.

    `begin` enables the method and leaves it without the entry; `write` makes it, or changes it.
    """

    kind: ClassVar[str]
    """Its type in the catalog of the server."""
    entry_path: ClassVar[str]
    """Where the entry is written, below the mount."""
    old_names: ClassVar[Mapping[str, str]] = {}
    """From the deprecated names of ``token_`` fields to the new ones."""
    renewed_with_other_policies: ClassVar[bool] = False
    """Whether a token is renewed, with the policies that it has, after the entry got others."""
    metadata_keep_spelling: ClassVar[bool] = False
    """Whether the metadata of a login have a name as it was spelt there, as OpenBao has it."""
    login_role: ClassVar[str] = ""
    """What a rate limit calls the role of these logins; empty where logins name none."""
    path_suffix: ClassVar[str] = ""
    """What stands behind the login's path in that of the token, where one path is everybody's."""
    entry_is_always_there: ClassVar[bool] = False
    """Whether every mount shows an entry, which nobody has written: one with the defaults."""
    has_groups: ClassVar[bool] = False
    """Whether logins tell in which groups somebody is; see `join`."""

    def __init__(self, node: NodeUnderTest) -> None:
        self.node = node
        self.beside = AsyncExitStack()
        """What `begin` has started beside the node."""

    @property
    def mount(self) -> str:
        return f"auth/{self.kind}"

    @property
    def entry(self) -> str:
        return f"{self.mount}/{self.entry_path}"

    async def begin(self) -> None:
        """Enable the method, and configure what is the same for all entries."""
        await self.node.ok(f"sys/{self.mount}", {"type": self.kind})

    @abstractmethod
    def required(self) -> JsonMap:
        """What each write of the entry holds beside ``token_`` fields; always the same."""

    @abstractmethod
    async def login(self) -> Login:
        """A login that is right, and may be good once; the entry exists."""

    @abstractmethod
    async def wrong_logins(self) -> list[Login]:
        """Logins with credentials that are well formed and wrong; the entry exists."""

    @abstractmethod
    async def other_spellings(self) -> list[Login]:
        """Right logins with the names in them spelt in upper case, or with spaces around."""

    @abstractmethod
    async def identity(self) -> Identity:
        """Who logs in; the entry exists."""

    @abstractmethod
    def secrets(self) -> list[str]:
        """Everything secret that was sent or received so far, other than tokens of the server."""

    def join(self, *groups: str) -> None:
        """From now on, logins are of somebody in just these groups."""
        raise NotImplementedError

    async def try_to_write(self, **settings: Any) -> Response:
        """Write the entry with these settings, which may be refused."""
        return await self.node.write(self.entry, {**self.required(), **settings})

    async def write(self, **settings: Any) -> None:
        """Write the entry with these settings."""
        response = await self.try_to_write(**settings)
        assert response.status in (200, 204), response.data

    async def read(self) -> JsonMap:
        """The entry's settings as JSON has them; empty when it is not there."""
        response = await self.node.read(self.entry)
        assert response.status in (200, 404), response.data
        shown: JsonMap = plain(response.data if response.status == 200 else {})
        return shown

    async def delete(self) -> None:
        """Remove the entry."""
        response = await self.node.delete(self.entry)
        assert response.status == 204

    async def send(self, login: Login, **options: Any) -> Response:
        """Send a login as a stranger would."""
        path = f"{self.mount}/{login.path}"
        return await self.node.write(path, login.body, token="", **options)

    async def try_to_log_in(self, **options: Any) -> Response:
        """A login with the right credentials, which may be refused for another reason."""
        return await self.send(await self.login(), **options)

    async def log_in(self, **options: Any) -> JsonMap:
        """The ``auth`` of a login, which must succeed."""
        response = await self.try_to_log_in(**options)
        assert response.status == 200, response.data
        assert response.auth is not None
        auth: JsonMap = plain(response.auth)
        return auth

    async def tune(self, **settings: Any) -> None:
        """Tune the mount."""
        await self.node.ok(f"sys/{self.mount}/tune", settings)

    async def lookup(self, auth: JsonMap) -> JsonMap:
        """What the server knows of a token; it must be there."""
        response = await self.node.ok("auth/token/lookup", {"token": auth["client_token"]})
        found: JsonMap = plain(response.data)
        return found

    async def renewed(self, auth: JsonMap) -> JsonMap:
        """The ``auth`` of a token's renewal, which must succeed."""
        response = await self.node.ok("auth/token/renew-self", {}, token=auth["client_token"])
        assert response.auth is not None
        renewed: JsonMap = plain(response.auth)
        return renewed

    async def not_renewed(self, auth: JsonMap) -> str:
        """The reason for which a token is not renewed."""
        response = await self.node.write("auth/token/renew-self", {}, token=auth["client_token"])
        assert response.status in (400, 403), response.status
        return errors(response)[0]
