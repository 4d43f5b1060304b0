"""What the barrier and the seals refuse.

`BarrierError` means that stored data or keys are not what they should be: an operator's business,
an internal error for a client. The others are answers to a request, with the status of Vault.
"""

from wardgate.errors import InvalidRequest, WardgateError


class BarrierError(WardgateError):
    """Stored data cannot be trusted or read. The message names storage keys, never content."""


class WrongKey(BarrierError):
    """The key given is not the one that a record was encrypted with, or the record was altered."""


class AlreadyInitialized(InvalidRequest):
    """The storage holds a barrier already; a second one would make its data unreadable."""

    def __init__(self) -> None:
        super().__init__("Vault is already initialized")


class NotInitialized(InvalidRequest):
    """The storage holds no barrier yet; `sys/init` makes one."""

    def __init__(self) -> None:
        super().__init__("Vault is not initialized")
