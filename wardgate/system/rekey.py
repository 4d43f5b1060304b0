"""``sys/rekey``: new unseal keys, by the older of two ways to call it.

The answers stand outside of the usual envelope. A call needs a token whose policies allow it, or
none at all on a listener with ``disable_unauthed_rekey_endpoints = false``.
"""

import logging

from wardgate.barrier.shares import ShareMarks
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.system.quorum import progress, shown_nonce
from wardgate.system.rekeying import (
    CancelQuery,
    RekeyAttempt,
    RekeyBody,
    Rekeying,
    ShareBody,
    Words,
)
from wardgate.system.share_sets import ShareSet

OPENED_BY = "rekey"
"""The name of these endpoints among those that a listener can open to calls without a token."""

_log = logging.getLogger("wardgate.seal")

WORDS = Words(
    busy="rekey already in progress",
    idle="no barrier rekey in progress",
    none_to_verify="no rekey in progress",
    not_verifying="no rekey verification in progress",
    nothing="no rekey configuration found",
    again="given key has already been provided during this generation operation",
    must_verify="rekey operation already finished; verification must be performed",
    no_verification=(
        "requiring verification not supported when rekeying the barrier key with recovery keys"
    ),
)


class RekeyEndpoints:
    """Replace the unseal keys."""

    def __init__(self, share_set: ShareSet, words: Words = WORDS) -> None:
        self._rekeying = Rekeying(share_set, words)

    @endpoint(
        "rekey/init",
        Operation.READ,
        operation_id="rekey-attempt-read-progress",
        opened_by=OPENED_BY,
    )
    async def read(self, request: Request) -> Response:
        """Tell how far the attempt to replace the unseal keys has come."""
        marks = await self._rekeying.marks(request)
        attempt = await self._rekeying.under_way(request)
        return Response(_status(request, attempt, marks), bare=True)

    @endpoint(
        "rekey/init",
        Operation.UPDATE,
        operation_id="rekey-attempt-initialize",
        opened_by=OPENED_BY,
    )
    async def begin(self, request: Request, body: RekeyBody) -> Response:
        """Begin to replace the unseal keys."""
        attempt = await self._rekeying.begin(request, body)
        marks = await self._rekeying.marks(request)
        return Response(_told(attempt, marks), bare=True)

    @endpoint(
        "rekey/init",
        Operation.DELETE,
        operation_id="rekey-attempt-cancel",
        opened_by=OPENED_BY,
    )
    async def cancel(self, request: Request, query: CancelQuery) -> Response:
        """Cancel the attempt; the unseal keys stay as they are."""
        await self._rekeying.cancel(request, query.nonce)
        return no_content()

    @endpoint(
        "rekey/update", Operation.UPDATE, operation_id="rekey-attempt-update", opened_by=OPENED_BY
    )
    async def update(self, request: Request, body: ShareBody) -> Response:
        """Give one of the present unseal keys; the last one needed brings the new ones."""
        _check_key(body)
        attempt, finished = await self._rekeying.give(request, body)
        if finished is None:
            return Response(_told(attempt, await self._rekeying.marks(request)), bare=True)
        if attempt.pending is not None:
            finished["verification_nonce"] = attempt.pending.nonce
        return logged(
            request, Response(finished, bare=True), self._rekeying.what, attempt.pending is None
        )

    @endpoint(
        "rekey/verify",
        Operation.READ,
        operation_id="rekey-verification-read-progress",
        opened_by=OPENED_BY,
    )
    async def read_verification(self, request: Request) -> Response:
        """Tell how far the verification of the new unseal keys has come."""
        attempt = await self._rekeying.existing(request)
        nonce = shown_nonce(request, attempt.verification_nonce)
        return Response(verification(attempt, nonce), bare=True)

    @endpoint(
        "rekey/verify",
        Operation.UPDATE,
        operation_id="rekey-verification-update",
        opened_by=OPENED_BY,
    )
    async def verify(self, request: Request, body: ShareBody) -> Response:
        """Give one of the new unseal keys; with enough of them, they are in force."""
        _check_key(body)
        attempt, complete = await self._rekeying.give_back(request, body)
        if not complete:
            return Response(verification(attempt, attempt.verification_nonce), bare=True)
        answer = {"nonce": attempt.verification_nonce, "complete": True}
        return logged(request, Response(answer, bare=True), self._rekeying.what, True)

    @endpoint(
        "rekey/verify",
        Operation.DELETE,
        operation_id="rekey-verification-cancel",
        opened_by=OPENED_BY,
    )
    async def restart_verification(self, request: Request, query: CancelQuery) -> Response:
        """Begin the verification again; the new unseal keys stay the same."""
        attempt = await self._rekeying.restart_verification(request, query.nonce)
        return Response(verification(attempt, attempt.verification_nonce), bare=True)

    @endpoint("rekey/backup", Operation.READ, operation_id="rekey-read-backup-key")
    async def backup(self, request: Request) -> Response:
        """Read the copy of the encrypted unseal keys."""
        return Response(await self._rekeying.backup(request), spread=True)

    @endpoint("rekey/backup", Operation.DELETE, operation_id="rekey-delete-backup-key")
    async def forget_backup(self, request: Request) -> Response:
        """Remove the copy of the encrypted unseal keys."""
        self._rekeying.forget_backup(request)
        return no_content()


def verification(attempt: RekeyAttempt, nonce: str) -> JsonMap:
    """How far a verification has come."""
    pending = attempt.pending
    return {
        "nonce": nonce,
        "started": pending is not None,
        "t": attempt.threshold,
        "n": attempt.shares,
        "progress": 0 if pending is None else len(pending.given),
    }


def logged(request: Request, response: Response, what: str, in_force: bool) -> Response:
    """The response, with a line in the log once what it says is durable."""
    origin = request.remote_address or "a unix socket"
    state = "are in force" if in_force else "were made, and wait for their verification"
    response.then = lambda: _log.info("new %s %s; the last key came from %s", what, state, origin)
    return response


def _check_key(body: ShareBody) -> None:
    if not body.key:
        raise InvalidRequest("'key' must be specified in request body as JSON")


def _status(request: Request, attempt: RekeyAttempt | None, marks: ShareMarks) -> JsonMap:
    if attempt is None:
        return {
            "nonce": "",
            "started": False,
            "t": 0,
            "n": 0,
            "progress": 0,
            "required": marks.threshold,
            "pgp_fingerprints": None,
            "backup": False,
            "verification_required": False,
        }
    told = _told(attempt, marks)
    return {**told, **{name: shown_nonce(request, told[name]) for name in told if "nonce" in name}}


def _told(attempt: RekeyAttempt, marks: ShareMarks) -> JsonMap:
    """The state of an attempt, for those who belong to it."""
    told: JsonMap = {
        "nonce": attempt.nonce,
        "started": True,
        "t": attempt.threshold,
        "n": attempt.shares,
        "progress": progress(attempt, marks),
        "required": marks.threshold,
        "pgp_fingerprints": attempt.fingerprints,
        "backup": attempt.backup,
        "verification_required": attempt.verify,
    }
    if attempt.pending is not None:
        told["verification_nonce"] = attempt.pending.nonce
    return told
