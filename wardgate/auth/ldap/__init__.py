"""LDAP: people log in with their name and password of a directory, such as Active Directory.

The directory is asked whether the password is right and in which groups somebody is. Policies come
from the configuration, from the groups and from local mappings.
"""

from wardgate.auth.ldap.config_endpoints import ConfigEndpoints
from wardgate.auth.ldap.login import Login
from wardgate.auth.ldap.mappings import MappingEndpoints
from wardgate.auth.ldap.names import login_name
from wardgate.core.backend import Renewal
from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.core.request import Request
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token
from wardgate.framework.backend import EndpointBackend


class Ldap(EndpointBackend):
    """Log in with name and password of an LDAP directory."""

    def __init__(self, core: Core, mount: Mount) -> None:
        self._login = Login()
        super().__init__(ConfigEndpoints(self._login.forget), MappingEndpoints(), self._login)

    async def login_alias(self, request: Request) -> str:
        """The user's name, however it was spelt, if it is one that a user can have."""
        lead, _, username = request.subpath.partition("/")
        return login_name(username, case_sensitive=False) if lead == "login" else ""

    async def renew(self, request: Request, storage: View, token: Token) -> Renewal:
        """Everything that the login needed must still hold, but for the address."""
        return await self._login.renewed(request, storage, token)
