"""``sys/decode-token``: the token behind an encoded one and its one-time password."""

import base64
import binascii
from typing import Annotated

from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc

_LONGEST = 1024
"""Characters of either text: a token is far shorter, and anybody may ask."""


class DecodeTokenBody(Body):
    """What the generation of a root token gave out."""

    encoded_token: Annotated[str, Doc("The encoded token.")] = ""
    otp: Annotated[str, Doc("The one-time password it was encoded with.")] = ""


class DecodeTokenEndpoints:
    """Decode a token. This takes no secret of the server, so it needs no token."""

    @endpoint(
        "decode-token", Operation.UPDATE, operation_id="decode-root-token", unauthenticated=True
    )
    async def decode(self, request: Request, body: DecodeTokenBody) -> Response:
        """Decode a root token that was made with a one-time password."""
        if not body.encoded_token or not body.otp:
            raise InvalidRequest("provided 'encoded_token' or 'otp' is empty")
        for name in ("encoded_token", "otp"):
            if len(getattr(body, name)) > _LONGEST:
                raise InvalidRequest(f"{name}: must be at most {_LONGEST} characters")
        text, otp = body.encoded_token, body.otp.encode()
        try:
            hidden = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):
            raise InvalidRequest("encoded_token: must be base64 without padding") from None
        if len(hidden) != len(otp):
            raise InvalidRequest("otp: must be as long as the token that it decodes")
        token = bytes(byte ^ pad for byte, pad in zip(hidden, otp, strict=True))
        return Response({"token": token.decode(errors="replace")})
