"""``login``, and renewals, which ask the directory again."""

import asyncio
import threading
from typing import Annotated

import msgspec

from wardgate.auth.ldap.config import Config, configuration
from wardgate.auth.ldap.directory import Directory, Person
from wardgate.auth.ldap.effort import DirectoryFailed, Effort
from wardgate.auth.ldap.mappings import group_policies, user_of
from wardgate.auth.ldap.names import login_name
from wardgate.auth.ldap.pool import IDLE, Pool
from wardgate.auth.ldap.turns import Turns
from wardgate.core.backend import Renewal
from wardgate.core.cidr import address_allowed
from wardgate.core.logins import canonical_policies
from wardgate.core.operation import Operation
from wardgate.core.policies import DEFAULT
from wardgate.core.request import Request, Response
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token
from wardgate.errors import BadGateway, InvalidRequest, PermissionDenied, WrongCredentials
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.framework.token_fields import policies_changed

LONGEST_TIMEOUT = 300
"""Seconds for which a login waits where request_timeout is 0 or more than that."""
_LONGEST_PASSWORD = 4096  # bytes
_LONGEST_ALIAS = 1024  # characters
_WRONG = "ldap operation failed: failed to bind as user"


class LoginBody(Body):
    """What somebody proves themselves with."""

    password: Annotated[str, Doc("The user's password in the directory.")] = ""


class Found(msgspec.Struct, frozen=True):
    """Somebody who has logged in, with all that they get here."""

    alias: str
    groups: tuple[str, ...]
    policies: tuple[str, ...]
    from_directory: bool
    """Whether the directory knows a group of theirs."""


class Login:
    """Logs people in."""

    def __init__(self) -> None:
        self._turns = Turns()
        self._lock = threading.Lock()
        self._pool: tuple[bytes, Pool] | None = None
        self._cleaning: asyncio.TimerHandle | None = None

    def forget(self) -> None:
        """Let go of all connections: the configuration is another one."""
        with self._lock:
            if self._pool is not None:
                self._pool[1].close()
                self._pool = None

    @endpoint(
        "login/{username...}", Operation.UPDATE, operation_id="ldap-login", unauthenticated=True
    )
    async def login(self, request: Request, username: str, body: LoginBody) -> Response:
        """Log in with a name and a password of the directory."""
        config = await configuration(request.storage)
        if not address_allowed(request.remote_address, config.settings.bound_cidrs):
            raise PermissionDenied
        if not body.password:
            raise InvalidRequest(
                "password cannot be of zero length when passwordless binds are being denied"
            )
        name = login_name(username, case_sensitive=config.case_sensitive_names)
        found = await self._found(request, request.storage, config, name, body.password)
        if found is None:
            raise WrongCredentials(_WRONG)
        if not found.alias or len(found.alias) > _LONGEST_ALIAS:
            raise InvalidRequest(
                "the directory has no single value of userattr for this user that is text; set userattr"
                " to an attribute that everybody has once, or username_as_alias"
            )
        settings = msgspec.structs.replace(config.settings, policies=found.policies)
        grant = settings.grant(
            name,
            request.remote_address,
            alias=found.alias,
            alias_metadata={"name": name},
            group_aliases=found.groups,
            metadata={"username": name},
            renewal={"username": name, "password": body.password},
        )
        if not found.from_directory:
            request.warnings.append(
                f'no LDAP groups found in groupDN "{config.groupdn}"; only policies from'
                " locally-defined groups available"
            )
        return Response({}, grant=grant)

    async def renewed(self, request: Request, storage: View, token: Token) -> Renewal:
        """The directory must still take the password, and the policies must be the same."""
        kept = token.renewal or {}
        config = await configuration(storage)
        found = await self._found(
            request, storage, config, kept.get("username", ""), kept.get("password", "")
        )
        if found is None:
            raise InvalidRequest(
                "the user no longer exists in the directory, or has another password: the token is"
                " not renewed"
            )
        policies = canonical_policies(found.policies, add_default=False)
        if {*policies, DEFAULT} != {*token.policies, DEFAULT}:  # that one is not the directory's
            raise policies_changed()
        return config.settings.renewal(found.groups)

    async def _found(
        self, request: Request, storage: View, config: Config, name: str, password: str
    ) -> Found | None:
        """Who this is, if name and password are right."""
        if not config.searches and not config.upndomain and not config.userdn:
            raise InvalidRequest(
                "the mount is not configured: write url, and userdn, upndomain, or binddn with"
                " bindpass, to its config"
            )
        if not name or not password or len(password.encode()) > _LONGEST_PASSWORD:
            return None
        fingerprint = config.fingerprint
        person = await request.once(
            f"directory {fingerprint.hex()} {name}",
            lambda: self._asked(config, fingerprint, name, password),
        )
        if person is None:
            return None
        user = await user_of(storage, name)
        groups = tuple(dict.fromkeys((*user.groups, *person.groups)))
        mapped = await group_policies(storage, groups, case_sensitive=config.case_sensitive_names)
        return Found(
            alias=person.alias,
            groups=groups,
            policies=tuple({*config.settings.policies, *mapped, *user.policies}),
            from_directory=bool(person.groups),
        )

    async def _asked(
        self, config: Config, fingerprint: bytes, name: str, password: str
    ) -> Person | None:
        """What the directory says. Raises `BadGateway`, or `Unavailable` where it was not asked."""
        seconds = min(config.request_timeout or LONGEST_TIMEOUT, LONGEST_TIMEOUT)

        def work(left: float) -> Person | None:
            return Directory(config, self._connections(config, fingerprint)).person(
                name, password, Effort(left)
            )

        try:
            return await self._turns.run(work, seconds)
        except DirectoryFailed as error:
            raise BadGateway(f"ldap operation failed: {error}") from None
        finally:
            if self._cleaning is None:
                self._cleaning = asyncio.get_running_loop().call_later(IDLE, self._clean)

    def _connections(self, config: Config, fingerprint: bytes) -> Pool:
        """The connections for a configuration; those for another one are closed."""
        with self._lock:
            if self._pool is None or self._pool[0] != fingerprint:
                if self._pool is not None:
                    self._pool[1].close()
                self._pool = fingerprint, Pool(config)
            return self._pool[1]

    def _clean(self) -> None:
        """Close what nobody uses any more, and come again while there is something."""
        self._cleaning = None
        pool = self._pool
        if pool is not None and pool[1].drop_old():
            self._cleaning = asyncio.get_running_loop().call_later(IDLE, self._clean)
