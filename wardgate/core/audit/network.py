"""The socket and syslog devices: records are sent over TCP, UDP or a unix socket."""

import contextlib
import errno
import os
import select
import socket
import time
from collections.abc import Callable, Sequence

from wardgate.core.audit.options import SocketOptions, SyslogOptions
from wardgate.core.audit.target import SomeNotWritten, TargetError

RETRY = 1.0
"""Seconds after a connection could not be made in which no other is tried."""

SYSLOG_SOCKETS = ("/dev/log", "/var/run/syslog", "/var/run/log")
_SYSLOG_TIMEOUT = 2.0
_INFO = 6  # syslog's severity


class _Connection:
    """A socket that is made when it is needed, and made anew after a failure."""

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self._connect = connect
        self._socket: socket.socket | None = None
        self._failed = -RETRY
        self._failure = OSError(errno.ENOTCONN, "not connected")

    def open(self) -> socket.socket:
        """The connected socket; `OSError` when there is none."""
        if self._socket is None:
            if time.monotonic() - self._failed < RETRY:
                raise self._failure
            try:
                self._socket = self._connect()
            except OSError as error:
                self._failed, self._failure = time.monotonic(), error
                raise
        return self._socket

    def gone(self) -> bool:
        """Whether a stream's other end has closed it, which a write would notice too late."""
        if self._socket is None:
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLRDHUP)
        return bool(poll.poll(0))

    def close(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None


class _ConnectedTarget:
    """What both devices do with their connection."""

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self._connection = _Connection(connect)

    def open(self) -> None:
        try:
            self._connection.open()
        except OSError as error:
            raise TargetError(_reason(error)) from None

    def close(self) -> None:
        self._connection.close()


class SocketTarget(_ConnectedTarget):
    """The socket device."""

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(self._connect)
        self._options = options

    def write(self, lines: Sequence[bytes]) -> None:
        if self._options.kind == "udp":
            _send_each(self._connection, lines)
            return
        if self._connection.gone():
            self._connection.close()
        data = b"".join(lines)
        try:
            self._connection.open().sendall(data)  # the timeout is for all of it
        except OSError as error:
            # whether a part of it arrived is not known: what follows begins on a new connection
            self._connection.close()
            raise TargetError(_reason(error)) from None

    def _connect(self) -> socket.socket:
        options = self._options
        if options.kind == "unix":
            return _unix_socket(options.address, socket.SOCK_STREAM, options.write_timeout)
        host, _, port = options.address.rpartition(":")
        kind = socket.SOCK_DGRAM if options.kind == "udp" else socket.SOCK_STREAM
        failure: OSError = OSError(errno.EHOSTUNREACH, "no address")
        for family, _, number, _, address in socket.getaddrinfo(
            host.strip("[]"), int(port), type=kind
        ):
            made = socket.socket(family, kind, number)
            made.settimeout(options.write_timeout)
            try:
                made.connect(address)
            except OSError as error:
                made.close()
                failure = error
            else:
                return made
        raise failure


class SyslogTarget(_ConnectedTarget):
    """The syslog of this machine, in RFC 3164's form; `paths` are where its socket may be."""

    def __init__(self, options: SyslogOptions, paths: Sequence[str] = SYSLOG_SOCKETS) -> None:
        super().__init__(self._connect)
        self._head = f"<{options.facility * 8 + _INFO}>"
        self._tag = f" {options.tag}[{os.getpid()}]: "
        self._paths = paths

    def write(self, lines: Sequence[bytes]) -> None:
        now = time.localtime()
        stamp = f"{_MONTHS[now.tm_mon - 1]} {now.tm_mday:2} {time.strftime('%H:%M:%S', now)}"
        head = f"{self._head}{stamp}{self._tag}".encode()
        _send_each(self._connection, [head + line.rstrip(b"\n") for line in lines])

    def _connect(self) -> socket.socket:
        failure: OSError = OSError(errno.ENOENT, "no socket of a syslog was found")
        for path in self._paths:
            try:
                return _unix_socket(path, socket.SOCK_DGRAM, _SYSLOG_TIMEOUT)
            except OSError as error:
                if error.errno != errno.ENOENT:
                    failure = error
        raise failure


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _unix_socket(path: str, kind: int, timeout: float) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, kind)
    made.settimeout(timeout)
    try:
        made.connect(path)
    except OSError:
        made.close()
        raise
    return made


def _send_each(connection: _Connection, lines: Sequence[bytes]) -> None:
    """One datagram a record. One that is too large fails alone; any other failure fails the rest."""
    too_large = set()
    for index, line in enumerate(lines):
        for last_try in (False, True):
            try:
                connection.open().send(line)
                break
            except OSError as error:
                if error.errno == errno.EMSGSIZE:
                    too_large.add(index)
                    break
                connection.close()
                # a receiver that was started anew is found again by connecting anew
                if last_try or isinstance(error, TimeoutError):
                    failed = frozenset((*too_large, *range(index, len(lines))))
                    raise SomeNotWritten(_reason(error), failed) from None
    if too_large:
        raise SomeNotWritten("a record is too large for a datagram", frozenset(too_large))


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "it takes no more records in time"
    if isinstance(error, socket.gaierror):
        return "the name of the host was not found"
    return os.strerror(error.errno) if error.errno else "it cannot be reached"
