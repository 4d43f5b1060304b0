"""``role/NAME/secret-id`` and ``custom-secret-id``: make, list, look up and destroy secret ids."""

import base64
import binascii
import contextlib
from typing import Annotated

import msgspec

from wardgate.auth.approle.records import (
    LONGEST_ID,
    SECRET_ID,
    Role,
    SecretId,
    canonical_role_name,
    put_secret_id,
    remove_secret_id,
    role_by_name,
    secret_id_name,
)
from wardgate.core.cidr import checked_blocks, within
from wardgate.core.core import Core
from wardgate.core.identity.metadata import checked_metadata
from wardgate.core.ids import new_uuid
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, listing, no_content
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, Duration, StringList
from wardgate.framework.paging import Page
from wardgate.timestamps import rfc3339

_NEVER = "0001-01-01T00:00:00Z"  # how Vault writes a time that is none


class NewSecretIdBody(Body):
    """What a new secret id is to be like."""

    cidr_list: Annotated[
        StringList | None,
        Doc("CIDR blocks from which it may be used; within the role's, if it has any."),
    ] = None
    metadata: Annotated[
        str, Doc("What the tokens tell about whoever has it: a JSON object of texts, as text.")
    ] = ""
    num_uses: Annotated[
        int | None, Doc("How often it may be used, at most as often as the role says.")
    ] = None
    token_bound_cidrs: Annotated[
        StringList | None,
        Doc("CIDR blocks from which the tokens may be used; within the role's, if it has any."),
    ] = None
    ttl: Annotated[Duration | None, Doc("How long it lives, at most as long as the role says.")] = (
        None
    )


class CustomSecretIdBody(NewSecretIdBody):
    """The same, with the secret id itself."""

    secret_id: Annotated[str, Doc("The secret id.")] = ""


class SecretIdBody(Body):
    """A secret id."""

    secret_id: Annotated[str, Doc("The secret id.")] = ""


class SecretIdEndpoints:
    """Secret ids by themselves; `accessors` has the paths for those who do not know them."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint(
        "role/{role_name}/secret-id",
        Operation.LIST,
        operation_id="app-role-list-secret-ids",
        folded=True,
    )
    async def list_accessors(self, request: Request, role_name: str, page: Page) -> Response:
        """List the accessors of the role's secret ids."""
        role = await role_by_name(request.storage, canonical_role_name(role_name))
        if role is None:
            raise InvalidRequest("the role does not exist")
        return listing(await request.storage.list(role.accessors, page.after, page.most))

    @endpoint(
        "role/{role_name}/secret-id",
        Operation.UPDATE,
        operation_id="app-role-write-secret-id",
        folded=True,
    )
    async def make(self, request: Request, role_name: str, body: NewSecretIdBody) -> Response:
        """Make a secret id."""
        role = await existing_role(request, role_name)
        return await self._make(request, role, new_uuid(), body)

    @endpoint(
        "role/{role_name}/custom-secret-id",
        Operation.UPDATE,
        operation_id="app-role-write-custom-secret-id",
        folded=True,
    )
    async def take(self, request: Request, role_name: str, body: CustomSecretIdBody) -> Response:
        """Take a secret id that was made elsewhere."""
        _check_given(body.secret_id)
        if body.secret_id != body.secret_id.strip():
            raise InvalidRequest("secret_id: no spaces at its ends, since logins leave them out")
        role = await existing_role(request, role_name)
        found = await self._found(request, role, body.secret_id)
        if found is not None and found[1].alive(request.time):
            raise InvalidRequest("secret_id: the role has it already")
        if found is not None:
            remove_secret_id(request.storage, role.uid, *found)
        return await self._make(request, role, body.secret_id, body)

    async def _make(
        self, request: Request, role: Role, secret_id: str, body: NewSecretIdBody
    ) -> Response:
        if not role.bind_secret_id:
            raise InvalidRequest("bind_secret_id is not set on the role")
        secret = new_secret_id(role, body, request.time)
        name = await secret_id_name(self._core, request.transaction, secret_id)
        put_secret_id(request.storage, role.uid, name, secret)
        response = Response(
            {
                "secret_id": secret_id,
                "secret_id_accessor": secret.accessor,
                "secret_id_num_uses": secret.uses_left,
                "secret_id_ttl": secret.ttl,
            }
        )
        response.accessor = secret.accessor
        return response

    @endpoint(
        "role/{role_name}/secret-id/lookup",
        Operation.UPDATE,
        operation_id="app-role-look-up-secret-id",
        folded=True,
    )
    async def look_up(self, request: Request, role_name: str, body: SecretIdBody) -> Response:
        """Tell about a secret id."""
        _check_given(body.secret_id)
        role = await existing_role(request, role_name)
        found = await self._found(request, role, body.secret_id)
        if found is None or not found[1].alive(request.time):
            return no_content()
        return Response(shown_secret_id(found[1]))

    @endpoint(
        "role/{role_name}/secret-id/destroy",
        Operation.UPDATE,
        operation_id="app-role-destroy-secret-id",
        folded=True,
        status=204,
    )
    @endpoint(
        "role/{role_name}/secret-id/destroy",
        Operation.DELETE,
        operation_id="app-role-destroy-secret-id2",
        folded=True,
    )
    async def destroy(self, request: Request, role_name: str, body: SecretIdBody) -> Response:
        """End a secret id."""
        _check_given(body.secret_id)
        role = await existing_role(request, role_name)
        found = await self._found(request, role, body.secret_id)
        if found is not None:
            remove_secret_id(request.storage, role.uid, *found)
        return no_content()

    async def _found(
        self, request: Request, role: Role, secret_id: str
    ) -> tuple[str, SecretId] | None:
        name = await secret_id_name(self._core, request.transaction, secret_id)
        secret = await request.storage.get(role.secret_ids + name, SECRET_ID)
        return None if secret is None else (name, secret)


async def existing_role(request: Request, name: str) -> Role:
    """The role of this name; `NotFound` when there is none."""
    role = await role_by_name(request.storage, canonical_role_name(name))
    if role is None:
        raise NotFound("the role does not exist")
    return role


def _check_given(secret_id: str) -> None:
    if not secret_id:
        raise InvalidRequest("missing secret_id")
    if len(secret_id) > LONGEST_ID:
        raise InvalidRequest(f"secret_id: at most {LONGEST_ID} characters")


def new_secret_id(role: Role, body: NewSecretIdBody, now: float) -> SecretId:
    """A new secret id of `role`, within what the role allows; else `InvalidRequest`."""
    uses = role.secret_id_num_uses if body.num_uses is None else body.num_uses
    if uses < 0:
        raise InvalidRequest("num_uses cannot be negative")
    if role.secret_id_num_uses and not 0 < uses <= role.secret_id_num_uses:
        raise InvalidRequest("num_uses cannot be higher than the role's secret_id_num_uses")
    ttl = role.secret_id_ttl if body.ttl is None else body.ttl
    if role.secret_id_ttl and not 0 < ttl <= role.secret_id_ttl:
        raise InvalidRequest("ttl cannot be longer than the role's secret_id_ttl")
    return SecretId(
        accessor=new_uuid(),
        created=now,
        updated=now,
        ttl=ttl,
        expires=now + ttl if ttl else 0,
        uses_left=uses,
        cidrs=_within("cidr_list", body.cidr_list, role.secret_id_bound_cidrs),
        token_cidrs=_within("token_bound_cidrs", body.token_bound_cidrs, role.settings.bound_cidrs),
        metadata=checked_metadata(_metadata(body.metadata), "metadata"),
    )


def _within(field: str, given: tuple[str, ...] | None, outer: tuple[str, ...]) -> tuple[str, ...]:
    """The given blocks, each of which must lie in one of the role's `outer` blocks, if it has any."""
    blocks = checked_blocks(field, given or ())
    if not within(blocks, outer):
        raise InvalidRequest(f"{field}: each block must lie within one of the role's blocks")
    return blocks


def _metadata(text: str) -> dict[str, str]:
    """Metadata as Vault's clients write it: a JSON object of texts or ``key=value,key=value``, either
    of them in base64 or not."""
    plain = text.strip()
    with contextlib.suppress(binascii.Error, ValueError):
        plain = base64.b64decode(plain, validate=True).decode().strip()
    if not plain:
        return {}
    if plain.startswith("{"):
        try:
            return msgspec.json.decode(plain, type=dict[str, str])
        except (msgspec.DecodeError, msgspec.ValidationError):
            plain = ""
    pairs = [pair.partition("=") for pair in plain.split(",")]
    if not all(key.strip() and equals for key, equals, _ in pairs):
        raise InvalidRequest(
            "metadata: expected a JSON object of texts, as text, or key=value with commas between"
        )
    return {key.strip(): value.strip() for key, _, value in pairs}


def shown_secret_id(secret: SecretId) -> JsonMap:
    """What is told about a secret id."""
    return {
        "cidr_list": secret.cidrs,
        "creation_time": rfc3339(secret.created),
        "expiration_time": rfc3339(secret.expires) if secret.expires else _NEVER,
        "last_updated_time": rfc3339(secret.updated),
        "last_used_time": rfc3339(secret.used) if secret.used else _NEVER,
        "metadata": secret.metadata,
        "secret_id_accessor": secret.accessor,
        "secret_id_num_uses": secret.uses_left,
        "secret_id_ttl": secret.ttl,
        "token_bound_cidrs": secret.token_cidrs,
    }
