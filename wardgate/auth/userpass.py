"""Userpass: people and machines with a name and a password.

Passwords are stored as bcrypt hashes, computed on threads so that nobody waits for somebody else's
login. A login with an unknown name gets the same answer as a wrong password, and costs the same work
as one whose hash was made here.
"""

import asyncio
import re
from typing import Annotated

import bcrypt
import msgspec

from wardgate.core.backend import Renewal
from wardgate.core.cidr import address_allowed
from wardgate.core.core import Core
from wardgate.core.mounts import Mount
from wardgate.core.operation import Operation
from wardgate.core.passwords import check_password, password_policy
from wardgate.core.records import Codec
from wardgate.core.request import Request, Response, listing, no_content
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token
from wardgate.errors import InvalidRequest, NotFound, PermissionDenied, WrongCredentials
from wardgate.framework.backend import EndpointBackend
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, Duration, StringList
from wardgate.framework.paging import Page
from wardgate.framework.token_fields import TokenFields, TokenSettings, changed_settings

USERS = "user/"
_CONFIG_KEY = "config"
_COST = 10  # bcrypt's work factor, 2^10 rounds, as in Vault
_PASSWORD_LONGEST = 72  # bytes: bcrypt takes no notice of more
_NAME = re.compile(r"[\w@.+-]{1,128}", re.ASCII)
_HASH = re.compile(r"\$2[aby]\$(0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}")  # work factors up to 14

OLD_NAMES = {
    "bound_cidrs": "token_bound_cidrs",
    "max_ttl": "token_max_ttl",
    "policies": "token_policies",
    "ttl": "token_ttl",
}


class LoginBody(Body):
    """What somebody proves themselves with."""

    password: Annotated[str, Doc("The user's password.")] = ""


class PasswordBody(Body):
    """A new password."""

    password: Annotated[str, Doc("The user's new password.")] = ""
    password_hash: Annotated[str, Doc("Its bcrypt hash, in the place of the password.")] = ""


class PoliciesBody(Body):
    """New policies."""

    policies: Annotated[
        StringList | None, Doc("Use 'token_policies' instead.", deprecated=True)
    ] = None
    token_policies: Annotated[
        StringList | None, Doc("Comma-separated or JSON list of the user's policies.")
    ] = None


class UserBody(TokenFields):
    """A user's fields."""

    password: Annotated[str, Doc("The user's password.")] = ""
    password_hash: Annotated[str, Doc("Its bcrypt hash, in the place of the password.")] = ""
    bound_cidrs: Annotated[
        StringList | None, Doc("Use 'token_bound_cidrs' instead.", deprecated=True)
    ] = None
    max_ttl: Annotated[Duration | None, Doc("Use 'token_max_ttl' instead.", deprecated=True)] = None
    policies: Annotated[
        StringList | None, Doc("Use 'token_policies' instead.", deprecated=True)
    ] = None
    ttl: Annotated[Duration | None, Doc("Use 'token_ttl' instead.", deprecated=True)] = None


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user as stored."""

    password_hash: bytes
    settings: TokenSettings = TokenSettings()


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The mount's own settings."""

    password_policy: str = ""


USER: Codec[User] = Codec(User)
CONFIG: Codec[Config] = Codec(Config)


class Userpass(EndpointBackend):
    """Log in with a name and a password."""

    def __init__(self, core: Core, mount: Mount) -> None:
        super().__init__()

    @endpoint(
        "login/{username}",
        Operation.UPDATE,
        operation_id="userpass-login",
        unauthenticated=True,
    )
    async def login(self, request: Request, username: str, body: LoginBody) -> Response:
        """Log in with a name and a password."""
        if not body.password:
            raise InvalidRequest("missing password")
        name = username.lower()
        user = await request.storage.get(USERS + name, USER)
        hashed = user.password_hash if user else _unknown_user_hash()
        right = await request.once(
            f"bcrypt {hashed.hex()}", lambda: asyncio.to_thread(_verify, body.password, hashed)
        )
        if user is None or not right:
            raise WrongCredentials("invalid username or password")
        if not address_allowed(request.remote_address, user.settings.bound_cidrs):
            raise PermissionDenied
        grant = user.settings.grant(
            name,
            request.remote_address,
            alias=name,
            metadata={"username": name},
            renewal={"username": name},
        )
        return Response(grant=grant)

    async def login_alias(self, request: Request) -> str:
        """The user's name, however it was spelt, if it is one that a user can have."""
        lead, _, username = request.subpath.partition("/")
        name = username.strip().lower()
        return name if lead == "login" and _NAME.fullmatch(name) else ""

    async def renew(self, request: Request, storage: View, token: Token) -> Renewal:
        """The user must still be there, with the same policies."""
        user = await storage.get(USERS + (token.renewal or {}).get("username", ""), USER)
        if user is None:
            raise InvalidRequest("the user no longer exists: the token is not renewed")
        return user.settings.renewal_of(token)

    @endpoint("users", Operation.LIST, operation_id="userpass-list-users")
    async def list_users(self, request: Request, page: Page) -> Response:
        """List the users' names."""
        return listing(await request.storage.list(USERS, page.after, page.most))

    @endpoint("users/{username}", Operation.READ, operation_id="userpass-read-user", folded=True)
    async def read_user(self, request: Request, username: str) -> Response:
        """Read a user, without the password."""
        user = await request.storage.get(USERS + username.lower(), USER)
        if user is None:
            raise NotFound
        return Response({**user.settings.show(), **user.settings.show_old(OLD_NAMES)})

    async def user_exists(self, request: Request, username: str) -> bool:
        return await request.storage.get(USERS + username.lower(), USER) is not None

    @endpoint(
        "users/{username}",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="userpass-write-user",
        folded=True,
        exists="user_exists",
    )
    async def write_user(self, request: Request, username: str, body: UserBody) -> Response:
        """Make a user, or change the given fields of one."""
        name = username.lower()
        user = await request.storage.get(USERS + name, USER)
        if user is None:
            if not _NAME.fullmatch(name):
                raise InvalidRequest(
                    "username: use up to 128 letters, digits, '_', '@', '.', '+' and '-'"
                )
            user = User(password_hash=b"")
        if body.password or body.password_hash or not user.password_hash:
            user = await self._with_password(request, user, body)
        settings = changed_settings(user.settings, body, OLD_NAMES)
        user = msgspec.structs.replace(user, settings=settings)
        request.storage.put(USERS + name, user, USER)
        return no_content()

    @endpoint(
        "users/{username}", Operation.DELETE, operation_id="userpass-delete-user", folded=True
    )
    async def delete_user(self, request: Request, username: str) -> Response:
        """Delete a user. Tokens live on to their end but are not renewed."""
        request.storage.delete(USERS + username.lower())
        return no_content()

    @endpoint(
        "users/{username}/password",
        Operation.UPDATE,
        operation_id="userpass-reset-password",
        folded=True,
    )
    async def reset_password(self, request: Request, username: str, body: PasswordBody) -> Response:
        """Give a user a new password."""
        user = await self._existing(request, username)
        user = await self._with_password(request, user, body)
        request.storage.put(USERS + username.lower(), user, USER)
        return no_content()

    @endpoint(
        "users/{username}/policies",
        Operation.UPDATE,
        operation_id="userpass-update-policies",
        folded=True,
    )
    async def update_policies(
        self, request: Request, username: str, body: PoliciesBody
    ) -> Response:
        """Give a user other policies."""
        user = await self._existing(request, username)
        given = UserBody(policies=body.policies, token_policies=body.token_policies)
        settings = changed_settings(user.settings, given, OLD_NAMES)
        user = msgspec.structs.replace(user, settings=settings)
        request.storage.put(USERS + username.lower(), user, USER)
        return no_content()

    @endpoint(
        "password_policy/{policy_name}",
        Operation.UPDATE,
        operation_id="userpass-update-policies_password",
    )
    async def set_password_policy(self, request: Request, policy_name: str) -> Response:
        """Hold new passwords to a password policy (see sys/policies/password)."""
        if await password_policy(request.transaction, policy_name) is None:
            raise InvalidRequest(
                "policy_name: no such password policy; write it to sys/policies/password first"
            )
        request.storage.put(_CONFIG_KEY, Config(password_policy=policy_name), CONFIG)
        return no_content()

    async def _existing(self, request: Request, username: str) -> User:
        user = await request.storage.get(USERS + username.lower(), USER)
        if user is None:
            raise InvalidRequest("username does not exist")
        return user

    async def _with_password(
        self, request: Request, user: User, body: UserBody | PasswordBody
    ) -> User:
        if body.password and body.password_hash:
            raise InvalidRequest("only one of password or password_hash may be provided")
        if body.password_hash:
            if not _HASH.fullmatch(body.password_hash):
                raise InvalidRequest("password_hash is not a valid bcrypt hash")
            return msgspec.structs.replace(user, password_hash=body.password_hash.encode())
        password = body.password
        if not password:
            raise InvalidRequest("must provide either password or password_hash")
        if len(password.encode()) > _PASSWORD_LONGEST:
            raise InvalidRequest(f"password: at most {_PASSWORD_LONGEST} bytes")
        config = await request.storage.get(_CONFIG_KEY, CONFIG)
        if config is not None and config.password_policy:
            policy = await password_policy(request.transaction, config.password_policy)
            if policy is None:
                raise InvalidRequest(
                    "password: the mount's password policy is gone; write it again or name another"
                )
            check_password(policy, password)
        hashed = await request.once("new password", lambda: asyncio.to_thread(_hash, password))
        return msgspec.structs.replace(user, password_hash=hashed)


_UNKNOWN: list[bytes] = []


def _unknown_user_hash() -> bytes:
    """A hash that no password fits, to spend the same time on names that do not exist."""
    if not _UNKNOWN:
        _UNKNOWN.append(bcrypt.gensalt(_COST) + b"." * 31)
    return _UNKNOWN[0]


def _hash(password: str) -> bytes:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(_COST))


def _verify(password: str, hashed: bytes) -> bool:
    given = password.encode()
    right = bcrypt.checkpw(given[:_PASSWORD_LONGEST], hashed)
    return right and len(given) <= _PASSWORD_LONGEST
