"""``sys/rotate/root``: another root key, or new unseal keys by the newer of two ways to call it."""

from wardgate.barrier.seal import Seal
from wardgate.barrier.shares import ShareMarks
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.system.quorum import progress
from wardgate.system.rekey import logged, verification
from wardgate.system.rekeying import RekeyAttempt, RekeyBody, Rekeying, ShareBody, Words
from wardgate.system.share_sets import ShareSet

_WORDS = Words(
    busy="rotation already in progress",
    idle="no rotation in progress",
    none_to_verify="no rotation in progress",
    not_verifying="no rotation verification in progress",
    nothing="no rotation configuration found",
    again="given key has already been provided during this rotation",
    must_verify="rotation already finished; verification must be performed",
    no_verification=(
        "requiring verification not supported when rotating the barrier key with recovery keys"
    ),
)


class RotateRootEndpoints:
    """Replace the root key, alone or with the unseal keys."""

    def __init__(self, seal: Seal, share_set: ShareSet) -> None:
        self._seal = seal
        self._rekeying = Rekeying(share_set, _WORDS)

    @endpoint("rotate/root", Operation.UPDATE, operation_id="root-key-rotate", sudo=True)
    async def rotate(self, request: Request) -> Response:
        """Replace the root key; the unseal keys stay as they are."""
        attempt = await self._rekeying.under_way(request)
        if attempt is not None and attempt.pending is not None:
            raise InvalidRequest(
                "new unseal keys wait for their verification, and hang on the present root key:"
                " verify them, or cancel at sys/rotate/root/init"
            )
        await request.once("rotate root", self._seal.rotate_root)
        return no_content()

    @endpoint("rotate/root/init", Operation.READ, operation_id="rotate-attempt-read-progress")
    async def read(self, request: Request) -> Response:
        """Tell how far the attempt to replace the unseal keys has come."""
        marks = await self._rekeying.marks(request)
        return Response(_status(await self._rekeying.under_way(request), marks))

    @endpoint("rotate/root/init", Operation.UPDATE, operation_id="rotate-attempt-initialize")
    async def begin(self, request: Request, body: RekeyBody) -> Response:
        """Begin to replace the unseal keys."""
        attempt = await self._rekeying.begin(request, body)
        return Response(_status(attempt, await self._rekeying.marks(request)))

    async def begin_or_make(self, request: Request, body: RekeyBody) -> Response:
        """`begin`, with new keys at once where there are none yet."""
        attempt, made = await self._rekeying.begin_or_make(request, body)
        if made is None:
            return Response(_status(attempt, await self._rekeying.marks(request)))
        told = {**made, "t": attempt.threshold, "n": attempt.shares}
        told["verification_nonce"] = attempt.verification_nonce
        if attempt.pending is None:
            del told["nonce"]  # nothing is under way that it would belong to
        return logged(request, Response(told), self._rekeying.what, attempt.pending is None)

    @endpoint("rotate/root/init", Operation.DELETE, operation_id="rotate-attempt-cancel")
    async def cancel(self, request: Request) -> Response:
        """Cancel the attempt; the unseal keys stay as they are."""
        await self._rekeying.cancel(request, "")
        return no_content()

    @endpoint("rotate/root/update", Operation.UPDATE, operation_id="rotate-attempt-update")
    async def update(self, request: Request, body: ShareBody) -> Response:
        """Give one of the present unseal keys; the last one needed brings the new ones."""
        _check_fields(body)
        attempt, finished = await self._rekeying.give(request, body)
        if finished is None:
            return Response(_status(attempt, await self._rekeying.marks(request)))
        answer = Response({**finished, "verification_nonce": attempt.verification_nonce})
        return logged(request, answer, self._rekeying.what, attempt.pending is None)

    @endpoint(
        "rotate/root/verify", Operation.READ, operation_id="rotate-verification-read-progress"
    )
    async def read_verification(self, request: Request) -> Response:
        """Tell how far the verification of the new unseal keys has come."""
        attempt = await self._rekeying.existing(request)
        return Response(verification(attempt, attempt.verification_nonce))

    @endpoint("rotate/root/verify", Operation.UPDATE, operation_id="rotate-verification-update")
    async def verify(self, request: Request, body: ShareBody) -> Response:
        """Give one of the new unseal keys; with enough of them, they are in force."""
        _check_fields(body)
        attempt, complete = await self._rekeying.give_back(request, body)
        if not complete:
            return Response(verification(attempt, attempt.verification_nonce))
        answer = Response({"nonce": attempt.verification_nonce, "complete": True})
        return logged(request, answer, self._rekeying.what, True)

    @endpoint("rotate/root/verify", Operation.DELETE, operation_id="rotate-verification-cancel")
    async def restart_verification(self, request: Request) -> Response:
        """Begin the verification again; the new unseal keys stay the same."""
        attempt = await self._rekeying.restart_verification(request, "")
        return Response(verification(attempt, attempt.verification_nonce))

    @endpoint("rotate/root/backup", Operation.READ, operation_id="rotate-read-backup-key")
    async def backup(self, request: Request) -> Response:
        """Read the copy of the encrypted unseal keys."""
        return Response(await self._rekeying.backup(request), spread=True)

    @endpoint("rotate/root/backup", Operation.DELETE, operation_id="rotate-delete-backup-key")
    async def forget_backup(self, request: Request) -> Response:
        """Remove the copy of the encrypted unseal keys."""
        self._rekeying.forget_backup(request)
        return no_content()


def _check_fields(body: ShareBody) -> None:
    for name in ("key", "nonce"):
        if not getattr(body, name):
            raise InvalidRequest(f"missing required field '{name}'")


def _status(attempt: RekeyAttempt | None, marks: ShareMarks) -> JsonMap:
    if attempt is None:
        return {"started": False, "t": 0, "n": 0, "required": marks.threshold}
    status: JsonMap = {
        "nonce": attempt.nonce,
        "started": True,
        "t": attempt.threshold,
        "n": attempt.shares,
        "progress": progress(attempt, marks),
        "required": marks.threshold,
        "verification_required": attempt.verify,
        "verification_nonce": attempt.verification_nonce,
    }
    if attempt.pgp_keys:
        status |= {"pgp_fingerprints": attempt.fingerprints, "backup": attempt.backup}
    return status
