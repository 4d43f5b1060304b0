"""A new root token, made by enough holders of unseal keys.

The token leaves the server encrypted: with a one-time password that was told to whoever began (XOR,
as long as the token), or to a PGP key.
"""

import base64
from typing import Annotated

from wardgate.barrier.shares import ShareMarks
from wardgate.core.bootstrap import new_root_token
from wardgate.core.core import Core
from wardgate.core.ids import TOKEN_LENGTH, random_base62
from wardgate.core.records import Codec
from wardgate.core.request import Request
from wardgate.core.tokens.store import SERVICE_PREFIX
from wardgate.errors import InvalidRequest
from wardgate.framework.fields import Body, Doc
from wardgate.system.key_text import read_share
from wardgate.system.pgp import PgpKey, read_pgp_key
from wardgate.system.quorum import (
    Attempt,
    check_may_begin,
    check_may_cancel,
    check_nonce,
    first_fields,
    living,
    progress,
    with_share,
)
from wardgate.system.share_sets import ShareSet

OTP_LENGTH = len(SERVICE_PREFIX) + TOKEN_LENGTH

_ATTEMPT = "core/generate-root"


class GenerateRootBody(Body):
    """How the new token is to be encrypted."""

    otp: Annotated[
        str, Doc("A one-time password as long as a token; without it the server makes one.")
    ] = ""
    pgp_key: Annotated[str, Doc("A public PGP key, base64, instead of a password.")] = ""
    key: Annotated[
        str, Doc("A share, where the call has no token: no stranger's attempt is in its way then.")
    ] = ""


class RootAttempt(Attempt, frozen=True, kw_only=True):
    """An attempt to make a root token; encrypted with `otp`, or without one to `pgp_key`."""

    otp: str = ""
    pgp_key: PgpKey | None = None

    @property
    def fingerprint(self) -> str:
        """That of the PGP key, empty without one."""
        return "" if self.pgp_key is None else self.pgp_key.fingerprint

    def encoded(self, token: str) -> str:
        """The token as only those can read it who are meant to."""
        if self.pgp_key is not None:
            return base64.b64encode(self.pgp_key.encrypt(token.encode())).decode()
        pairs = zip(token.encode(), self.otp.encode(), strict=True)
        hidden = bytes(byte ^ pad for byte, pad in pairs)
        return base64.b64encode(hidden).decode().rstrip("=")


ATTEMPT: Codec[RootAttempt] = Codec(RootAttempt)


class RootGeneration:
    """The one attempt to make a root token."""

    def __init__(self, core: Core, share_set: ShareSet) -> None:
        self._core = core
        self._set = share_set

    async def marks(self, request: Request) -> ShareMarks:
        """The shares whose holders may do this."""
        return await self._set.marks(request.transaction)

    async def under_way(self, request: Request) -> RootAttempt | None:
        """The attempt under way, None without one."""
        found = await request.transaction.get(_ATTEMPT, ATTEMPT)
        return living(found, request.time)

    async def begin(self, request: Request, body: GenerateRootBody) -> tuple[RootAttempt, str]:
        """Begin an attempt; gives the one-time password if the server made it, else nothing."""
        marks = await self.marks(request)
        before = await self.under_way(request)
        busy = "root generation already in progress for this namespace"
        stranger = check_may_begin(request, before, marks, body.key, busy)
        if body.otp and body.pgp_key:
            raise InvalidRequest("otp, pgp_key: give one of them")
        if body.otp and (len(body.otp) != OTP_LENGTH or not body.otp.isascii()):
            raise InvalidRequest(
                f"OTP string has incorrect length: give {OTP_LENGTH} ASCII characters"
            )
        made, key = "", None
        if body.pgp_key:
            key = read_pgp_key("pgp_key", body.pgp_key, request.time)
        elif not body.otp:
            made = random_base62(OTP_LENGTH)
        attempt = RootAttempt(
            **first_fields(request, marks, stranger), otp=body.otp or made, pgp_key=key
        )
        request.transaction.put(_ATTEMPT, attempt, ATTEMPT)
        return attempt, made

    async def cancel(self, request: Request, nonce: str) -> None:
        """End the attempt under way, if there is one."""
        attempt = await self.under_way(request)
        if attempt is not None:
            check_may_cancel(request, (attempt.nonce,), nonce)
            request.transaction.delete(_ATTEMPT)

    async def give(self, request: Request, key: str, nonce: str) -> tuple[RootAttempt, str]:
        """Count a share; with the last one needed, the encoded token comes back, before that an
        empty text."""
        share = read_share(key)
        attempt = await self.under_way(request)
        if attempt is None:
            raise InvalidRequest("no root generation in progress")
        check_nonce(attempt.nonce, nonce)
        marks = await self.marks(request)
        again = "given key has already been provided during this generation operation"
        attempt = with_share(request, attempt, marks, share, again)
        if progress(attempt, marks) < marks.threshold:
            request.transaction.put(_ATTEMPT, attempt, ATTEMPT)
            return attempt, ""
        request.transaction.delete(_ATTEMPT)
        table = await self._core.mounts.table(request.transaction)
        token = SERVICE_PREFIX + random_base62(TOKEN_LENGTH)  # as long as the one-time pad
        await new_root_token(self._core, request.transaction, table, token)
        return attempt, attempt.encoded(token)
