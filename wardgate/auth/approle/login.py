"""``login``: a role id and a secret id for a token, in one commit.

A secret id with a limited number of uses is counted down, or removed, by the commit that makes the
token: of a thousand logins at once with a secret id for one use, one gets a token. What is refused
changes nothing, and costs no use.
"""

from typing import Annotated

import msgspec

from wardgate.auth.approle.records import (
    LONGEST_ID,
    SECRET_ID,
    TEXT,
    Role,
    SecretId,
    remove_secret_id,
    role_by_name,
    role_id_key,
    secret_id_name,
)
from wardgate.core.cidr import address_allowed, narrowed, parse_cidrs
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.errors import InvalidRequest, PermissionDenied, WrongCredentials
from wardgate.framework.backend import login_body
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, BodyReader, Doc

_WRONG = "invalid role or secret ID"
_MISSING = "missing secret_id"
_MINUTE = 60
"""Seconds between notes of when a secret id was used: those who share one must not wait for each
other at its record."""


class LoginBody(Body):
    """What a machine proves itself with."""

    role_id: Annotated[str, Doc("The id of the role.")] = ""
    secret_id: Annotated[str, Doc("A secret id of the role, unless it needs none.", default="")] = (
        ""
    )


_LOGIN = BodyReader(LoginBody)


class LoginEndpoint:
    """Logs machines in."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("login", Operation.UPDATE, operation_id="app-role-login", unauthenticated=True)
    async def login(self, request: Request, body: LoginBody) -> Response:
        """Log in with a role id and a secret id."""
        role_id = body.role_id.strip()
        if not role_id:
            raise InvalidRequest("missing role_id")
        name, role = await _role_of(self._core, request, role_id)
        if role is None:
            if not body.secret_id.strip():  # so that nothing tells which role ids there are
                raise InvalidRequest(_MISSING)
            raise WrongCredentials(_WRONG)
        metadata, settings = {"role_name": name}, role.settings
        # before the secret id: from elsewhere nobody can have the role locked out
        if not address_allowed(request.remote_address, role.secret_id_bound_cidrs):
            raise InvalidRequest("source address unauthorized by CIDR restrictions on the role")
        if not address_allowed(request.remote_address, settings.bound_cidrs):
            raise PermissionDenied
        if role.bind_secret_id:
            secret = await self._used(request, role, body.secret_id.strip())
            metadata = {**secret.metadata, **metadata}
            if secret.token_cidrs:  # the role's may have become narrower since
                blocks = parse_cidrs("token_bound_cidrs", secret.token_cidrs)
                blocks = narrowed(blocks, settings.bound_cidrs)
                if not address_allowed(request.remote_address, blocks):
                    raise PermissionDenied  # also of a token that is bound to this one address
                settings = msgspec.structs.replace(settings, bound_cidrs=blocks)
        grant = settings.grant(
            "",
            request.remote_address,
            alias=role.role_id,
            alias_metadata=metadata,
            metadata=metadata,
            renewal={"role": name, "uid": role.uid},
        )
        return Response(grant=grant)

    async def _used(self, request: Request, role: Role, secret_id: str) -> SecretId:
        """The role's secret id, used once more."""
        if not secret_id:
            raise InvalidRequest(_MISSING)
        if len(secret_id) > LONGEST_ID:
            raise WrongCredentials(_WRONG)
        storage, now = request.storage, request.time
        name = await secret_id_name(self._core, request.transaction, secret_id)
        key = role.secret_ids + name
        secret: SecretId | None = storage.known(key) or await storage.get(key, SECRET_ID)
        if secret is None or not secret.alive(now):
            raise WrongCredentials(_WRONG)
        if not address_allowed(request.remote_address, secret.cidrs):
            raise InvalidRequest(
                "source address unauthorized through CIDR restrictions on the secret ID"
            )
        request.credential_accessor = secret.accessor
        if secret.uses_left == 1:
            remove_secret_id(storage, role.uid, name, secret)
        elif secret.uses_left:
            left = secret.uses_left - 1
            changed = msgspec.structs.replace(secret, uses_left=left, updated=now, used=now)
            storage.put(key, changed, SECRET_ID)
        elif now - secret.used >= _MINUTE:
            storage.put(key, msgspec.structs.replace(secret, used=now), SECRET_ID)
        return secret


async def _role_of(core: Core, request: Request, role_id: str) -> tuple[str, Role | None]:
    """The role with this id, and its name."""
    if not role_id or len(role_id) > LONGEST_ID:
        return "", None
    key = await role_id_key(core, request.transaction, role_id)
    name: str | None = request.storage.known(key) or await request.storage.get(key, TEXT)
    role = None if name is None else await role_by_name(request.storage, name)
    if name is None or role is None or role.role_id != role_id:
        return "", None
    return name, role


async def role_name_of(core: Core, request: Request) -> str:
    """The name of the role that a login is for; empty when it is none, or for no role."""
    return (await _role_of(core, request, given_role_id(request)))[0]


def given_role_id(request: Request) -> str:
    """The role id that a login is for, whether a role has it or not; empty when it is no login, or
    for what can be no role's."""
    body = login_body(request, _LOGIN) if request.subpath == "login" else None
    role_id = "" if body is None else body.role_id.strip()
    return role_id if len(role_id) <= LONGEST_ID else ""
