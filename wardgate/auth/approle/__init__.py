"""AppRole: machines that prove who they are by a role id and a secret id."""

from wardgate.auth.approle.accessors import AccessorEndpoints
from wardgate.auth.approle.login import LoginEndpoint, given_role_id, role_name_of
from wardgate.auth.approle.properties import property_endpoints
from wardgate.auth.approle.records import role_by_name
from wardgate.auth.approle.roles import RoleEndpoints
from wardgate.auth.approle.secret_ids import SecretIdEndpoints
from wardgate.auth.approle.sweeping import SecretIdSweeping, TidyEndpoint
from wardgate.core.backend import Renewal
from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.core.request import Request
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token
from wardgate.errors import InvalidRequest
from wardgate.framework.backend import EndpointBackend

__all__ = ["AppRole", "SecretIdSweeping"]


class AppRole(EndpointBackend):
    """Machines log in with the id of a role and a secret id that was made for it."""

    has_login_roles = True

    def __init__(self, core: Core, mount: Mount) -> None:
        self._core = core
        super().__init__(
            LoginEndpoint(core),
            RoleEndpoints(core),
            *property_endpoints(core),
            SecretIdEndpoints(core),
            AccessorEndpoints(core),
            TidyEndpoint(),
        )

    async def login_role(self, request: Request) -> str:
        """The name of the role with the given id; empty when there is none."""
        return await role_name_of(self._core, request)

    async def login_alias(self, request: Request) -> str:
        """The given role id, also one that no role has: nothing tells which there are."""
        return given_role_id(request)

    async def renew(self, request: Request, storage: View, token: Token) -> Renewal:
        """The role must still be there, not another one of its name; what it says now holds."""
        facts = token.renewal or {}
        role = await role_by_name(storage, facts.get("role", ""))
        if role is None or role.uid != facts.get("uid"):
            raise InvalidRequest("the role no longer exists: the token is not renewed")
        return role.settings.renewal()
