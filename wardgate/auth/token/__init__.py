"""The token auth method: tokens that make, look up, renew and revoke tokens."""

from wardgate.auth.token.accessors import AccessorEndpoints
from wardgate.auth.token.create import CreateEndpoints
from wardgate.auth.token.lives import LifeEndpoints
from wardgate.auth.token.roles import ROLE, ROLES, RoleEndpoints
from wardgate.core.backend import Renewal
from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.core.request import Request
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token
from wardgate.errors import InvalidRequest
from wardgate.framework.backend import EndpointBackend


class TokenAuth(EndpointBackend):
    """Creates, looks up, renews and revokes tokens; always mounted at auth/token/."""

    def __init__(self, core: Core, mount: Mount) -> None:
        super().__init__(
            CreateEndpoints(core), LifeEndpoints(core), AccessorEndpoints(core), RoleEndpoints()
        )

    async def renew(self, request: Request, storage: View, token: Token) -> Renewal:
        """For as long as the last time, within what holds for the token; one that was made through a
        role keeps to what the role says now."""
        ttl = token.granted or token.ttl
        if not token.role:
            return Renewal(ttl=ttl, max_ttl=token.max_ttl, period=token.period)
        role = await storage.get(ROLES + token.role, ROLE)
        if role is None:
            raise InvalidRequest("the role this token was created with is gone: it is not renewed")
        return Renewal(ttl=ttl, period=role.settings.period or token.period)


__all__ = ["TokenAuth"]
