"""Users, as operators see them."""

from typing import Annotated

import msgspec

from wardgate.auth.webauthn.encoding import decoded, encoded
from wardgate.auth.webauthn.names import checked_name, stored_name
from wardgate.auth.webauthn.users import (
    USERS,
    Key,
    User,
    delete_user,
    get_user,
    new_handle,
    put_new_user,
    put_user,
    remove_key,
    trust_warnings,
)
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, listing, no_content
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, StringList
from wardgate.framework.paging import Page
from wardgate.framework.token_fields import TokenFields, changed_settings
from wardgate.timestamps import rfc3339

_LONGEST_DISPLAY_NAME = 256


class UserBody(TokenFields):
    """A user's fields."""

    display_name: Annotated[
        str | None, Doc("What browsers call the user; by default the name.")
    ] = None


class PoliciesBody(Body):
    """New policies."""

    token_policies: Annotated[
        StringList | None, Doc("Comma-separated or JSON list of the user's policies.")
    ] = None


class UserEndpoints:
    """``user/…``, but for enrolment codes."""

    @endpoint("user", Operation.LIST, operation_id="webauthn-list-user")
    async def list_users(self, request: Request, page: Page) -> Response:
        """List the users' names."""
        return listing(await request.storage.list(USERS, page.after, page.most))

    @endpoint("user/{name}", Operation.READ, operation_id="webauthn-read-user-name", folded=True)
    async def read_user(self, request: Request, name: str) -> Response:
        """Read a user, with the ids of their keys."""
        user = await get_user(request.storage, stored_name(name))
        if user is None:
            raise NotFound
        return Response(
            {
                "username": user.name,
                "display_name": user.display_name or user.name,
                "credentials": len(user.keys),
                "credential_ids": [encoded(key.id) for key in user.keys],
                "credential_info": {encoded(key.id): _shown(key) for key in user.keys},
                "enrolment_code_expires_at": _code_end(user, request.time),
                "self_registered": user.self_registered,
                "user_id_b64": encoded(user.handle),
                **user.settings.show(),
            }
        )

    async def user_exists(self, request: Request, name: str) -> bool:
        return await get_user(request.storage, stored_name(name)) is not None

    @endpoint(
        "user/{name}",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="webauthn-write-user-name",
        folded=True,
        exists="user_exists",
    )
    async def write_user(self, request: Request, name: str, body: UserBody) -> Response:
        """Make a user, who has no key as yet, or change the given fields of one."""
        found = await get_user(request.storage, stored_name(name))
        user = found or User(name=checked_name(name), handle=new_handle())
        if body.display_name is not None:
            if len(body.display_name) > _LONGEST_DISPLAY_NAME:
                raise InvalidRequest(f"display_name: at most {_LONGEST_DISPLAY_NAME} characters")
            user = msgspec.structs.replace(user, display_name=body.display_name)
        user = msgspec.structs.replace(user, settings=changed_settings(user.settings, body, {}))
        if found is None:
            put_new_user(request.storage, user)
        else:
            put_user(request.storage, user)
        return no_content(trust_warnings(user))

    @endpoint(
        "user/{name}", Operation.DELETE, operation_id="webauthn-delete-user-name", folded=True
    )
    async def delete_user(self, request: Request, name: str) -> Response:
        """Delete a user and their keys. Tokens live on to their end but are not renewed."""
        user = await get_user(request.storage, stored_name(name))
        if user is not None:
            delete_user(request.storage, user)
        return no_content()

    @endpoint(
        "user/{name}/policies",
        Operation.UPDATE,
        operation_id="webauthn-write-user-name-policies",
        folded=True,
    )
    async def update_policies(self, request: Request, name: str, body: PoliciesBody) -> Response:
        """Give a user other policies."""
        user = await get_user(request.storage, stored_name(name))
        if user is None:
            raise InvalidRequest("name: there is no such user; write one first")
        if body.token_policies is None:
            raise InvalidRequest("token_policies: required")
        settings = changed_settings(user.settings, UserBody(token_policies=body.token_policies), {})
        put_user(request.storage, msgspec.structs.replace(user, settings=settings))
        return no_content(trust_warnings(user))

    @endpoint(
        "user/{name}/credential/{credential_id}",
        Operation.DELETE,
        operation_id="webauthn-delete-user-name-credential-credential_id",
        folded=True,
    )
    async def delete_credential(self, request: Request, name: str, credential_id: str) -> Response:
        """Remove a key from a user. Tokens that were given for it are not renewed."""
        user = await get_user(request.storage, stored_name(name))
        key = None if user is None else user.key(decoded(credential_id) or b"")
        if user is not None and key is not None:
            remove_key(request.storage, user, key)
        return no_content()


def _code_end(user: User, now: float) -> str:
    """When the user's enrolment code ends; empty where none is good."""
    code = user.enrolment
    return rfc3339(code.expires) if code is not None and now < code.expires else ""


def _shown(key: Key) -> JsonMap:
    return {
        "attestation_type": key.attestation,
        "backup_eligible": key.backup_eligible,
        "last_used_at": rfc3339(key.used) if key.used else "",
        "registered_at": rfc3339(key.registered),
        "sign_count": key.sign_count,
        "transports": key.transports,
    }
