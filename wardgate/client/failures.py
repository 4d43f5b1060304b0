"""The ways in which a request to a server fails, as seen from the client."""

from wardgate.client.reply import Reply
from wardgate.errors import WardgateError


class ConnectionFailed(WardgateError):
    """No answer came: refused, not trusted, too slow. The text says what to look at."""


class Misconfigured(WardgateError):
    """The client's own settings are unusable: an address, a certificate file, a token."""


class ApiError(WardgateError):
    """The server answered with a status of 400 or more, or with a redirect that is not followed.

    `errors` and `warnings` are the server's own words. `url` has no query string, since that may
    carry values. `reply` is the whole answer: a deleted KV version, for example, is a 404 with
    data.
    """

    def __init__(
        self,
        status: int,
        errors: tuple[str, ...] = (),
        warnings: tuple[str, ...] = (),
        *,
        method: str = "",
        url: str = "",
        reply: Reply | None = None,
    ) -> None:
        super().__init__(status, errors)
        self.status = status
        self.errors = errors
        self.warnings = warnings
        self.method = method
        self.url = url
        self.reply = reply

    def __str__(self) -> str:
        said = "; ".join(self.errors) or "no reason given"
        return f"{self.method} {self.url} answered {self.status}: {said}"
