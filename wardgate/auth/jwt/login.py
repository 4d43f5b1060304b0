"""Log in with a signed token, by a role."""

from typing import Annotated

import msgspec

from wardgate.auth.jwt.claims import Identified, checked
from wardgate.auth.jwt.config import Config, config_of
from wardgate.auth.jwt.groups import NoGroups, ProviderGroups
from wardgate.auth.jwt.keys import Keys
from wardgate.auth.jwt.roles import Role, role_of
from wardgate.auth.jwt.validity import Expected, audiences_of, check_validity
from wardgate.core.cidr import address_allowed
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.errors import InvalidRequest, PermissionDenied
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.framework.jws import Claims

NATIVE = "native"
"""The kind of role that a token was given by, as its renewal has to know it."""


class LoginBody(Body):
    """A token, and the role that it is to be used for."""

    jwt: Annotated[str, Doc("The signed JWT.")] = ""
    role: Annotated[str, Doc("The role to log in by; else the mount's default role.")] = ""
    distributed_claim_access_token: Annotated[
        str, Doc("A token to ask the provider for groups with (Azure/Entra ID only).")
    ] = ""


class LoginEndpoints:
    """Logins with tokens that whoever logs in already has."""

    def __init__(self, core: Core, keys: Keys, groups: ProviderGroups | None = None) -> None:
        """`groups` asks special providers for the groups of whoever logs in."""
        self._core = core
        self._keys = keys
        self._groups = groups or NoGroups()

    @endpoint("login", Operation.UPDATE, operation_id="jwt-login", unauthenticated=True)
    async def login(self, request: Request, body: LoginBody) -> Response:
        """Log in with a signed token."""
        config = await configuration(request)
        name = asked_role(config, body.role)
        role = await role_of(request.storage, name)
        if role is None:
            raise InvalidRequest("role: there is none of this name")
        if role.role_type == "oidc":
            raise InvalidRequest("role with oidc role_type is not allowed")
        if not body.jwt:
            raise InvalidRequest("missing token")
        check_address(request, role)
        claims = await signed_claims(self._core, self._keys, request, config, body.jwt)
        check_validity(claims, _expected(config, role), request.time)
        if audiences_of(claims) and not role.bound_audiences:
            raise InvalidRequest("audience claim found in JWT but no audiences bound to the role")
        asked = f"{config.written} {role.user_claim} {role.groups_claim}"
        more = await request.once(
            f"more claims {asked}", lambda: self._groups.more_claims(config, role, claims)
        )
        claims = {**more, **claims}  # what is signed counts
        access_token = body.distributed_claim_access_token
        extra = None
        if role.groups_claim:
            extra = await request.once(
                f"groups {asked}",
                lambda: self._groups.of(config, role, claims, access_token),
            )
        return grant_of(request, role.name, role, checked(role, claims, extra_groups=extra))


async def configuration(request: Request) -> Config:
    """The mount's configuration; `InvalidRequest` before there is one."""
    config = await config_of(request.storage)
    if config is None:
        raise InvalidRequest("could not load configuration")
    return config


def asked_role(config: Config, name: str) -> str:
    """The role that a login is for, by the name that it gives."""
    name = name or config.default_role
    if not name:
        raise InvalidRequest("missing role")
    return name.lower()


def check_address(request: Request, role: Role) -> None:
    """Raises `PermissionDenied` for a login from an address that the role is not for."""
    if not address_allowed(request.remote_address, role.settings.bound_cidrs):
        raise PermissionDenied


async def signed_claims(
    core: Core, keys: Keys, request: Request, config: Config, token: str
) -> Claims:
    """The claims of a token that one of the configured keys has signed, found out once for this
    configuration however often the request runs. Raises `InvalidRequest`."""
    return await request.once(
        f"claims {config.written}", lambda: keys.verified_claims(core, config, token)
    )


def _expected(config: Config, role: Role) -> Expected:
    return Expected(
        issuer=config.bound_issuer,
        subject=role.bound_subject,
        audiences=role.bound_audiences or (),
        clock_skew_leeway=role.clock_skew_leeway,
        expiration_leeway=role.expiration_leeway,
        not_before_leeway=role.not_before_leeway,
    )


def grant_of(request: Request, role_name: str, role: Role, identified: Identified) -> Response:
    """What somebody gets who has logged in by `role`."""
    check_address(request, role)
    settings = role.settings
    if identified.policies is not None:
        settings = msgspec.structs.replace(settings, policies=identified.policies)
    return Response(
        grant=settings.grant(
            identified.alias,
            request.remote_address,
            alias=identified.alias,
            alias_metadata=identified.alias_metadata,
            group_aliases=identified.groups,
            metadata=identified.metadata,
            renewal={"role": role_name, "role_type": NATIVE},
        )
    )
