"""WebAuthn: people log in with passkeys and security keys.

`registration` makes keys known, `login` checks signatures by them, `verification` is the only place
that looks into what authenticators send. The bodies of requests are in docs/auth/webauthn.md.
"""

from wardgate.auth.webauthn.config import ConfigEndpoints
from wardgate.auth.webauthn.enrolment import EnrolmentEndpoints
from wardgate.auth.webauthn.login import FinishBody, LoginEndpoints
from wardgate.auth.webauthn.names import is_name
from wardgate.auth.webauthn.registration import RegistrationEndpoints
from wardgate.auth.webauthn.renewal import renewed
from wardgate.auth.webauthn.user_endpoints import UserEndpoints
from wardgate.core.backend import Renewal
from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.core.request import Request
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token
from wardgate.framework.backend import EndpointBackend, login_body
from wardgate.framework.fields import BodyReader

_LOGIN = BodyReader(FinishBody)


class Webauthn(EndpointBackend):
    """Log in with a passkey or security key."""

    def __init__(self, core: Core, mount: Mount) -> None:
        super().__init__(
            ConfigEndpoints(),
            UserEndpoints(),
            EnrolmentEndpoints(),
            RegistrationEndpoints(core),
            LoginEndpoints(),
        )

    async def login_alias(self, request: Request) -> str:
        """The user's name, where the login names one. A passkey without a name counts for nobody:
        no name can be guessed at with it."""
        body = login_body(request, _LOGIN) if request.subpath == "login/finish" else None
        name = "" if body is None else body.username.strip()
        return name.lower() if is_name(name) else ""

    async def renew(self, request: Request, storage: View, token: Token) -> Renewal:
        """What the login needed must still be there."""
        return await renewed(storage, token)
