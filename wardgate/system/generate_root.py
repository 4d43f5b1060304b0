"""``sys/generate-root-token`` and the older ``sys/generate-root``: a new root token by a quorum.

The older answers stand outside of the usual envelope. A call there needs a token whose policies
allow it, or none at all on a listener with ``disable_unauthed_generate_root_endpoints = false``.
"""

import logging

from wardgate.barrier.shares import ShareMarks
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.system.quorum import progress, shown_nonce
from wardgate.system.rekeying import CancelQuery, ShareBody
from wardgate.system.root_generation import (
    OTP_LENGTH,
    GenerateRootBody,
    RootAttempt,
    RootGeneration,
)

_log = logging.getLogger("wardgate.seal")

OPENED_BY = "generate-root"
"""The name of these endpoints among those that a listener can open to calls without a token."""


class GenerateRootEndpoints:
    """Make a root token, answered as Vault does."""

    def __init__(self, generation: RootGeneration) -> None:
        self._generation = generation

    @endpoint(
        "generate-root",
        Operation.READ,
        operation_id="root-token-generation-read-progress2",
        opened_by=OPENED_BY,
    )
    @endpoint(
        "generate-root/attempt",
        Operation.READ,
        operation_id="root-token-generation-read-progress",
        opened_by=OPENED_BY,
    )
    async def read(self, request: Request) -> Response:
        """Tell how far the attempt to make a root token has come."""
        marks = await self._generation.marks(request)
        attempt = await self._generation.under_way(request)
        nonce = "" if attempt is None else shown_nonce(request, attempt.nonce)
        return _bare(attempt, marks, nonce=nonce, otp_length=OTP_LENGTH)

    @endpoint(
        "generate-root",
        Operation.UPDATE,
        operation_id="root-token-generation-initialize-2",
        opened_by=OPENED_BY,
    )
    @endpoint(
        "generate-root/attempt",
        Operation.UPDATE,
        operation_id="root-token-generation-initialize",
        opened_by=OPENED_BY,
    )
    async def begin(self, request: Request, body: GenerateRootBody) -> Response:
        """Begin to make a root token."""
        attempt, otp = await self._generation.begin(request, body)
        marks = await self._generation.marks(request)
        return _bare(attempt, marks, nonce=attempt.nonce, otp=otp, otp_length=OTP_LENGTH)

    @endpoint(
        "generate-root",
        Operation.DELETE,
        operation_id="root-token-generation-cancel-2",
        opened_by=OPENED_BY,
    )
    @endpoint(
        "generate-root/attempt",
        Operation.DELETE,
        operation_id="root-token-generation-cancel",
        opened_by=OPENED_BY,
    )
    async def cancel(self, request: Request, query: CancelQuery) -> Response:
        """Cancel the attempt."""
        await self._generation.cancel(request, query.nonce)
        return no_content()

    @endpoint(
        "generate-root/update",
        Operation.UPDATE,
        operation_id="root-token-generation-update",
        opened_by=OPENED_BY,
    )
    async def update(self, request: Request, body: ShareBody) -> Response:
        """Give one unseal key; the last one needed brings the encoded token."""
        if not body.key:
            raise InvalidRequest("'key' must be specified in request body as JSON")
        attempt, encoded = await self._generation.give(request, body.key, body.nonce)
        marks = await self._generation.marks(request)
        answer = _bare(attempt, marks, nonce=attempt.nonce, encoded=encoded)
        return _logged(request, answer) if encoded else answer


class GenerateRootTokenEndpoints:
    """Make a root token, answered as OpenBao does."""

    def __init__(self, generation: RootGeneration) -> None:
        self._generation = generation

    @endpoint(
        "generate-root-token/attempt", Operation.READ, operation_id="generate-root-token-read"
    )
    async def read(self, request: Request) -> Response:
        """Tell how far the attempt to make a root token has come."""
        marks = await self._generation.marks(request)
        attempt = await self._generation.under_way(request)
        if attempt is None:
            idle = _common(None, marks) | {"otp": "", "otp_length": OTP_LENGTH}
            return Response(idle)
        return Response(_enveloped(attempt, marks) | {"otp": "", "otp_length": OTP_LENGTH})

    @endpoint(
        "generate-root-token/attempt", Operation.UPDATE, operation_id="generate-root-token-begin"
    )
    async def begin(self, request: Request, body: GenerateRootBody) -> Response:
        """Begin to make a root token."""
        attempt, otp = await self._generation.begin(request, body)
        marks = await self._generation.marks(request)
        return Response(_enveloped(attempt, marks) | {"otp": otp, "otp_length": OTP_LENGTH})

    @endpoint(
        "generate-root-token/attempt", Operation.DELETE, operation_id="generate-root-token-cancel"
    )
    async def cancel(self, request: Request) -> Response:
        """Cancel the attempt."""
        await self._generation.cancel(request, "")
        return no_content()

    @endpoint(
        "generate-root-token/update",
        Operation.UPDATE,
        operation_id="update-generation-attempt-root-token",
    )
    async def update(self, request: Request, body: ShareBody) -> Response:
        """Give one unseal key; the last one needed brings the encoded token."""
        for name in ("nonce", "key"):
            if not getattr(body, name):
                raise InvalidRequest(f"{name} is required")
        attempt, encoded = await self._generation.give(request, body.key, body.nonce)
        marks = await self._generation.marks(request)
        told = _enveloped(attempt, marks) | {"complete": bool(encoded), "encoded_token": encoded}
        return _logged(request, Response(told)) if encoded else Response(told)


def _logged(request: Request, response: Response) -> Response:
    """The response, with a line in the log once the token is durable."""
    origin = request.remote_address or "a unix socket"
    response.then = lambda: _log.info(
        "a root token was made by holders of unseal keys; the last key came from %s", origin
    )
    return response


def _common(attempt: RootAttempt | None, marks: ShareMarks) -> JsonMap:
    return {
        "started": attempt is not None,
        "progress": 0 if attempt is None else progress(attempt, marks),
        "required": marks.threshold,
        "complete": False,
    }


def _enveloped(attempt: RootAttempt, marks: ShareMarks) -> JsonMap:
    return {
        **_common(attempt, marks),
        "nonce": attempt.nonce,
        "pgp_fingerprint": attempt.fingerprint,
    }


def _bare(
    attempt: RootAttempt | None,
    marks: ShareMarks,
    *,
    nonce: str,
    encoded: str = "",
    otp: str = "",
    otp_length: int = 0,
) -> Response:
    told = {
        "nonce": nonce,
        **_common(attempt, marks),
        "complete": bool(encoded),
        "encoded_token": encoded,
        "encoded_root_token": encoded,
        "pgp_fingerprint": "" if attempt is None else attempt.fingerprint,
        "otp": otp,
        "otp_length": otp_length,
    }
    return Response(told, bare=True)
