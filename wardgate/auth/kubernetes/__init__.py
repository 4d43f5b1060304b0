"""Kubernetes: pods log in with the token of their service account.

Whoever logs in shows a JSON web token that the cluster gave them and names a role. What the token
says is held against the role, its signature is checked here where the cluster's keys are known, and
the cluster's API is asked whether the token is good (TokenReview): only what that says counts.
"""

from wardgate.auth.kubernetes.config import ConfigEndpoints
from wardgate.auth.kubernetes.login import Login, LoginBody
from wardgate.auth.kubernetes.roles import RoleEndpoints, role_key
from wardgate.core.backend import Renewal
from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.core.request import Request
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token
from wardgate.framework.backend import EndpointBackend, login_body
from wardgate.framework.fields import BodyReader

_LOGIN = BodyReader(LoginBody)


class Kubernetes(EndpointBackend):
    """Log in with the token of a Kubernetes service account."""

    has_login_roles = True

    def __init__(self, core: Core, mount: Mount) -> None:
        self._login = Login(core)
        super().__init__(ConfigEndpoints(), RoleEndpoints(core, mount), self._login)

    async def login_role(self, request: Request) -> str:
        """The role that a login names, in the one form of its name."""
        body = login_body(request, _LOGIN) if request.subpath == "login" else None
        return "" if body is None else role_key(body.role) or ""

    async def renew(self, request: Request, storage: View, token: Token) -> Renewal:
        """Everything that the login needed must still hold."""
        return await self._login.renewed(request, storage, token)
