"""``identity/oidc/role``: what the identity tokens of one purpose are like."""

from typing import Annotated

import msgspec

from wardgate.core.ids import random_base62
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, listing, no_content
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, Duration
from wardgate.identity.oidc.records import (
    DAY,
    ROLE,
    ROLES,
    Role,
    checked_name,
    key_by_name,
    save_key,
)
from wardgate.identity.oidc.rotation import with_pairs
from wardgate.identity.oidc.templates import Template, template_text

_CLIENT_ID_LENGTH = 26


class RoleBody(Body):
    """A role to make, or what to change of one."""

    client_id: Annotated[
        str | None, Doc("The audience of the tokens; made up by the server if not given.")
    ] = None
    key: Annotated[str | None, Doc("The named key that signs. It must be there already.")] = None
    template: Annotated[
        str | None, Doc("Claims to add, a JSON object with directives, as text or base64.")
    ] = None
    ttl: Annotated[Duration | None, Doc("How long a token is valid.", default=DAY)] = None


class RoleEndpoints:
    """Make, read, change and delete roles."""

    @endpoint("oidc/role", Operation.LIST, operation_id="oidc-list-roles")
    async def list_roles(self, request: Request) -> Response:
        """List the names of the roles."""
        return listing(await request.transaction.list(ROLES))

    @endpoint("oidc/role/{name}", Operation.READ, operation_id="oidc-read-role")
    async def read(self, request: Request, name: str) -> Response:
        """Read a role."""
        role = await request.transaction.get(ROLES + checked_name(name), ROLE)
        if role is None:
            raise NotFound
        return Response(
            {
                "client_id": role.client_id,
                "key": role.key,
                "template": role.template,
                "ttl": role.ttl,
            }
        )

    async def role_exists(self, request: Request, name: str) -> bool:
        return await request.transaction.get(ROLES + name, ROLE) is not None

    @endpoint(
        "oidc/role/{name}",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="oidc-write-role",
        exists="role_exists",
    )
    async def write(self, request: Request, name: str, body: RoleBody) -> Response:
        """Make a role, or change the given settings of one."""
        transaction = request.transaction
        before = await transaction.get(ROLES + checked_name(name), ROLE)
        role = _changed(before, body)
        if not role.key:
            raise InvalidRequest("the key parameter is required")
        Template(role.template)
        key = await key_by_name(transaction, role.key)
        if key is None:
            raise InvalidRequest("key: there is no key of this name; write it to identity/oidc/key")
        if role.ttl > key.verification_ttl:
            raise InvalidRequest(
                "a role's token ttl cannot be longer than the verification_ttl of the key it"
                " references"
            )
        if before is not None and before.key != role.key:
            await _forget_role(request, before.key, name)
        key = (await with_pairs(request, key)).with_role(name, role.ttl, request.time)
        await save_key(transaction, role.key, key)
        transaction.put(ROLES + name, role, ROLE)
        return no_content()

    @endpoint("oidc/role/{name}", Operation.DELETE, operation_id="oidc-delete-role")
    async def delete(self, request: Request, name: str) -> Response:
        """Delete a role. Its tokens stay good until they expire."""
        role = await request.transaction.get(ROLES + checked_name(name), ROLE)
        if role is not None:
            await _forget_role(request, role.key, name)
            request.transaction.delete(ROLES + name)
        return no_content()


def _changed(before: Role | None, body: RoleBody) -> Role:
    given = {
        field: value
        for field in ("client_id", "key", "ttl")
        if (value := getattr(body, field)) is not None
    }
    if body.template is not None:
        given["template"] = template_text(body.template)
    role = msgspec.structs.replace(before or Role(key="", client_id=""), **given)
    if not role.client_id:
        role = msgspec.structs.replace(role, client_id=random_base62(_CLIENT_ID_LENGTH))
    return role


async def _forget_role(request: Request, key_name: str, role_name: str) -> None:
    key = await key_by_name(request.transaction, key_name)
    if key is not None:
        key = key.with_role(role_name, None, request.time)
        await save_key(request.transaction, key_name, key)
