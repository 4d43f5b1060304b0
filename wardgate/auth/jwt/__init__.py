"""JWT and OIDC: log in with a token that somebody else has signed.

`claims.checked` and `login.grant_of` make a login of claims that are known to be true; `keys` finds
out whether they are.
"""

from wardgate.auth.jwt.cel import Evaluator
from wardgate.auth.jwt.cel_login import CEL, CelLoginEndpoints
from wardgate.auth.jwt.cel_roles import CelRoleEndpoints, cel_role_of
from wardgate.auth.jwt.config import config_of
from wardgate.auth.jwt.config_endpoints import ConfigEndpoints
from wardgate.auth.jwt.keys import Keys
from wardgate.auth.jwt.login import NATIVE, LoginEndpoints
from wardgate.auth.jwt.names import is_name
from wardgate.auth.jwt.oidc.endpoints import OidcEndpoints
from wardgate.auth.jwt.role_endpoints import RoleEndpoints
from wardgate.auth.jwt.roles import role_of
from wardgate.auth.jwt.special import SpecialProviders
from wardgate.core.backend import Renewal
from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.core.request import Request
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token
from wardgate.errors import InvalidRequest
from wardgate.framework.backend import EndpointBackend, login_body
from wardgate.framework.fields import Body, BodyReader

_LOGINS = ("login", "cel/login", "oidc/auth_url")
"""The paths whose requests name a role."""


class _RoleBody(Body):
    """What all these requests have in common."""

    role: str = ""


_ROLE = BodyReader(_RoleBody)


class JwtAuth(EndpointBackend):
    """Log in with a signed token (JWT) or at an OpenID Connect provider."""

    has_login_roles = True

    def __init__(self, core: Core, mount: Mount) -> None:
        keys, evaluator, special = Keys(), Evaluator(), SpecialProviders(core)
        super().__init__(
            ConfigEndpoints(core, keys, special),
            RoleEndpoints(core.settings),
            LoginEndpoints(core, keys, special),
            CelRoleEndpoints(evaluator),
            CelLoginEndpoints(core, keys, evaluator),
            OidcEndpoints(core, keys, special),
        )

    async def login_role(self, request: Request) -> str:
        """The role that a login names, or the mount's default role."""
        if request.subpath not in _LOGINS:
            return ""
        body = login_body(request, _ROLE)
        role = "" if body is None else body.role
        if not role:
            config = await config_of(request.storage)
            role = config.default_role if config else ""
        return role.lower() if is_name(role) else ""

    async def renew(self, request: Request, storage: View, token: Token) -> Renewal:
        """The role must still be there; its times count as they are now, but those that a CEL role
        gave: what the claims would give now, nobody knows."""
        facts = token.renewal or {}
        name, kind = facts.get("role", ""), facts.get("role_type")
        if kind == CEL and await cel_role_of(storage, name) is not None:
            return Renewal(ttl=token.ttl, max_ttl=token.max_ttl, period=token.period)
        role = await role_of(storage, name) if kind == NATIVE else None
        if role is None:
            raise InvalidRequest("the role no longer exists: the token is not renewed")
        return role.settings.renewal()
