"""``role/NAME/secret-id-accessor``: secret ids by their accessors, for those who manage them without
knowing them."""

import re
from typing import Annotated

from wardgate.auth.approle.records import SECRET_ID, TEXT, Role, SecretId, remove_secret_id
from wardgate.auth.approle.secret_ids import existing_role, shown_secret_id
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc

_ACCESSOR = re.compile(r"[0-9a-f-]{36}")


class AccessorBody(Body):
    """An accessor."""

    secret_id_accessor: Annotated[str, Doc("The accessor of a secret id.")] = ""


class AccessorEndpoints:
    """An accessor counts at the role of its secret id only (CVE-2023-24999)."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint(
        "role/{role_name}/secret-id-accessor/lookup",
        Operation.UPDATE,
        operation_id="app-role-look-up-secret-id-by-accessor",
        folded=True,
    )
    async def look_up(self, request: Request, role_name: str, body: AccessorBody) -> Response:
        """Tell about the secret id of an accessor."""
        role = await _role(request, role_name, body)
        _, secret = await _found(request, role, body.secret_id_accessor)
        if not secret.alive(request.time):
            raise _unknown()
        return Response(shown_secret_id(secret))

    @endpoint(
        "role/{role_name}/secret-id-accessor/destroy",
        Operation.UPDATE,
        operation_id="app-role-destroy-secret-id-by-accessor",
        folded=True,
        status=204,
    )
    @endpoint(
        "role/{role_name}/secret-id-accessor/destroy",
        Operation.DELETE,
        operation_id="app-role-destroy-secret-id-by-accessor2",
        folded=True,
    )
    async def destroy(self, request: Request, role_name: str, body: AccessorBody) -> Response:
        """End the secret id of an accessor."""
        role = await _role(request, role_name, body)
        name, secret = await _found(request, role, body.secret_id_accessor)
        remove_secret_id(request.storage, role.uid, name, secret)
        return no_content()


async def _role(request: Request, role_name: str, body: AccessorBody) -> Role:
    if not body.secret_id_accessor:
        raise InvalidRequest("missing secret_id_accessor")
    return await existing_role(request, role_name)


async def _found(request: Request, role: Role, accessor: str) -> tuple[str, SecretId]:
    if not _ACCESSOR.fullmatch(accessor):
        raise _unknown()
    name = await request.storage.get(role.accessors + accessor, TEXT)
    secret = None
    if name is not None:
        secret = await request.storage.get(role.secret_ids + name, SECRET_ID)
    if name is None or secret is None:
        raise _unknown()
    return name, secret


def _unknown() -> NotFound:
    return NotFound("failed to find accessor entry for secret_id_accessor")
