"""``role``: list, read, write and delete roles."""

from typing import Annotated, Any

import msgspec

from wardgate.auth.approle.records import (
    GONE,
    LONGEST_ID,
    ROLE,
    ROLES,
    TEXT,
    Role,
    canonical_role_name,
    new_role,
    role_by_name,
    role_id_key,
)
from wardgate.core.cidr import checked_blocks
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, listing, no_content
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Doc, Duration, StringList
from wardgate.framework.paging import Page
from wardgate.framework.token_fields import TokenFields, changed_settings

OLD_NAMES = {"period": "token_period", "policies": "token_policies"}


class RoleBody(TokenFields):
    """A role's fields."""

    bind_secret_id: Annotated[
        bool | None, Doc("Whether a login needs a secret id.", default=True)
    ] = None
    bound_cidr_list: Annotated[
        StringList | None, Doc("Use 'secret_id_bound_cidrs' instead.", deprecated=True)
    ] = None
    local_secret_ids: Annotated[
        bool | None,
        Doc("Whether the secret ids stay in this cluster; can be set with a new role only."),
    ] = None
    period: Annotated[Duration | None, Doc("Use 'token_period' instead.", deprecated=True)] = None
    policies: Annotated[
        StringList | None, Doc("Use 'token_policies' instead.", deprecated=True)
    ] = None
    role_id: Annotated[str | None, Doc("The id to log in with; a new UUID by default.")] = None
    secret_id_bound_cidrs: Annotated[
        StringList | None,
        Doc("Comma-separated or JSON list of CIDR blocks from which a login may come."),
    ] = None
    secret_id_num_uses: Annotated[
        int | None, Doc("How often each secret id may be used; 0 means without limit.")
    ] = None
    secret_id_ttl: Annotated[
        Duration | None, Doc("How long each secret id lives; 0 means for ever.")
    ] = None


class RoleEndpoints:
    """Roles as a whole; `properties` has the paths for single fields."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("role", Operation.LIST, operation_id="app-role-list-roles")
    async def list_roles(self, request: Request, page: Page) -> Response:
        """List the roles' names."""
        return listing(await request.storage.list(ROLES, page.after, page.most))

    @endpoint("role/{role_name}", Operation.READ, operation_id="app-role-read-role", folded=True)
    async def read_role(self, request: Request, role_name: str) -> Response:
        """Read a role, without its id."""
        role = await role_by_name(request.storage, canonical_role_name(role_name))
        if role is None:
            raise NotFound
        return Response(shown_role(role))

    async def role_exists(self, request: Request, role_name: str) -> bool:
        return await role_by_name(request.storage, role_name) is not None

    @endpoint(
        "role/{role_name}",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="app-role-write-role",
        folded=True,
        exists="role_exists",
    )
    async def write_role(self, request: Request, role_name: str, body: RoleBody) -> Response:
        """Make a role, or change the given fields of one."""
        name = canonical_role_name(role_name)
        before = await role_by_name(request.storage, name)
        if before is not None and body.local_secret_ids is not None:
            raise InvalidRequest("local_secret_ids can only be modified during role creation")
        return no_content(await save_role(self._core, request, name, before, body))

    @endpoint(
        "role/{role_name}", Operation.DELETE, operation_id="app-role-delete-role", folded=True
    )
    async def delete_role(self, request: Request, role_name: str) -> Response:
        """Delete a role and its secret ids. Tokens live on to their end but are not renewed."""
        storage, name = request.storage, canonical_role_name(role_name)
        role = await role_by_name(storage, name)
        if role is not None:
            storage.delete(ROLES + name)
            storage.delete(await role_id_key(self._core, request.transaction, role.role_id))
            storage.put(GONE + role.uid, "", TEXT)
        return no_content()


async def save_role(
    core: Core, request: Request, name: str, before: Role | None, body: RoleBody
) -> list[str]:
    """Store a role, `before` changed by what `body` gives, and its id; warnings about it.

    `InvalidRequest` for what cannot be, and for the id of another role.
    """
    storage, transaction = request.storage, request.transaction
    warnings: list[str] = []
    if body.token_type in ("default-batch", "default-service"):
        meant = body.token_type.removeprefix("default-")
        warnings.append(f"{body.token_type} has no useful meaning; adjusting to {meant}")
        body = msgspec.structs.replace(body, token_type=meant)
    role = changed_role(before or new_role(), body)
    if before is None or role.role_id != before.role_id:
        key = await role_id_key(core, transaction, role.role_id)
        old = None if before is None else await role_id_key(core, transaction, before.role_id)
        if key != old and await storage.get(key, TEXT) is not None:
            raise InvalidRequest("role_id already in use")
        if old is not None:
            storage.delete(old)
        storage.put(key, name, TEXT)
    storage.put(ROLES + name, role, ROLE)
    if role.settings.max_ttl > core.settings.max_ttl(request.mount):
        warnings.append(
            "token_max_ttl is greater than the backend mount's maximum TTL value; issued tokens'"
            " max TTL value will be truncated"
        )
    return warnings


def changed_role(role: Role, body: RoleBody) -> Role:
    """`role` with what `body` gives. `InvalidRequest` for what cannot be."""
    changes: dict[str, Any] = {
        name: value
        for name in ("bind_secret_id", "local_secret_ids", "secret_id_num_uses", "secret_id_ttl")
        if (value := getattr(body, name)) is not None
    }
    if changes.get("secret_id_num_uses", 0) < 0:
        raise InvalidRequest("secret_id_num_uses cannot be negative")
    if body.role_id is not None:
        changes["role_id"] = _checked_id(body.role_id)
    cidrs = body.secret_id_bound_cidrs
    if cidrs is None:
        cidrs = body.bound_cidr_list
    if cidrs is not None:
        changes["secret_id_bound_cidrs"] = checked_blocks("secret_id_bound_cidrs", cidrs)
    settings = changed_settings(role.settings, body, OLD_NAMES)
    changed = msgspec.structs.replace(role, settings=settings, **changes)
    if not (changed.bind_secret_id or changed.secret_id_bound_cidrs or settings.bound_cidrs):
        raise InvalidRequest(
            "at least one constraint should be enabled on the role: bind_secret_id,"
            " secret_id_bound_cidrs or token_bound_cidrs"
        )
    return changed


def _checked_id(role_id: str) -> str:
    if not role_id:
        raise InvalidRequest("role_id: must not be empty")
    if role_id != role_id.strip():
        raise InvalidRequest("role_id: no spaces at its ends, since logins leave them out")
    if len(role_id) > LONGEST_ID:
        raise InvalidRequest(f"role_id: at most {LONGEST_ID} characters")
    return role_id


def shown_role(role: Role) -> JsonMap:
    """What of a role is shown."""
    return {
        **role.settings.show(),
        **role.settings.show_old(OLD_NAMES),
        "bind_secret_id": role.bind_secret_id,
        "local_secret_ids": role.local_secret_ids,
        "secret_id_bound_cidrs": role.secret_id_bound_cidrs or None,
        "secret_id_num_uses": role.secret_id_num_uses,
        "secret_id_ttl": role.secret_id_ttl,
    }
