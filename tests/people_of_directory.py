"""A node with the ldap auth method before a directory."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.node import NodeUnderTest
from tests.services.directory_entries import GROUPS, PEOPLE, SERVICE, SERVICE_PASSWORD
from tests.services.slapd import Slapd, shared_slapd, slapd
from wardgate.auth.ldap import Ldap
from wardgate.core.request import Response

CONFIG = "auth/ldap/config"
JsonMap = dict[str, Any]


class People:
    """The node, and the directory whose people log in there."""

    def __init__(self, node: NodeUnderTest, directory: Slapd) -> None:
        self.node = node
        self.directory = directory

    async def configure(self, **fields: Any) -> None:
        """Change the configuration."""
        await self.node.ok(CONFIG, fields)

    async def with_service(self, **fields: Any) -> None:
        """Have the service account search, and change more."""
        await self.configure(**{"binddn": SERVICE, "bindpass": SERVICE_PASSWORD, **fields})

    async def login(self, name: str, password: str, **options: Any) -> Response:
        """Try to log in."""
        body = {"password": password}
        return await self.node.write(f"auth/ldap/login/{name}", body, token="", **options)

    async def logged_in(self, name: str, password: str, **options: Any) -> JsonMap:
        """Log in, which must succeed; the ``auth`` of the answer."""
        response = await self.login(name, password, **options)
        assert response.status == 200, response.data
        assert response.auth is not None
        return response.auth

    async def alias(self, auth: JsonMap) -> str:
        """The name of somebody's only alias."""
        entity = await self.node.read(f"identity/entity/id/{auth['entity_id']}")
        (alias,) = entity.data["aliases"]
        name: str = alias["name"]
        return name

    async def backend(self) -> Ldap:
        """The backend behind the mount."""
        transaction = await self.node.core.storage.begin()
        table = await self.node.core.mounts.table(transaction)
        mount = table.find("auth/ldap/config")
        assert mount is not None
        backend = table.backend(mount)
        assert isinstance(backend, Ldap)
        return backend


Body = Callable[[People], Awaitable[None]]


def with_people(body: Body) -> Callable[[], None]:
    """Make a test out of a coroutine function that is given a node before the directory that all
    tests share: it must be left as it was."""
    return _test(body, shared_slapd)


def with_own_people(body: Body) -> Callable[[], None]:
    """The same with a directory that nobody else uses."""

    def test() -> None:
        with slapd() as directory:
            _test(body, lambda: directory)()

    test.__doc__ = body.__doc__
    return test


def _test(body: Body, directory: Callable[[], Slapd]) -> Callable[[], None]:
    def test() -> None:
        async def run() -> None:
            node = await NodeUnderTest.start()
            try:
                people = People(node, directory())
                await node.ok("sys/auth/ldap", {"type": "ldap"})
                await people.configure(
                    url=people.directory.url, userdn=PEOPLE, userattr="uid", groupdn=GROUPS
                )
                await body(people)
            finally:
                await node.node.stop()

        asyncio.run(run())

    test.__doc__ = body.__doc__
    return test
