"""SAML: people log in at their organisation's identity provider, in a browser (SAML 2.0, Web SSO).

Every login begins here (`flows`): the provider's answer must belong to one that is open. What an
answer is worth, `responses` finds out, with `documents`, `signatures` and `decryption`, which alone
touch XML from outside; they run on threads and load their libraries when they are first used.
"""

from wardgate.auth.saml.config import config_of
from wardgate.auth.saml.config_endpoints import ConfigEndpoints
from wardgate.auth.saml.endpoints import LoginEndpoints
from wardgate.auth.saml.fields import SsoServiceUrlBody
from wardgate.auth.saml.provider import Provider
from wardgate.auth.saml.roles import LONGEST_NAME, RoleEndpoints, role_of
from wardgate.core.backend import Renewal
from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.core.request import Request
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token
from wardgate.errors import InvalidRequest
from wardgate.framework.backend import EndpointBackend, login_body
from wardgate.framework.fields import BodyReader
from wardgate.framework.names import is_name

_BEGIN = BodyReader(SsoServiceUrlBody)


class Saml(EndpointBackend):
    """Log in at a SAML 2.0 identity provider, in a browser."""

    has_login_roles = True

    def __init__(self, core: Core, mount: Mount) -> None:
        provider = Provider(core)
        super().__init__(
            ConfigEndpoints(provider), RoleEndpoints(core), LoginEndpoints(provider, mount.path)
        )

    async def login_role(self, request: Request) -> str:
        """The role that a login begins with, or the mount's default role."""
        if request.subpath != "sso_service_url":
            return ""
        body = login_body(request, _BEGIN)
        role = "" if body is None else body.role
        if not role:
            config = await config_of(request.storage)
            role = config.default_role if config else ""
        return role.lower() if is_name(role, LONGEST_NAME) else ""

    async def renew(self, request: Request, storage: View, token: Token) -> Renewal:
        """The role must still be there; its times count as they are now."""
        role = await role_of(storage, (token.renewal or {}).get("role", ""))
        if role is None:
            raise InvalidRequest("the role no longer exists: the token is not renewed")
        return role.settings.renewal()
