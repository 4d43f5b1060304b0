"""The file in which a login leaves its token.

It is the Vault CLI's own ``~/.vault-token``, so that both can be used side by side;
``WARDGATE_TOKEN_FILE`` names another one.
"""

import os
from pathlib import Path

from wardgate.cli.failure import CommandFailed


def path() -> Path:
    named = os.environ.get("WARDGATE_TOKEN_FILE")
    return Path(named).expanduser() if named else Path.home() / ".vault-token"


def load() -> str | None:
    try:
        return path().read_text().strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"the token file {path()} cannot be read: {_reason(error)}") from error


def save(token: str) -> None:
    """Replace the file as a whole; only its owner can read it, at every moment."""
    import tempfile

    target = path().resolve()
    try:
        handle, temporary = tempfile.mkstemp(prefix=".token-", dir=target.parent)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(token)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        message = f"the token could not be stored in {target}: {_reason(error)}"
        raise CommandFailed(message) from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "not a text file"
