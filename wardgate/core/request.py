"""A request on its way through the core, and what comes back.

The HTTP layer makes a `Request`, the pipeline fills in what it finds out (mount, token, policies),
an endpoint answers with a `Response`, and the HTTP layer writes that out.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from wardgate.core.operation import Operation
from wardgate.core.storage import Transaction, View
from wardgate.core.tracing import Tracer

if TYPE_CHECKING:
    from wardgate.core.audit.entry import Entry
    from wardgate.core.leases.record import Lease
    from wardgate.core.mounts import Mount
    from wardgate.core.policy import Acl
    from wardgate.core.tokens.record import Token

T = TypeVar("T")
JsonMap = dict[str, Any]
Headers = list[tuple[str, str]]


class Request:
    """One request. `path` is what follows ``/v1/``, `peer` is address and port of whoever sent it;
    times are seconds since the epoch; `patience` is how many seconds the answer may take from when it
    `began`; `time` is when it is answered, anew for each try. `opened`
    are the groups of endpoints that need no token on the listener that it came through."""

    __slots__ = (
        "__dict__",  # for what few requests have
        "acl",
        "audit",
        "began",
        "body",
        "client_token",
        "header_values",
        "headers",
        "id",
        "memo",
        "mount",
        "operation",
        "path",
        "patience",
        "peer",
        "query",
        "storage",
        "subpath",
        "time",
        "token",
        "token_key",
        "transaction",
        "warnings",
        "wrap_ttl",
    )

    acl: "Acl"
    mount: "Mount"
    transaction: Transaction
    storage: View
    subpath: str
    opened: frozenset[str] = frozenset()
    namespace: str = ""
    issued: "Token | None" = None
    """The token that the answer's ``auth`` gives out."""
    credential_accessor: str = ""
    """The accessor of what somebody logs in with, where it has one: audit devices record it."""
    leases: "list[Lease] | None" = None
    """What was given out on the way, each time that the request ran."""
    answer_headers: Headers | None = None
    """What the answer gets beside its own headers, whatever it is."""
    tracer: Tracer | None = None

    def __init__(
        self,
        operation: Operation,
        path: str,
        *,
        id: str,
        time: float,
        body: JsonMap | None = None,
        query: Mapping[str, str] | None = None,
        headers: Callable[[str], str | None] = lambda name: None,
        header_values: Callable[[str], list[str]] = lambda name: [],
        client_token: str = "",
        peer: str = "",
        wrap_ttl: int | None = None,
        patience: float = math.inf,
    ) -> None:
        self.id = id
        self.operation = operation
        self.path = path
        self.began = self.time = time
        self.body = body
        self.query = query
        self.headers = headers
        self.header_values = header_values
        self.client_token = client_token
        self.peer = peer
        self.wrap_ttl = wrap_ttl
        self.patience = patience
        self.token: Token | None = None
        self.token_key = ""
        self.audit: Entry | None = None
        """Set for a request that audit devices record."""
        self.warnings: list[str] = []
        self.memo: dict[str, Any] = {}

    @property
    def remote_address(self) -> str:
        """The IP address that the request came from; empty over a unix socket."""
        return self.peer.rpartition(":")[0].strip("[]")

    async def once(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Do slow or outside work once, though a lost race makes the request run again. It begins
        when the request is recorded."""
        if name not in self.memo:
            if self.audit is not None:
                await self.audit.delivered(self)
            transaction = getattr(self, "transaction", None)
            if transaction is not None:  # what is asked of a sealed server has none
                transaction.lingered = True
            if self.tracer is None:
                self.memo[name] = await work()
            else:
                with self.tracer.span("outside work"):
                    self.memo[name] = await work()
        result: T = self.memo[name]
        return result


class TokenGrant(msgspec.Struct, frozen=True, kw_only=True):
    """What an auth method grants to somebody who has proved who they are.

    The pipeline turns it into a token. Durations are seconds, 0 where the mount's or the system's
    value applies.
    """

    display_name: str
    policies: tuple[str, ...] = ()
    no_default_policy: bool = False
    alias: str = ""
    """The name of this person or machine at the auth method; ties the login to an entity."""
    alias_metadata: dict[str, str] = {}
    group_aliases: tuple[str, ...] = ()
    """What the auth method calls the groups that they are in: they are members of just those
    external groups of the mount that have one of these aliases."""
    metadata: dict[str, str] = {}
    ttl: int = 0
    max_ttl: int = 0
    explicit_max_ttl: int = 0
    period: int = 0
    num_uses: int = 0
    token_type: str = ""
    bound_cidrs: tuple[str, ...] = ()
    renewable: bool = True
    renewal: dict[str, str] | None = None
    """What the method needs to check this login again at each renewal."""
    path_suffix: str = ""
    """Put behind the request's path in that of the token, where all log in at one path: one segment,
    so that the tokens of one person or machine are found and revoked as leases below it."""


class LeaseGrant(msgspec.Struct, frozen=True, kw_only=True):
    """What a secret engine says of a credential that it gives out and will take back.

    The pipeline makes a lease of it. Durations are seconds, 0 where the mount's or the system's
    value applies. A request may run again when it lost a race, so the credential is to be made
    through `Request.once`; one whose request fails in the end is revoked.
    """

    data: dict[str, Any]
    """What the engine has to know to renew and revoke the credential; kept encrypted, not shown."""
    ttl: int = 0
    max_ttl: int = 0
    renewable: bool = True


class Response:
    """What an endpoint answers.

    `data` goes into the envelope's ``data``. With `bare`, the body is `data` itself (sys/health and
    its kin); with `spread`, the keys of `data` stand beside the envelope's too, as some of Vault's
    oldest endpoints have it. `raw` bytes replace the body altogether. `then` is called when all that
    the request wrote is durable; `after` is awaited then, and the answer that it gives goes out.
    `lease` says that what is answered will be revoked one day.
    """

    __slots__ = (
        "__dict__",  # for what few answers have
        "auth",
        "bare",
        "content_type",
        "data",
        "grant",
        "headers",
        "lease",
        "lease_duration",
        "lease_id",
        "raw",
        "renewable",
        "spread",
        "status",
        "warnings",
    )

    wrap_info: JsonMap | None = None
    accessor: str = ""
    """Of the secret that is given out, if it has one: it is shown where the answer is wrapped."""
    then: Callable[[], None] | None = None
    after: "Callable[[], Awaitable[Response]] | None" = None

    def __init__(
        self,
        data: Any = None,
        *,
        status: int = 200,
        bare: bool = False,
        spread: bool = False,
        raw: bytes | None = None,
        content_type: str = "application/json",
        auth: JsonMap | None = None,
        grant: TokenGrant | None = None,
        lease: LeaseGrant | None = None,
        warnings: list[str] | None = None,
        lease_id: str = "",
        lease_duration: int = 0,
        renewable: bool = False,
    ) -> None:
        self.data = data
        self.status = status
        self.bare = bare
        self.spread = spread
        self.raw = raw
        self.content_type = content_type
        self.auth = auth
        self.grant = grant
        self.lease = lease
        self.warnings = warnings
        self.lease_id = lease_id
        self.lease_duration = lease_duration
        self.renewable = renewable
        self.headers: Headers = []


def no_content(warnings: list[str] | None = None) -> Response:
    """204; with warnings, 200 and an envelope that carries them."""
    return Response(status=200 if warnings else 204, warnings=warnings)


def listing(keys: list[str], key_info: JsonMap | None = None) -> Response:
    """The answer to LIST: 404 where there is nothing, as Vault has it."""
    if not keys:
        return Response(status=404)
    return Response({"keys": keys} if key_info is None else {"keys": keys, "key_info": key_info})
