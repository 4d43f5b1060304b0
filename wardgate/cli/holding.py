"""What the commands of people who hold unseal keys have in common."""

import base64
import binascii
from pathlib import Path
from typing import Any

from wardgate.cli.command import Word
from wardgate.cli.failure import CommandFailed, UsageError
from wardgate.cli.session import Session

KEY = Word("[KEY]", "- reads it from stdin.")


def read_pgp_files(names: str) -> list[str]:
    """Public PGP keys as the API takes them, from files with commas between their names: each
    binary, or base64 already."""
    return [_pgp_key(name.strip()) for name in names.split(",") if name.strip()]


def read_pgp_file(option: str, name: str) -> str:
    """The same for an option that is one file."""
    keys = read_pgp_files(name)
    if len(keys) != 1:
        raise UsageError(f"option -{option} is the name of one file")
    return keys[0]


def _pgp_key(name: str) -> str:
    if name.startswith("keybase:"):
        raise UsageError("Keys are read from files only: export this one, and name the file")
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise CommandFailed(f"Error reading a PGP key: {error.strerror}") from error
    try:
        base64.b64decode(content.strip(), validate=True)
    except (binascii.Error, ValueError):
        return base64.b64encode(content).decode()
    return content.strip().decode()


def key_and_nonce(
    session: Session, key: str | None, nonce: str, status: dict[str, Any]
) -> tuple[str, str]:
    """The key and the nonce to send. Whoever types the key on a terminal goes on with what is in
    progress; a key that comes otherwise needs the nonce, so that it is not given to a stranger."""
    if key is None:
        return session.ask_secret("Unseal key"), nonce or status.get("nonce", "")
    if not nonce:
        raise UsageError("Missing nonce value: give it with -nonce")
    return (session.read_stdin() if key == "-" else key).strip(), nonce


def filled(shape: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    return {name: told.get(name, default) for name, default in shape.items()}
