"""``sys/rekey-recovery-key``: new recovery keys, by the older of two ways to call it.

Answered as ``sys/rekey`` is.
"""

import msgspec

from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.framework.endpoints import endpoint
from wardgate.system.rekey import OPENED_BY, WORDS, RekeyEndpoints
from wardgate.system.rekeying import CancelQuery, RekeyBody, ShareBody
from wardgate.system.share_sets import RecoveryShares

_WORDS = msgspec.structs.replace(WORDS, idle="no recovery rekey in progress")


class RekeyRecoveryEndpoints:
    """Replace the recovery keys."""

    def __init__(self, share_set: RecoveryShares) -> None:
        self._inner = RekeyEndpoints(share_set, _WORDS)

    @endpoint(
        "rekey-recovery-key/init",
        Operation.READ,
        operation_id="rekey-recovery-read-progress",
        opened_by=OPENED_BY,
    )
    async def read(self, request: Request) -> Response:
        """Tell how far the attempt to replace the recovery keys has come."""
        return await self._inner.read(request)

    @endpoint(
        "rekey-recovery-key/init",
        Operation.UPDATE,
        operation_id="rekey-recovery-initialize",
        opened_by=OPENED_BY,
    )
    async def begin(self, request: Request, body: RekeyBody) -> Response:
        """Begin to replace the recovery keys."""
        return await self._inner.begin(request, body)

    @endpoint(
        "rekey-recovery-key/init",
        Operation.DELETE,
        operation_id="rekey-recovery-cancel",
        opened_by=OPENED_BY,
    )
    async def cancel(self, request: Request, query: CancelQuery) -> Response:
        """Cancel the attempt; the recovery keys stay as they are."""
        return await self._inner.cancel(request, query)

    @endpoint(
        "rekey-recovery-key/update",
        Operation.UPDATE,
        operation_id="rekey-recovery-update",
        opened_by=OPENED_BY,
    )
    async def update(self, request: Request, body: ShareBody) -> Response:
        """Give one of the present recovery keys; the last one needed brings the new ones."""
        return await self._inner.update(request, body)

    @endpoint(
        "rekey-recovery-key/verify",
        Operation.READ,
        operation_id="rekey-recovery-verification",
        opened_by=OPENED_BY,
    )
    async def read_verification(self, request: Request) -> Response:
        """Tell how far the verification of the new recovery keys has come."""
        return await self._inner.read_verification(request)

    @endpoint(
        "rekey-recovery-key/verify",
        Operation.UPDATE,
        operation_id="rekey-recovery-verify",
        opened_by=OPENED_BY,
    )
    async def verify(self, request: Request, body: ShareBody) -> Response:
        """Give one of the new recovery keys; with enough of them, they are in force."""
        return await self._inner.verify(request, body)

    @endpoint(
        "rekey-recovery-key/verify",
        Operation.DELETE,
        operation_id="rekey-recovery-verification-cancel",
        opened_by=OPENED_BY,
    )
    async def restart_verification(self, request: Request, query: CancelQuery) -> Response:
        """Begin the verification again; the new recovery keys stay the same."""
        return await self._inner.restart_verification(request, query)
