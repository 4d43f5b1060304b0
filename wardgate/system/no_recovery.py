"""``sys/rotate/recovery`` and ``sys/rekey-recovery-key`` with a Shamir seal.

There are no recovery keys then: unseal keys do what they do elsewhere.
"""

from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.system.rekey import OPENED_BY

_NO_KEYS = "recovery keys not supported"
_NO_ATTEMPT = "no rotation configuration found"


class NoRecoveryEndpoints:
    """What calls about recovery keys are told by a server that has none."""

    @endpoint("rotate/recovery/init", Operation.READ, operation_id="rotate-recovery-read-progress")
    @endpoint("rotate/recovery/init", Operation.UPDATE, operation_id="rotate-recovery-initialize")
    @endpoint("rotate/recovery/update", Operation.UPDATE, operation_id="rotate-recovery-update")
    async def refuse(self, request: Request) -> Response:
        """Replace the recovery keys."""
        raise InvalidRequest(_NO_KEYS)

    @endpoint(
        "rekey-recovery-key/init",
        Operation.READ,
        operation_id="rekey-recovery-read-progress",
        opened_by=OPENED_BY,
    )
    @endpoint(
        "rekey-recovery-key/init",
        Operation.UPDATE,
        operation_id="rekey-recovery-initialize",
        opened_by=OPENED_BY,
    )
    @endpoint(
        "rekey-recovery-key/init",
        Operation.DELETE,
        operation_id="rekey-recovery-cancel",
        opened_by=OPENED_BY,
    )
    @endpoint(
        "rekey-recovery-key/verify",
        Operation.READ,
        operation_id="rekey-recovery-verification",
        opened_by=OPENED_BY,
    )
    @endpoint(
        "rekey-recovery-key/verify",
        Operation.UPDATE,
        operation_id="rekey-recovery-verify",
        opened_by=OPENED_BY,
    )
    @endpoint(
        "rekey-recovery-key/verify",
        Operation.DELETE,
        operation_id="rekey-recovery-verification-cancel",
        opened_by=OPENED_BY,
    )
    @endpoint(
        "rekey-recovery-key/update",
        Operation.UPDATE,
        operation_id="rekey-recovery-update",
        opened_by=OPENED_BY,
    )
    async def refuse_rekey(self, request: Request) -> Response:
        """Replace the recovery keys, by the older way."""
        raise InvalidRequest("recovery rekeying not supported")

    @endpoint("rotate/recovery/verify", Operation.UPDATE, operation_id="rotate-recovery-verify")
    async def verify(self, request: Request) -> Response:
        """Give one of the new recovery keys."""
        raise InvalidRequest("no rotation in progress")

    @endpoint("rotate/recovery/verify", Operation.READ, operation_id="rotate-recovery-verification")
    @endpoint(
        "rotate/recovery/verify",
        Operation.DELETE,
        operation_id="rotate-recovery-verification-cancel",
    )
    async def verification(self, request: Request) -> Response:
        """Tell how far the verification of new recovery keys has come, or begin it again."""
        raise InvalidRequest(_NO_ATTEMPT)

    @endpoint(
        "rekey/recovery-key-backup", Operation.READ, operation_id="rekey-read-backup-recovery-key"
    )
    @endpoint("rotate/recovery/backup", Operation.READ, operation_id="rotate-recovery-read-backup")
    async def backup(self, request: Request) -> Response:
        """Read the copy of the encrypted recovery keys."""
        raise InvalidRequest("no backed-up keys found")

    @endpoint("rotate/recovery/init", Operation.DELETE, operation_id="rotate-recovery-cancel")
    @endpoint(
        "rekey/recovery-key-backup",
        Operation.DELETE,
        operation_id="rekey-delete-backup-recovery-key",
    )
    @endpoint(
        "rotate/recovery/backup", Operation.DELETE, operation_id="rotate-recovery-delete-backup"
    )
    async def nothing(self, request: Request) -> Response:
        """Cancel, or forget, what is not there."""
        return no_content()
