"""Logins: ``login/begin`` and ``login/finish``.

    POST login/begin  {username?}              -> data: {publicKey: {...}}
    POST login/finish {username?, credential}  -> auth

With a name the browser is told which keys the user has; names without keys get made-up ones. Without a
name it offers the passkeys that it knows, and the answer's user handle tells who it is.
"""

import logging
from typing import Annotated

import msgspec

from wardgate.auth.webauthn.answers import Assertion, read_assertion
from wardgate.auth.webauthn.challenges import CHALLENGES, LOGIN, Challenge
from wardgate.auth.webauthn.config import configured
from wardgate.auth.webauthn.decoys import decoys
from wardgate.auth.webauthn.encoding import encoded
from wardgate.auth.webauthn.names import checked_name
from wardgate.auth.webauthn.options import descriptor, request_options
from wardgate.auth.webauthn.renewal import login_facts
from wardgate.auth.webauthn.users import Key, User, get_user, put_user, user_by_handle
from wardgate.auth.webauthn.verification import Signed, signed
from wardgate.core.cidr import address_allowed
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response
from wardgate.errors import InvalidRequest, PermissionDenied, WrongCredentials
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, JsonObject

_FAILED = "login failed"

_log = logging.getLogger("wardgate.auth.webauthn")


class BeginBody(Body):
    """Who wants to log in."""

    username: Annotated[
        str, Doc("The name of the user; without it the browser offers its passkeys.")
    ] = ""


class FinishBody(Body):
    """What somebody proves themselves with."""

    username: Annotated[str, Doc("The name of the user, if the login began with it.")] = ""
    credential: Annotated[
        JsonObject | None, Doc("What navigator.credentials.get() gave, as JSON.")
    ] = None


class LoginEndpoints:
    """``login/begin`` and ``login/finish``."""

    @endpoint(
        "login/begin",
        Operation.UPDATE,
        operation_id="webauthn-write-login-begin",
        unauthenticated=True,
    )
    async def begin(self, request: Request, body: BeginBody) -> Response:
        """Begin a login."""
        config = await configured(request.storage)
        name = checked_name(body.username) if body.username else ""
        challenge = await CHALLENGES.begin(
            request,
            Challenge(
                begun=request.time,
                purpose=LOGIN,
                username=name,
                rp_id=config.rp_id,
                rp_origins=config.rp_origins,
                user_verification=config.user_verification,
            ),
        )
        allowed: list[JsonMap] | None = None
        if name:
            made_up = decoys(config, name)
            user = await get_user(request.storage, name)
            keys = () if user is None else user.keys
            allowed = [descriptor(key.id, key.transports) for key in keys] or made_up
        return Response({"publicKey": request_options(config, challenge, allowed)})

    @endpoint(
        "login/finish",
        Operation.UPDATE,
        operation_id="webauthn-write-login-finish",
        unauthenticated=True,
    )
    async def finish(self, request: Request, body: FinishBody) -> Response:
        """Finish a login."""
        config = await configured(request.storage)
        name = checked_name(body.username) if body.username else ""
        answer = read_assertion(body.credential or {})
        challenge = await CHALLENGES.find(request, answer.state)
        if challenge is None or not challenge.holds(LOGIN, name, config):
            raise InvalidRequest(_FAILED)
        user = await _claimed(request, challenge, answer)
        key = None if user is None else user.key(answer.credential_id)
        attested = None if key is None else key.attested
        found = await request.once(
            f"login {challenge.state} {attested!r}", lambda: signed(answer, challenge, attested)
        )
        if user is None or key is None or found is None or not _continues(user, key, found):
            raise WrongCredentials(_FAILED)
        if not address_allowed(request.remote_address, user.settings.bound_cidrs):
            raise PermissionDenied
        CHALLENGES.end(request.storage, challenge)
        _note_use(request, user, key, found)
        request.credential_accessor = encoded(key.id)
        grant = user.settings.grant(
            user.name,
            request.remote_address,
            alias=user.name,
            metadata={
                "username": user.name,
                "attestation_type": key.attestation,
                "authenticator_sign_count": str(found.sign_count),
            },
            renewal=login_facts(user, key),
            path_suffix=user.name,
        )
        return Response(grant=grant)


async def _claimed(request: Request, challenge: Challenge, answer: Assertion) -> User | None:
    """The user whom the answer is for: whom the challenge names, or the handle. Where there are both,
    they must agree."""
    if not challenge.username:
        return await user_by_handle(request.storage, answer.user_handle)
    user = await get_user(request.storage, challenge.username)
    if user is not None and answer.user_handle not in (b"", user.handle):
        return None
    return user


def _continues(user: User, key: Key, found: Signed) -> bool:
    """Whether the authenticator is the one that the key was in before. One that counts signatures has
    counted on; two copies of a key, each with a counter of its own, sooner or later do not."""
    if found.backup_eligible != key.backup_eligible:
        return False
    if found.sign_count > key.sign_count or found.sign_count == key.sign_count == 0:
        return True
    _log.warning(
        "a login of user %r was refused: the counter of a key went back from %d to %d, so there may"
        " be a copy of it; remove the key if in doubt (credential id %s...)",
        user.name,
        key.sign_count,
        found.sign_count,
        key.id[:8].hex(),
    )
    return False


def _note_use(request: Request, user: User, key: Key, found: Signed) -> None:
    used = msgspec.structs.replace(key, sign_count=found.sign_count, used=request.time)
    keys = tuple(used if each is key else each for each in user.keys)
    put_user(request.storage, msgspec.structs.replace(user, keys=keys))
