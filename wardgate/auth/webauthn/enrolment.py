"""Enrolment codes: what lets somebody register a key for a name that exists.

A code is 32 random bytes, good for one key within `LIFE` seconds. The user's record has a keyed hash of
it. It is used up by the commit that stores the key, not before.
"""

import hashlib
import hmac
import secrets

import msgspec

from wardgate.auth.webauthn.config import Config, configured
from wardgate.auth.webauthn.encoding import encoded
from wardgate.auth.webauthn.names import stored_name
from wardgate.auth.webauthn.users import Enrolment, User, get_user, put_user, trust_warnings
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.timestamps import rfc3339

LIFE = 7 * 24 * 3600
_CODE_BYTES = 32
_LONGEST_CODE = 64  # characters: one more than a code has would do


def code_digest(config: Config, name: str, code: str) -> bytes:
    """What is stored of a code for this name."""
    text = f"{name}\0{code[:_LONGEST_CODE]}".encode(errors="surrogatepass")
    return hashlib.blake2b(text, key=config.secret, digest_size=32, person=b"enrolment").digest()


def is_enrolled(user: User | None, digest: bytes, now: float) -> bool:
    """Whether the user may register a key by the code with this digest."""
    enrolment = user.enrolment if user is not None else None
    right = hmac.compare_digest(enrolment.digest if enrolment else b"\0" * 32, digest)
    return right and enrolment is not None and now < enrolment.expires


class EnrolmentEndpoints:
    """``user/{name}/enrolment-code``."""

    @endpoint(
        "user/{name}/enrolment-code",
        Operation.UPDATE,
        operation_id="webauthn-write-user-name-enrolment-code",
        folded=True,
    )
    async def make_code(self, request: Request, name: str) -> Response:
        """Make a code by which the user can register one key. It ends the one before."""
        config = await configured(request.storage)
        user = await get_user(request.storage, stored_name(name))
        if user is None:
            raise InvalidRequest("name: there is no such user; write one first")
        code = encoded(secrets.token_bytes(_CODE_BYTES))
        expires = request.time + LIFE
        enrolment = Enrolment(code_digest(config, user.name, code), expires)
        put_user(request.storage, msgspec.structs.replace(user, enrolment=enrolment))
        return Response(
            {
                "username": user.name,
                "enrolment_code": code,
                "expires_at": rfc3339(expires),
                "ttl": LIFE,
            },
            warnings=trust_warnings(user),
        )

    @endpoint(
        "user/{name}/enrolment-code",
        Operation.DELETE,
        operation_id="webauthn-delete-user-name-enrolment-code",
        folded=True,
    )
    async def end_code(self, request: Request, name: str) -> Response:
        """End the user's code."""
        user = await get_user(request.storage, stored_name(name))
        if user is not None and user.enrolment is not None:
            put_user(request.storage, msgspec.structs.replace(user, enrolment=None))
        return no_content()
