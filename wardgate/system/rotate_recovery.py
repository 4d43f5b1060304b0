"""``sys/rotate/recovery``: new recovery keys, for a server that unseals by itself.

Answered as ``sys/rotate/root`` is.
"""

from wardgate.barrier.auto_seal import AutoSeal
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.framework.endpoints import endpoint
from wardgate.system.rekeying import RekeyBody, ShareBody
from wardgate.system.rotate_root import RotateRootEndpoints
from wardgate.system.share_sets import RecoveryShares


class RotateRecoveryEndpoints:
    """Replace the recovery keys."""

    def __init__(self, seal: AutoSeal, share_set: RecoveryShares) -> None:
        self._inner = RotateRootEndpoints(seal, share_set)

    @endpoint("rotate/recovery/init", Operation.READ, operation_id="rotate-recovery-read-progress")
    async def read(self, request: Request) -> Response:
        """Tell how far the attempt to replace the recovery keys has come."""
        return await self._inner.read(request)

    @endpoint("rotate/recovery/init", Operation.UPDATE, operation_id="rotate-recovery-initialize")
    async def begin(self, request: Request, body: RekeyBody) -> Response:
        """Begin to replace the recovery keys; where there are none yet, make them."""
        return await self._inner.begin_or_make(request, body)

    @endpoint("rotate/recovery/init", Operation.DELETE, operation_id="rotate-recovery-cancel")
    async def cancel(self, request: Request) -> Response:
        """Cancel the attempt; the recovery keys stay as they are."""
        return await self._inner.cancel(request)

    @endpoint("rotate/recovery/update", Operation.UPDATE, operation_id="rotate-recovery-update")
    async def update(self, request: Request, body: ShareBody) -> Response:
        """Give one of the present recovery keys; the last one needed brings the new ones."""
        return await self._inner.update(request, body)

    @endpoint("rotate/recovery/verify", Operation.READ, operation_id="rotate-recovery-verification")
    async def read_verification(self, request: Request) -> Response:
        """Tell how far the verification of the new recovery keys has come."""
        return await self._inner.read_verification(request)

    @endpoint("rotate/recovery/verify", Operation.UPDATE, operation_id="rotate-recovery-verify")
    async def verify(self, request: Request, body: ShareBody) -> Response:
        """Give one of the new recovery keys; with enough of them, they are in force."""
        return await self._inner.verify(request, body)

    @endpoint(
        "rotate/recovery/verify",
        Operation.DELETE,
        operation_id="rotate-recovery-verification-cancel",
    )
    async def restart_verification(self, request: Request) -> Response:
        """Begin the verification again; the new recovery keys stay the same."""
        return await self._inner.restart_verification(request)

    @endpoint(
        "rekey/recovery-key-backup", Operation.READ, operation_id="rekey-read-backup-recovery-key"
    )
    @endpoint("rotate/recovery/backup", Operation.READ, operation_id="rotate-recovery-read-backup")
    async def backup(self, request: Request) -> Response:
        """Read the copy of the encrypted recovery keys."""
        return await self._inner.backup(request)

    @endpoint(
        "rekey/recovery-key-backup",
        Operation.DELETE,
        operation_id="rekey-delete-backup-recovery-key",
    )
    @endpoint(
        "rotate/recovery/backup", Operation.DELETE, operation_id="rotate-recovery-delete-backup"
    )
    async def forget_backup(self, request: Request) -> Response:
        """Remove the copy of the encrypted recovery keys."""
        return await self._inner.forget_backup(request)
