"""Batch tokens: the token's content, encrypted, is the token.

Nothing is stored for them, so they cost no write and cannot be renewed or revoked one by one; they
end at their time, with their parent, or with the auth mount that gave them out.
"""

import base64
import binascii
from typing import Protocol

import msgspec

from wardgate.core.tokens.record import TOKEN, Token
from wardgate.errors import InvalidRequest, WardgateError

PREFIX = "b."
_CONTEXT = "core/batch-token"
LONGEST = 16 * 1024
"""Characters of a batch token after its prefix; no token is longer."""


class Cipher(Protocol):
    """Authenticated encryption under the barrier's keyring."""

    def encrypt(self, context: str, plaintext: bytes) -> bytes: ...
    async def decrypt(self, context: str, ciphertext: bytes) -> bytes: ...


def seal_token(token: Token, cipher: Cipher) -> str:
    """The id of a batch token with this content; `InvalidRequest` when it would be too long."""
    sealed = cipher.encrypt(_CONTEXT, TOKEN.encode(token))
    text = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
    if len(text) > LONGEST:
        raise InvalidRequest(
            "a batch token carries its metadata and policies itself, and these are too long for it"
        )
    return PREFIX + text


async def open_token(token_id: str, cipher: Cipher) -> Token | None:
    """The content of a batch token, or None when it is not one of ours."""
    text = token_id[len(PREFIX) :]
    if len(text) > LONGEST:
        return None
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return TOKEN.decode(await cipher.decrypt(_CONTEXT, sealed))
    except (binascii.Error, ValueError, WardgateError, msgspec.DecodeError):
        return None
