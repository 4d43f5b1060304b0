"""A secret engine for tests: it gives out credentials for a place outside, and takes them back.

    @with_outside
    async def test_…(node: NodeUnderTest, outside: Outside) -> None: …

What happens outside is what a database or a cloud would see, and can be told to fail.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec

from tests.node import NodeUnderTest, with_node
from wardgate.core.backend import LeaseTerms
from wardgate.core.core import Core
from wardgate.core.leases.record import Lease
from wardgate.core.mounts import Mount
from wardgate.core.operation import Operation
from wardgate.core.records import Codec
from wardgate.core.request import LeaseGrant, Request, Response, no_content
from wardgate.core.storage import View
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.backend import EndpointBackend
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, Duration


class OutsideFails(Exception):
    """What is outside does not do what it is asked; the message is not for everybody."""


class Outside:
    """The place that the credentials are for."""

    def __init__(self) -> None:
        self.alive: dict[str, float] = {}
        """The credentials that are good, with their ends as they were told here."""
        self.failing = False
        self.calls: list[str] = []
        """The credentials that were to be revoked, in order, whether it worked or not."""
        self.revoked = asyncio.Event()
        """Set when something was revoked."""
        self._numbers = itertools.count(1)

    def engine(self, core: Core, mount: Mount) -> "Leased":
        """What `Node` is given as the kind of engine."""
        return Leased(self)

    def make(self) -> str:
        name = f"user-{next(self._numbers)}"
        self.alive[name] = 0.0
        return name

    def prolong(self, name: str, until: float) -> None:
        self._check()
        self.alive[name] = until

    def revoke(self, name: str) -> None:
        self.calls.append(name)
        self._check()
        self.alive.pop(name, None)
        self.revoked.set()

    def _check(self) -> None:
        if self.failing:
            raise OutsideFails("the password of the administrator is hunter2")


class RoleBody(Body):
    """What its credentials are like."""

    ttl: Annotated[Duration, Doc("Their life until the first renewal.")] = 0
    max_ttl: Annotated[Duration, Doc("The most that renewals can reach.")] = 0
    renewable: Annotated[bool, Doc("Whether they can be renewed.")] = True


class Role(msgspec.Struct, frozen=True):
    """A role as stored."""

    ttl: int
    max_ttl: int
    renewable: bool


ROLE: Codec[Role] = Codec(Role)


class Leased(EndpointBackend):
    """Gives out credentials."""

    def __init__(self, outside: Outside) -> None:
        super().__init__()
        self._outside = outside

    @endpoint("roles/{name}", Operation.UPDATE, operation_id="leased-write-role")
    async def write_role(self, request: Request, name: str, body: RoleBody) -> Response:
        """Make a role."""
        role = Role(body.ttl, body.max_ttl, body.renewable)
        request.storage.put(f"role/{name}", role, ROLE)
        return no_content()

    @endpoint("creds/{name...}", Operation.READ, operation_id="leased-read-credential")
    async def read(self, request: Request, name: str) -> Response:
        """Give out a credential."""
        head = name.partition("/")[0]
        role = await request.storage.get(f"role/{head}", ROLE)
        if role is None:
            raise NotFound

        async def make() -> str:
            return self._outside.make()

        made = await request.once("credential", make)
        grant = LeaseGrant(
            data={"user": made, "role": head},
            ttl=role.ttl,
            max_ttl=role.max_ttl,
            renewable=role.renewable,
        )
        return Response({"user": made}, lease=grant)

    async def lease_terms(self, storage: View, lease: Lease) -> LeaseTerms:
        role = await storage.get(f"role/{lease.data['role']}", ROLE)
        if role is None:
            raise InvalidRequest("the role is gone")
        return LeaseTerms(ttl=role.ttl, max_ttl=role.max_ttl)

    async def renew_lease(self, storage: View, lease: Lease) -> None:
        self._outside.prolong(lease.data["user"], lease.expires)

    async def revoke_lease(self, storage: View, lease: Lease) -> None:
        if await storage.get(f"role/{lease.data['role']}", ROLE) is None:
            raise OutsideFails("what the mount stored is needed to revoke")
        self._outside.revoke(lease.data["user"])


def with_outside(
    body: Callable[[NodeUnderTest, Outside], Awaitable[None]],
) -> Callable[[], None]:
    """Make a test out of a coroutine function that is given a fresh server with this engine at
    leased/, a role there with an hour's credentials, and what is outside."""
    outside = Outside()

    async def prepared(node: NodeUnderTest) -> None:
        await node.ok("sys/mounts/leased", {"type": "leased"})
        await node.ok("leased/roles/hour", {"ttl": "1h", "max_ttl": "3h"})
        await body(node, outside)

    prepared.__doc__ = body.__doc__
    return with_node(prepared, {"leased": outside.engine})
