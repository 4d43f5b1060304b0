"""Make, list, read, change and delete roles."""

from wardgate.auth.jwt.names import checked_name
from wardgate.auth.jwt.role_changes import changed_role, notes_on
from wardgate.auth.jwt.role_fields import RoleBody
from wardgate.auth.jwt.roles import ROLE, ROLES, Role, role_of
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, listing, no_content
from wardgate.core.settings import Settings
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.paging import Page


class RoleEndpoints:
    """Roles of both types, by name in any case."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @endpoint("role", Operation.LIST, operation_id="jwt-list-roles")
    async def list_roles(self, request: Request, page: Page) -> Response:
        """List the names of the roles."""
        return listing(await request.storage.list(ROLES, page.after, page.most))

    @endpoint("role/{name}", Operation.READ, operation_id="jwt-read-role", folded=True)
    async def read_role(self, request: Request, name: str) -> Response:
        """Read a role."""
        role = await role_of(request.storage, checked_name(name))
        if role is None:
            raise NotFound
        return Response(role.show())

    async def role_exists(self, request: Request, name: str) -> bool:
        return await role_of(request.storage, name) is not None

    @endpoint(
        "role/{name}",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="jwt-write-role",
        folded=True,
        exists="role_exists",
    )
    async def write_role(self, request: Request, name: str, body: RoleBody) -> Response:
        """Make a role, or change the given fields of one."""
        name = checked_name(name)
        role = changed_role(await role_of(request.storage, name) or Role(name=name), body)
        longest = self._settings.max_ttl(request.mount)
        if role.settings.period > longest:
            raise InvalidRequest(
                "token_period: cannot be greater than the mount's maximum lease TTL"
            )
        request.storage.put(ROLES + name, role, ROLE)
        return no_content(notes_on(role, longest))

    @endpoint("role/{name}", Operation.DELETE, operation_id="jwt-delete-role", folded=True)
    async def delete_role(self, request: Request, name: str) -> Response:
        """Delete a role. Tokens live on to their end but are not renewed."""
        request.storage.delete(ROLES + checked_name(name))
        return no_content()
