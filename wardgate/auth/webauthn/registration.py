"""Registration of keys: ``register/begin`` and ``register/finish``.

    POST register/begin  {username, enrolment_code?}   -> data: {publicKey: {...}}
    POST register/finish {username, credential}        -> data: {username, message}

A key may be registered in one of three ways. What held at the beginning must still hold at the end:

- `FREE`: nobody has the name, and the mount lets people register themselves (auto_registration);
- `CODE`: the request has an enrolment code that was made for this user;
- `TOKEN`: the request has a token that this mount gave to just this user for a key that they still
  have (X-Vault-Token), at most `FRESH` seconds before the beginning.

Everything else is "registration failed", whether there is such a user or not. Nothing is written of a
user before the end.
"""

import hmac
from typing import Annotated

import msgspec

from wardgate.auth.webauthn.answers import read_registration
from wardgate.auth.webauthn.challenges import CHALLENGES, REGISTER, Challenge
from wardgate.auth.webauthn.config import Config, configured
from wardgate.auth.webauthn.decoys import is_decoy
from wardgate.auth.webauthn.enrolment import code_digest, is_enrolled
from wardgate.auth.webauthn.names import checked_name
from wardgate.auth.webauthn.options import creation_options
from wardgate.auth.webauthn.renewal import key_of_login
from wardgate.auth.webauthn.users import (
    MOST_KEYS,
    Key,
    User,
    add_key,
    get_user,
    is_registered,
    new_handle,
    put_new_user,
)
from wardgate.auth.webauthn.verification import NewKey, registered
from wardgate.core.authentication import calling_token, rights
from wardgate.core.core import Core
from wardgate.core.identity.entities import entity_by_alias
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.core.tokens.record import Token
from wardgate.errors import InvalidRequest, PermissionDenied
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, JsonObject

FREE = "free"
CODE = "code"
TOKEN = "token"
FRESH = 900.0
"""Seconds after a login in which its token adds keys. A token goes on to programs, and may be stolen
from them: a key is for longer than any token lives."""
_FAILED = "registration failed"


class BeginBody(Body):
    """For whom a key is to be registered."""

    username: Annotated[str, Doc("The name of the user.")] = ""
    enrolment_code: Annotated[
        str, Doc("A code from user/{name}/enrolment-code, for a user who exists.")
    ] = ""


class FinishBody(Body):
    """The new key."""

    username: Annotated[str, Doc("The name of the user.")] = ""
    credential: Annotated[
        JsonObject | None, Doc("What navigator.credentials.create() gave, as JSON.")
    ] = None


class RegistrationEndpoints:
    """``register/begin`` and ``register/finish``."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint(
        "register/begin",
        Operation.UPDATE,
        operation_id="webauthn-write-register-begin",
        unauthenticated=True,
    )
    async def begin(self, request: Request, body: BeginBody) -> Response:
        """Begin the registration of a key."""
        config = await configured(request.storage)
        name = checked_name(body.username)
        user = await get_user(request.storage, name)
        code = code_digest(config, name, body.enrolment_code) if body.enrolment_code else b""
        way = await self._way(request, config, name, user, code, request.time)
        if not way:
            raise InvalidRequest(_FAILED)
        if user is not None and len(user.keys) >= MOST_KEYS:
            raise InvalidRequest(f"username: has {MOST_KEYS} keys; remove one first")
        challenge = await CHALLENGES.begin(
            request,
            Challenge(
                begun=request.time,
                purpose=REGISTER,
                username=name,
                rp_id=config.rp_id,
                rp_origins=config.rp_origins,
                user_verification=config.user_verification,
                way=way,
                handle=new_handle() if user is None else user.handle,
                code=code,
            ),
        )
        display_name, keys = ("", ()) if user is None else (user.display_name, user.keys)
        return Response({"publicKey": creation_options(config, challenge, display_name, keys)})

    @endpoint(
        "register/finish",
        Operation.UPDATE,
        operation_id="webauthn-write-register-finish",
        unauthenticated=True,
    )
    async def finish(self, request: Request, body: FinishBody) -> Response:
        """Finish the registration of a key."""
        config = await configured(request.storage)
        name = checked_name(body.username)
        answer = read_registration(body.credential or {})
        challenge = await CHALLENGES.find(request, answer.state)
        if challenge is None or not challenge.holds(REGISTER, name, config):
            raise InvalidRequest(_FAILED)
        user = await get_user(request.storage, name)
        way = await self._way(request, config, name, user, challenge.code, challenge.begun)
        if way != challenge.way or (user is not None and not _is_for(challenge, user)):
            raise InvalidRequest(_FAILED)
        new_key = await request.once(
            f"registration {challenge.state}",
            lambda: registered(answer, challenge),
        )
        if new_key is None or await _is_taken(request, config, new_key.credential_id):
            raise InvalidRequest(_FAILED)
        if user is None:
            user = User(name=name, handle=challenge.handle, self_registered=True)
            put_new_user(request.storage, user)
        elif way == CODE:
            user = msgspec.structs.replace(user, enrolment=None)
        add_key(request.storage, user, _key(new_key, answer.transports, request.time))
        CHALLENGES.end(request.storage, challenge)
        return Response({"username": name, "message": "registration successful"})

    async def _way(
        self,
        request: Request,
        config: Config,
        name: str,
        user: User | None,
        code: bytes,
        begun: float,
    ) -> str:
        """How this request may register a key for `name`, if the registration began at `begun`
        (seconds since the epoch); empty when it may not. `code` is the digest of the code that it
        has: who has one is let in by that or not at all."""
        if code:
            return CODE if is_enrolled(user, code, request.time) else ""
        # looked for before it matters: how long a refusal takes does not tell which names there are
        token = await self._fresh_token(request, begun)
        if user is not None:
            return TOKEN if token is not None and key_of_login(user, token) is not None else ""
        return FREE if config.auto_registration and await _is_free(request, name) else ""

    async def _fresh_token(self, request: Request, begun: float) -> Token | None:
        """The request's token, if it lives, and this mount gave it out not long before `begun`."""
        if not request.client_token:
            return None
        try:
            token = (await calling_token(self._core, request)).token
            if token.num_uses:  # which nobody counts here
                return None
            await rights(self._core, request.transaction, token, request.time)
        except PermissionDenied:
            return None
        fresh = token.issuer == request.mount.uuid and begun - token.issued <= FRESH
        return token if fresh else None


def _is_for(challenge: Challenge, user: User) -> bool:
    """Whether it is still the same user, who has room for a key."""
    same = hmac.compare_digest(challenge.handle, user.handle)
    return same and len(user.keys) < MOST_KEYS


async def _is_taken(request: Request, config: Config, credential_id: bytes) -> bool:
    """Whether the id is that of a key, or one that logins show as such: whoever tries to register it
    is not to learn which."""
    made_up = is_decoy(config, credential_id)
    return await is_registered(request.storage, credential_id) or made_up


async def _is_free(request: Request, name: str) -> bool:
    """Whether a stranger may take a name that no user has. Where an identity has it, as that of a user
    who was deleted or one that the operator expects, its rights are not for strangers."""
    entity = await entity_by_alias(request.transaction, request.mount.accessor, name)
    return entity is None


def _key(new: NewKey, transports: tuple[str, ...], now: float) -> Key:
    return Key(
        id=new.credential_id,
        attested=new.attested,
        attestation=new.attestation,
        sign_count=new.sign_count,
        backup_eligible=new.backup_eligible,
        transports=transports,
        registered=now,
    )
