"""What the core asks of a backend: the code behind a mount.

The core never imports a backend. `wardgate.framework` turns classes with typed endpoints into this.
"""

from collections.abc import Awaitable
from typing import Protocol

import msgspec

from wardgate.core.leases.record import Lease
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token

Captures = tuple[str, ...]


class Endpoint(Protocol):
    """One operation (or a few) on one path of a backend."""

    unauthenticated: bool
    """Needs no token."""
    sudo: bool
    """Needs the sudo capability beside the operation's own."""
    conditional: bool
    """Writes are CREATE or UPDATE, depending on what `exists` says."""
    folded: bool
    """The names in its path mean the same in upper and lower case, and with spaces around them, so
    the policies are asked about the name that is meant too."""
    opened_by: str
    """The group of endpoints that it belongs to, where a listener can open that to calls without a
    token; else empty."""
    paged: bool
    """A list of which a part can be asked for, with ``after`` and ``limit``."""

    async def exists(self, request: Request, captures: Captures) -> bool:
        """Whether the thing that the path names exists; asked only when `conditional`."""
        ...

    def call(self, request: Request, captures: Captures) -> Awaitable[Response]:
        """Answer the request, or raise a `RequestError`."""
        ...


class Route:
    """Where a path leads inside a backend. `endpoint` is None when nothing answers the request:
    either the path is unknown, or it is `path_known` but not for that operation (then
    `unauthenticated` says whether those that it is for need no token)."""

    __slots__ = ("captures", "endpoint", "path_known", "unauthenticated")

    def __init__(
        self,
        endpoint: Endpoint | None,
        captures: Captures = (),
        *,
        path_known: bool = False,
        unauthenticated: bool = False,
    ) -> None:
        self.endpoint = endpoint
        self.captures = captures
        self.path_known = path_known
        self.unauthenticated = unauthenticated


class Renewal(msgspec.Struct, frozen=True):
    """What an auth method allows a token to be renewed for; seconds, 0 for the mount's values.

    `group_aliases` are those of `TokenGrant`, where the method asked again; None leaves them."""

    ttl: int = 0
    max_ttl: int = 0
    period: int = 0
    group_aliases: tuple[str, ...] | None = None


class LeaseTerms(msgspec.Struct, frozen=True):
    """What a secret engine lets a lease be renewed for; seconds, 0 for the mount's values."""

    ttl: int = 0
    max_ttl: int = 0


class Backend(Protocol):
    """The code behind a mount. It keeps nothing in memory that another node would have to know."""

    def route(self, operation: Operation, path: str) -> Route:
        """Find the endpoint; `path` is relative to the mount."""
        ...

    def describe(self) -> str:
        """One paragraph for people, for ``?help=1`` on the mount itself."""
        ...

    has_login_roles: bool
    """Whether logins are for a role, which rate limits may name."""

    async def login_role(self, request: Request) -> str:
        """The role that a login asks for; empty when the request is no login, or names none.

        Asked before anything is checked, so nothing that is sent may be trusted.
        """
        ...

    async def login_alias(self, request: Request) -> str:
        """The name that a login is for, in the one form that all its spellings have in common;
        empty when the request is no login, or for a name that nobody can have.

        Wrong credentials are counted under it, before anything is checked.
        """
        ...

    async def renew(self, request: Request, storage: View, token: Token) -> Renewal:
        """Check a token that this mount gave out again, before it is renewed as `request` asks.

        `storage` is the mount's. Whoever has to be asked outside is asked through `Request.once`.
        Raises a `RequestError` when whoever logged in would no longer get the same token: the user is
        gone, or has other policies now.
        """
        ...

    async def lease_terms(self, storage: View, lease: Lease) -> LeaseTerms:
        """For how long a lease of this mount may be renewed.

        `storage` is the mount's. Raises a `RequestError` when it is not to be renewed.
        """
        ...

    async def renew_lease(self, storage: View, lease: Lease) -> None:
        """Tell whoever has to know outside that a lease of this mount goes on until its `expires`,
        which is the new one. Any exception means that it is not renewed."""
        ...

    async def revoke_lease(self, storage: View, lease: Lease) -> None:
        """Take back the credential that a lease of this mount stands for; any exception means that
        it could not be done and is to be tried again.

        `storage` is the mount's. A server may die between the revocation and noting it, so this is
        called again for what is revoked already, and then has to succeed.
        """
        ...
