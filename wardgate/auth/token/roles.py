"""Token roles: what tokens may be made of by whoever may use the role."""

import re
from typing import Annotated

import msgspec

from wardgate.core.operation import Operation
from wardgate.core.policies import canonical_name
from wardgate.core.records import Codec
from wardgate.core.request import JsonMap, Request, Response, listing, no_content
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Doc, Duration, StringList
from wardgate.framework.token_fields import TokenFields, TokenSettings, changed_settings

ROLES = "role/"

OLD_NAMES = {
    "bound_cidrs": "token_bound_cidrs",
    "explicit_max_ttl": "token_explicit_max_ttl",
    "period": "token_period",
}
_PATH_SUFFIX = re.compile(r"\w[\w.-]+\w")


class RoleBody(TokenFields):
    """The fields of a token role."""

    allowed_entity_aliases: Annotated[
        StringList | None,
        Doc("Names of entity aliases that may be asked for; globs are allowed."),
    ] = None
    allowed_policies: Annotated[
        StringList | None,
        Doc("Policies that may be asked for, instead of those of the calling token."),
    ] = None
    allowed_policies_glob: Annotated[
        StringList | None, Doc("The same with globs such as 'team-*'.")
    ] = None
    disallowed_policies: Annotated[
        StringList | None, Doc("Policies that may not be asked for.")
    ] = None
    disallowed_policies_glob: Annotated[
        StringList | None, Doc("The same with globs such as 'admin-*'.")
    ] = None
    orphan: Annotated[bool | None, Doc("Whether the tokens have no parent.")] = None
    path_suffix: Annotated[
        str | None, Doc("Added to the path of the tokens, so that they can be told apart.")
    ] = None
    renewable: Annotated[bool | None, Doc("Whether the tokens can be renewed.", default=True)] = (
        None
    )
    bound_cidrs: Annotated[
        StringList | None, Doc("Use 'token_bound_cidrs' instead.", deprecated=True)
    ] = None
    explicit_max_ttl: Annotated[
        Duration | None, Doc("Use 'token_explicit_max_ttl' instead.", deprecated=True)
    ] = None
    period: Annotated[Duration | None, Doc("Use 'token_period' instead.", deprecated=True)] = None


class Role(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A token role as stored."""

    name: str
    settings: TokenSettings = TokenSettings(type="default-service")
    allowed_entity_aliases: tuple[str, ...] = ()
    allowed_policies: tuple[str, ...] = ()
    allowed_policies_glob: tuple[str, ...] = ()
    disallowed_policies: tuple[str, ...] = ()
    disallowed_policies_glob: tuple[str, ...] = ()
    orphan: bool = False
    path_suffix: str = ""
    renewable: bool = True

    @property
    def limits_policies(self) -> bool:
        """Whether the role, and not the calling token, says which policies may be asked for."""
        return bool(
            self.allowed_policies
            or self.allowed_policies_glob
            or self.disallowed_policies
            or self.disallowed_policies_glob
        )


ROLE: Codec[Role] = Codec(Role)

_LISTS = (
    "allowed_entity_aliases",
    "allowed_policies",
    "allowed_policies_glob",
    "disallowed_policies",
    "disallowed_policies_glob",
)


class RoleEndpoints:
    """``roles``: list, read, write and delete."""

    @endpoint("roles", Operation.LIST, operation_id="token-list-roles")
    async def list_roles(self, request: Request) -> Response:
        """List the names of the token roles."""
        return listing(await request.storage.list(ROLES))

    @endpoint("roles/{role_name}", Operation.READ, operation_id="token-read-role")
    async def read_role(self, request: Request, role_name: str) -> Response:
        """Read a token role."""
        role = await request.storage.get(ROLES + role_name, ROLE)
        if role is None:
            raise NotFound
        return Response(_shown(role))

    async def role_exists(self, request: Request, role_name: str) -> bool:
        return await request.storage.get(ROLES + role_name, ROLE) is not None

    @endpoint(
        "roles/{role_name}",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="token-write-role",
        exists="role_exists",
    )
    async def write_role(self, request: Request, role_name: str, body: RoleBody) -> Response:
        """Make a token role or change the given fields of one."""
        warnings: list[str] = []
        role = await request.storage.get(ROLES + role_name, ROLE) or Role(name=role_name)
        changes = {
            field: tuple(sorted({canonical_name(value) for value in values}))
            for field in _LISTS
            if (values := getattr(body, field)) is not None
        }
        plain = {
            field: value
            for field in ("orphan", "path_suffix", "renewable")
            if (value := getattr(body, field)) is not None
        }
        settings = changed_settings(role.settings, body, OLD_NAMES, warnings)
        role = msgspec.structs.replace(role, settings=settings, **changes, **plain)
        if role.path_suffix and not _PATH_SUFFIX.fullmatch(role.path_suffix):
            raise InvalidRequest(
                "path_suffix: use letters, digits, '_', '-' and '.', at least three of them, and"
                " neither '-' nor '.' at either end"
            )
        if settings.type == "batch" and not role.orphan:
            raise InvalidRequest(
                "'token_type' cannot be 'batch' when role is set to generate non-orphan tokens"
            )
        if settings.type == "batch" and role.renewable and body.renewable:
            raise InvalidRequest(
                "'token_type' cannot be 'batch' when role is set to generate renewable tokens"
            )
        request.storage.put(ROLES + role_name, role, ROLE)
        return no_content(warnings)

    @endpoint("roles/{role_name}", Operation.DELETE, operation_id="token-delete-role")
    async def delete_role(self, request: Request, role_name: str) -> Response:
        """Delete a token role; its tokens live on but cannot be renewed."""
        request.storage.delete(ROLES + role_name)
        return no_content()


def _shown(role: Role) -> JsonMap:
    settings = role.settings.show()
    shown: JsonMap = {
        "name": role.name,
        "orphan": role.orphan,
        "path_suffix": role.path_suffix,
        "renewable": role.renewable,
        "period": 0,
        "explicit_max_ttl": 0,
        **{name: getattr(role, name) for name in _LISTS},
        **{
            name: settings[name]
            for name in (
                "token_explicit_max_ttl",
                "token_no_default_policy",
                "token_period",
                "token_type",
            )
        },
        **role.settings.show_old(OLD_NAMES),
    }
    shown["allowed_entity_aliases"] = role.allowed_entity_aliases or None
    if role.settings.bound_cidrs:
        shown["token_bound_cidrs"] = role.settings.bound_cidrs
    if role.settings.num_uses:
        shown["token_num_uses"] = role.settings.num_uses
    return shown
