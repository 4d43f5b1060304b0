"""The sockets that listeners listen on: opened here, once, so that nobody is turned away while a new
certificate is taken into use."""

import dataclasses
import os
import shutil
import socket
from pathlib import Path

from wardgate.errors import WardgateError
from wardgate.server.listeners import ListenerConfig, TcpListener, UnixListener

BACKLOG = 1024
"""How many connections may wait to be accepted."""


class ListenError(WardgateError):
    """A listener cannot be opened. The message names it and the cause."""


def open_socket(config: ListenerConfig) -> socket.socket:
    """A socket that listens where `config` says. Raises `ListenError` when the address is taken or
    cannot be used."""
    return _open_unix(config) if isinstance(config, UnixListener) else _open_tcp(config)


def open_for(config: ListenerConfig, workers: int) -> list[socket.socket]:
    """A socket for each of several processes, all on the same port, over which the system spreads the
    connections; one for all of them where there is no port. Raises as `open_socket`."""
    if isinstance(config, UnixListener):
        return [_open_unix(config)] * workers
    # such sockets would go together with those of another server, so first one that does not
    with _open_tcp(config) as probe:
        port = probe.getsockname()[1]
    opened: list[socket.socket] = []
    try:
        while len(opened) < workers:
            opened.append(_open_tcp(dataclasses.replace(config, port=port), together=True))
    except BaseException:
        for each in opened:
            each.close()
        raise
    return opened


def address(config: TcpListener) -> str:
    """Host and port of a listener, as people write them."""
    return written(config.host or "0.0.0.0", config.port)  # noqa: S104


def name_of(config: ListenerConfig, opened: socket.socket | None) -> str:
    """Address or path of a listener, as people know it, with its socket where it has one."""
    if isinstance(config, UnixListener):
        return str(config.path)
    if opened is None or config.port != 0:
        return address(config)
    host, port, *_ = opened.getsockname()
    return written(host, port)


def written(host: str, port: int) -> str:
    """Host and port in one text."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _open_tcp(config: TcpListener, *, together: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Connections of a server that has just ended do not keep the next one from listening.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, together)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.bind((config.host, config.port))
        opened.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        opened.close()
        raise ListenError(f"cannot listen on {address(config)}: {error}") from None
    return opened


def _open_unix(config: UnixListener) -> socket.socket:
    _remove_stale(config.path)
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            opened.bind(str(config.path))
        except OSError as error:
            raise ListenError(f"cannot listen on {config.path}: {error}") from None
        # Before it listens, so that at no time somebody connects who may not.
        _set_owner(config)
        opened.listen(BACKLOG)
    except BaseException:
        opened.close()
        raise
    return opened


def _remove_stale(path: Path) -> None:
    """Remove the socket that a killed server has left behind."""
    if not path.is_socket():
        if path.exists():
            raise ListenError(f"cannot listen on {path}: a file that is no socket is there")
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink()
            return
    raise ListenError(f"cannot listen on {path}: another server listens there")


def _set_owner(config: UnixListener) -> None:
    try:
        if config.user is not None:
            shutil.chown(config.path, user=_owner(config.user))
        if config.group is not None:
            shutil.chown(config.path, group=_owner(config.group))
        os.chmod(config.path, 0o600 if config.mode is None else config.mode)
    except (OSError, LookupError) as error:
        config.path.unlink(missing_ok=True)
        raise ListenError(f"cannot set owner and mode of {config.path}: {error}") from None


def _owner(name: str) -> str | int:
    return int(name) if name.isdigit() else name
