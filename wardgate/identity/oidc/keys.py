"""``identity/oidc/key``: the named keys that sign identity tokens."""

from typing import Annotated

import msgspec

from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, listing, no_content
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, Duration, StringList
from wardgate.identity.oidc.records import (
    DAY,
    DEFAULT_KEY,
    NamedKey,
    checked_name,
    delete_key,
    key_by_name,
    key_names,
    save_key,
)
from wardgate.identity.oidc.rotation import check_room, pair_for, replaced, rotated, with_pairs
from wardgate.identity.oidc.signing import ALGORITHMS

SHORTEST_PERIOD = 60  # seconds
MOST_PERIODS = 10
"""Rotation periods for which a key may be published after it has signed."""
_MOST_NAMED = 20


class KeyBody(Body):
    """A key to make, or what to change of one."""

    algorithm: Annotated[
        str | None,
        Doc("RS256, RS384, RS512, ES256, ES384, ES512 or EdDSA.", default="RS256"),
    ] = None
    allowed_client_ids: Annotated[
        StringList | None,
        Doc("Client ids of the roles that may use the key; '*' stands for all, none for none."),
    ] = None
    rotation_period: Annotated[
        Duration | None, Doc("How often a new key pair signs.", default=DAY)
    ] = None
    verification_ttl: Annotated[
        Duration | None,
        Doc("How long a public key is published after its pair has signed.", default=DAY),
    ] = None


class RotateBody(Body):
    """How long the key that signed until now is published."""

    verification_ttl: Annotated[
        Duration | None, Doc("In the place of the key's verification_ttl, this once.")
    ] = None


class KeyEndpoints:
    """Make, read, change, rotate and delete named keys."""

    @endpoint("oidc/key", Operation.LIST, operation_id="oidc-list-keys")
    async def list_keys(self, request: Request) -> Response:
        """List the names of the keys."""
        return listing(await key_names(request.transaction))

    @endpoint("oidc/key/{name}", Operation.READ, operation_id="oidc-read-key")
    async def read(self, request: Request, name: str) -> Response:
        """Read a key's settings. No key material is shown."""
        key = await key_by_name(request.transaction, checked_name(name))
        if key is None:
            raise NotFound
        return Response(
            {
                "algorithm": key.algorithm,
                "allowed_client_ids": key.allowed_client_ids,
                "rotation_period": key.rotation_period,
                "verification_ttl": key.verification_ttl,
            }
        )

    async def key_exists(self, request: Request, name: str) -> bool:
        return await key_by_name(request.transaction, name) is not None

    @endpoint(
        "oidc/key/{name}",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="oidc-write-key",
        exists="key_exists",
    )
    async def write(self, request: Request, name: str, body: KeyBody) -> Response:
        """Make a key, or change the given settings of one.

        With another algorithm, new key pairs sign at once; tokens signed before stay good.
        """
        before = await key_by_name(request.transaction, checked_name(name))
        given = {
            field: value
            for field in KeyBody.__struct_fields__
            if (value := getattr(body, field)) is not None
        }
        key = msgspec.structs.replace(before or NamedKey(), **given)
        _check(key)
        if before is None or key.signing is None:
            key = await with_pairs(request, key)
        elif key.algorithm != before.algorithm:
            check_room(before, request.time)
            following = await pair_for(request, "next", key.algorithm)
            signing = await pair_for(request, "signing", key.algorithm)
            key = replaced(key, signing, following, request.time)
        elif key.rotation_period != before.rotation_period:
            key = msgspec.structs.replace(key, rotates=request.time + key.rotation_period)
        await save_key(request.transaction, name, key)
        return no_content()

    @endpoint("oidc/key/{name}", Operation.DELETE, operation_id="oidc-delete-key")
    async def delete(self, request: Request, name: str) -> Response:
        """Delete a key that no role uses. Nobody can check its tokens any more."""
        if checked_name(name) == DEFAULT_KEY:
            raise InvalidRequest("the default key cannot be deleted")
        key = await key_by_name(request.transaction, name)
        if key is not None:
            if key.roles:
                roles = ", ".join(sorted(key.roles)[:_MOST_NAMED])
                raise InvalidRequest(f"the key cannot be deleted while these roles use it: {roles}")
            delete_key(request.transaction, name, key)
        return no_content()

    @endpoint("oidc/key/{name}/rotate", Operation.UPDATE, operation_id="oidc-rotate-key")
    async def rotate(self, request: Request, name: str, body: RotateBody) -> Response:
        """Let the next key pair sign from now on."""
        key = await key_by_name(request.transaction, checked_name(name))
        if key is None:
            raise InvalidRequest("there is no key of this name")
        check_room(key, request.time)
        key = await with_pairs(request, key)
        pair = await pair_for(request, "rotated", key.algorithm)
        key = rotated(key, pair, request.time, body.verification_ttl)
        await save_key(request.transaction, name, key)
        return no_content()


def _check(key: NamedKey) -> None:
    """Refuse settings that do not go together."""
    if key.rotation_period < SHORTEST_PERIOD:
        raise InvalidRequest("rotation_period must be at least one minute")
    if key.verification_ttl > MOST_PERIODS * key.rotation_period:
        raise InvalidRequest("verification_ttl cannot be longer than 10x rotation_period")
    if any(ttl > key.verification_ttl for ttl in key.roles.values()):
        raise InvalidRequest(
            "verification_ttl: cannot be shorter than the ttl of a role that uses the key"
        )
    if key.algorithm not in ALGORITHMS:
        raise InvalidRequest(f"algorithm: use one of {', '.join(ALGORITHMS)}")
