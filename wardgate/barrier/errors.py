"""What the barrier and the seals refuse.

`BarrierError` means that stored data or keys are not what they should be: an operator's business,
an internal error for a client. The others are answers to a request, with the status of Vault.
"""

from wardgate.errors import InvalidRequest, Unavailable, WardgateError


class BarrierError(WardgateError):
    """Stored data cannot be trusted or read. The message names storage keys, never content."""


class WrongKey(BarrierError):
    """The key given is not the one that a record was encrypted with, or the record was altered."""


class SealFailed(Unavailable):
    """An auto-unseal seal could not encrypt or decrypt the root key. `reason` is for the operator
    and says what to do; it holds neither key nor token. Clients are pointed to the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "the seal cannot be used now; the server's log says why. Mend that and try again"
        )
        self.reason = reason


class AlreadyInitialized(InvalidRequest):
    """The storage holds a barrier already; a second one would make its data unreadable."""

    def __init__(self) -> None:
        super().__init__("Vault is already initialized")


class NotInitialized(InvalidRequest):
    """The storage holds no barrier yet; `sys/init` makes one."""

    def __init__(self) -> None:
        super().__init__("Vault is not initialized")
