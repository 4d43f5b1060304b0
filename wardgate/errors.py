"""The few ways in which a request fails.

Code anywhere below the HTTP layer raises one of these; the HTTP layer alone turns it into a status
and ``{"errors": [...]}``. A message names the field and the fix and never repeats a value that a
client sent, since that value may be a secret.
"""


class WardgateError(Exception):
    """Anything that Wardgate raises on purpose."""


class RequestError(WardgateError):
    """A request that is refused. `status` is the HTTP status, `messages` go to the client."""

    status = 500

    def __init__(self, *messages: str, warnings: tuple[str, ...] = ()) -> None:
        super().__init__(*messages)
        self.messages = messages
        self.warnings = warnings


class InvalidRequest(RequestError):
    """The request itself is wrong: a missing or malformed field, an impossible combination."""

    status = 400


class WrongCredentials(InvalidRequest):
    """Somebody tried to log in with a wrong password or the like; it counts towards a lockout."""


class PermissionDenied(RequestError):
    """No token, a dead token, or a token whose policies do not allow the request."""

    status = 403

    def __init__(self, *messages: str) -> None:
        super().__init__(*(messages or ("permission denied",)))


class NotFound(RequestError):
    """Nothing is stored there. Vault answers an empty list of errors for it."""

    status = 404


class UnsupportedPath(NotFound):
    """No endpoint of the mount answers this path."""

    def __init__(self) -> None:
        super().__init__("unsupported path")


class UnsupportedOperation(RequestError):
    """The path exists, but not for this method."""

    status = 405

    def __init__(self) -> None:
        super().__init__("unsupported operation")


class TooLarge(RequestError):
    """The request is larger, deeper or longer than the bounds allow."""

    status = 413


class Unavailable(RequestError):
    """The server cannot answer now: sealed, not initialised, or storage fails."""

    status = 503


class Sealed(Unavailable):
    """The barrier is sealed; nothing can be read or written."""

    def __init__(self) -> None:
        super().__init__("Vault is sealed")


class BadGateway(RequestError):
    """Somebody outside whom the server has to ask gives no answer, or none that can be used. The
    message says whom, never what was sent."""

    status = 502


class InternalError(RequestError):
    """Something broke that the client cannot mend. Details go to the log, not to the client."""

    status = 500
