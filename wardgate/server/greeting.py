"""What the server says when it answers requests: on standard output, and in its pid file."""

import base64
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from wardgate import __version__
from wardgate.errors import WardgateError
from wardgate.server.config import LmdbStorage, ServerConfig
from wardgate.server.dev import DevKeys
from wardgate.server.devtls import DevTls
from wardgate.server.options import DevOptions


@contextlib.contextmanager
def pid_file(path: Path | None) -> Iterator[None]:
    """Have this process's id in a file meanwhile. Raises `WardgateError` when it cannot be written."""
    write_pid_file(path)
    try:
        yield
    finally:
        remove_pid_file(path)


def write_pid_file(path: Path | None) -> None:
    """Write this process's id. Raises `WardgateError`."""
    if path is not None:
        try:
            path.write_text(f"{os.getpid()}\n")
        except OSError as error:
            raise WardgateError(f"pid_file: cannot be written: {error.strerror}") from None


def remove_pid_file(path: Path | None) -> None:
    """Remove the file, if there is one."""
    if path is not None:
        path.unlink(missing_ok=True)


def greet(
    config: ServerConfig,
    listeners: Sequence[tuple[str, bool]],
    dev: DevOptions | None = None,
    keys: DevKeys | None = None,
    tls: DevTls | None = None,
) -> None:
    """Say where the server listens: the name of each of the `listeners`, and whether it has TLS."""
    lines = [f"==> Wardgate server {__version__} started", ""]
    kind = "lmdb" if isinstance(config.storage, LmdbStorage) else "inmem"
    lines += [
        f"    Listener: {name} (tls: {'on' if has_tls else 'off'})" for name, has_tls in listeners
    ]
    lines.append(f"     Storage: {kind}")
    if config.workers > 1:
        lines.append(f"     Workers: {config.workers}")
    lines.append("")
    if dev is not None and keys is not None:
        scheme = "https" if tls else "http"
        address = f"{scheme}://{listeners[0][0]}"
        lines += [
            "A dev server: unsealed, and its keys are shown here. Never use it in production.",
            "",
            f"$ export VAULT_ADDR='{address}'",
            *([f"$ export VAULT_CACERT='{tls.ca_file}'"] if tls else []),
            "",
            f"Unseal Key: {base64.b64encode(keys.unseal_key).decode()}",
            f"Root Token: {keys.root_token}",
            f"  Web page: {_page_address(address)}",
            "",
        ]
    print("\n".join(lines), flush=True)
    sys.stdout.flush()


def _page_address(address: str) -> str:
    """Where people open the web page: browsers have passkeys for names alone, never for addresses."""
    scheme, _, listener = address.partition("://")
    host, _, port = listener.rpartition(":")
    if host == "127.0.0.1":
        host = "localhost"
    return f"{scheme}://{host}:{port}/ui/login"
