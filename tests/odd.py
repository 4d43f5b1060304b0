"""An auth method that does what none should, to show what the core makes of it."""

from tests.node import NodeUnderTest
from wardgate.core.backend import Renewal
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, TokenGrant
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token
from wardgate.framework.backend import EndpointBackend
from wardgate.framework.endpoints import endpoint

SECRET = "hunter2"


class Odd(EndpointBackend):
    """Grants whatever is asked for."""

    def __init__(self, grant: TokenGrant) -> None:
        super().__init__()
        self.grant = grant
        self.renewal: Renewal | None = None

    async def renew(self, request: Request, storage: View, token: Token) -> Renewal:
        if self.renewal is None:
            return await super().renew(request, storage, token)
        return self.renewal

    @endpoint("login", Operation.UPDATE, operation_id="odd-login", unauthenticated=True)
    async def login(self, request: Request) -> Response:
        """Grants a login."""
        return Response(grant=self.grant)

    @endpoint("refused", Operation.UPDATE, operation_id="odd-refused", unauthenticated=True)
    async def refused(self, request: Request) -> Response:
        """Refuses a login and grants it all the same."""
        return Response({"errors": ["no"]}, status=403, bare=True, grant=self.grant)

    @endpoint("broken", Operation.UPDATE, operation_id="odd-broken", unauthenticated=True)
    async def broken(self, request: Request) -> Response:
        """Fails in a way that nobody thought of."""
        raise KeyError(SECRET)


async def mount_odd(node: NodeUnderTest, grant: TokenGrant, path: str = "auth/odd/") -> Odd:
    """Let an `Odd` answer at `path` of this node."""
    await node.ok(f"sys/{path.rstrip('/')}", {"type": "userpass"})
    odd = Odd(grant)
    answer_with(node, odd, path)
    return odd


def answer_with(node: NodeUnderTest, odd: Odd, path: str) -> None:
    """Let `odd` answer at `path`, where something is mounted already."""
    build = node.core.catalog.build
    node.core.catalog.build = (  # type: ignore[method-assign]
        lambda core, mount: odd if mount.path == path else build(core, mount)
    )
    node.core.forget()
