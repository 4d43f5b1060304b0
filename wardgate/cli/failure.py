"""The ways in which a command ends other than well, and the exit code of each.

The codes are the Vault CLI's: 1 when the command itself is at fault or something local failed, 2
when the server refused or could not be reached, 127 for a command that does not exist.
"""

from typing import TYPE_CHECKING

from wardgate.errors import WardgateError

if TYPE_CHECKING:
    from wardgate.client import ApiError, Reply

LOCAL = 1
REMOTE = 2
UNKNOWN_COMMAND = 127


class CommandFailed(WardgateError):
    """Ends the command: `message` goes to stderr, `exit_code` to the shell."""

    exit_code = LOCAL


class UsageError(CommandFailed):
    """The command line is wrong. The message never repeats a value, which may be a secret."""


class UnknownCommand(UsageError):
    exit_code = UNKNOWN_COMMAND


class ServerFailed(CommandFailed):
    """The server could not be reached, or has no such thing."""

    exit_code = REMOTE


class Refused(ServerFailed):
    """The server answered with an error while the command was `doing` something."""

    def __init__(self, doing: str, error: "ApiError") -> None:
        lines = [f"Error {doing}: the server refused the request.", ""]
        lines += [f"URL: {error.method} {error.url}", f"Code: {error.status}. Errors:", ""]
        lines += [f"* {message}" for message in error.errors]
        super().__init__("\n".join(lines).rstrip())
        self.status = error.status
        self.reply: Reply | None = error.reply


class Finished(CommandFailed):
    """Everything is printed; only the exit code is left to give, such as 2 for a sealed server."""

    def __init__(self, exit_code: int) -> None:
        super().__init__()
        self.exit_code = exit_code
