"""One connection to a directory, over a blocking socket: for one thread at a time.

No wait is longer than what the login has left, whatever the directory does; no message is longer than
`LONGEST`; referrals are not followed.
"""

import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any

from wardgate.auth.ldap import messages
from wardgate.auth.ldap.effort import ConnectionLost, DirectoryFailed, Effort
from wardgate.auth.ldap.messages import Entry, NoLdap, Reply

LONGEST = 1024 * 1024
"""Bytes of one message: an entry with all values of the attributes that were asked for."""
MOST_ENTRIES = 20_000
"""That one search may find."""
FIRST_ANSWER = 5.0
"""Seconds until the first answer on a connection that was kept: one that a firewall has forgotten is
silent for ever, and a new one is worth a try."""
_CHUNK = 64 * 1024
_NO_LDAP = "the server gives an answer that is no LDAP"
_SEQUENCE = 0x30


class Connection:
    """A connection, and as whom it is bound."""

    def __init__(self, opened: socket.socket, effort: Effort) -> None:
        self._socket = opened
        self._received = bytearray()
        self._number = 0
        self.effort = effort
        """Of the login that it is used for."""
        self.made = time.monotonic()
        self.service = False
        """Whether it is bound as the service account."""
        self._doubtful = False

    def used_again(self, effort: Effort) -> None:
        """Begin with another login on a connection that was kept: it may be dead."""
        self.effort = effort
        self._doubtful = True

    def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Go on in TLS. Raises `DirectoryFailed`."""
        self._send(messages.start_tls(self._next()))
        if self._result(self._reply(), messages.EXTENDED_ANSWER) != messages.SUCCESS:
            raise DirectoryFailed("the directory refuses StartTLS")
        if self._received:  # somebody has put words into its mouth
            raise DirectoryFailed(_NO_LDAP)
        self._socket = wrapped(self._socket, context, host, self.effort)

    def bind(self, name: str, password: bytes) -> int:
        """Bind with a password, or as nobody where both are empty; the result's code."""
        self.service = False
        self._send(messages.bind(self._next(), name, password))
        return self._result(self._reply(), messages.BIND_ANSWER)

    def search(
        self,
        base: str,
        scope: int,
        filter_text: str,
        attributes: Sequence[str],
        *,
        dereference: str = "never",
        most: int = 0,
        page_size: int = 0,
    ) -> tuple[list[Entry], int]:
        """What is found and the result's code: entries without a success are not all of them."""
        found: list[Entry] = []
        cookie = b""
        while True:
            request = messages.search(
                self._next(),
                base,
                scope,
                filter_text,
                attributes,
                dereference=messages.DEREFERENCES[dereference],
                most=most,
                seconds=int(self.effort.left()) + 1,
                page_size=page_size,
                cookie=cookie,
            )
            self._send(request)
            reply = self._reply()
            while reply.code is None:
                if reply.entry is not None:
                    found.append(reply.entry)
                if len(found) > (most or MOST_ENTRIES):
                    raise DirectoryFailed("the directory finds more than can be taken in")
                reply = self._reply()
            cookie, code = reply.cookie, self._result(reply, messages.SEARCH_DONE)
            if code != messages.SUCCESS or not cookie or not page_size:
                return found, code

    def close(self) -> None:
        """Let go of it; never fails, and waits for nobody."""
        try:
            self._socket.settimeout(0)
            self._socket.send(messages.unbind(self._number + 1))
        except (OSError, ValueError):
            pass
        self._socket.close()

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _send(self, message: bytes) -> None:
        self._held_to_time(lambda: self._socket.sendall(message))

    def _reply(self) -> Reply:
        """The next message, which must be for the last request."""
        try:
            reply = messages.decoded(self._message())
        except NoLdap:
            raise DirectoryFailed(_NO_LDAP) from None
        self._doubtful = False
        if reply.id == 0:
            raise ConnectionLost("the directory has closed the connection")
        if reply.id != self._number:
            raise DirectoryFailed(_NO_LDAP)
        return reply

    @staticmethod
    def _result(reply: Reply, kind: int) -> int:
        if reply.code is None or reply.kind != kind:
            raise DirectoryFailed(_NO_LDAP)
        return reply.code

    def _message(self) -> bytes:
        self._fill(2)
        if self._received[0] != _SEQUENCE:
            raise NoLdap
        head, length = 2, self._received[1]
        if length > 0x7F:
            head += length - 0x80
            if not 2 < head <= 6:
                raise NoLdap
            self._fill(head)
            length = int.from_bytes(self._received[2:head])
        if length > LONGEST:
            raise DirectoryFailed("the directory answers more than can be taken in")
        self._fill(head + length)
        message = bytes(self._received[: head + length])
        del self._received[: head + length]
        return message

    def _fill(self, count: int) -> None:
        """Receive until there are so many bytes."""
        while len(self._received) < count:
            piece = self._held_to_time(lambda: self._socket.recv(_CHUNK))
            if not piece:
                raise ConnectionLost("the directory has closed the connection")
            self.effort.received(len(piece))
            self._received += piece

    def _held_to_time(self, work: Callable[[], Any]) -> Any:
        left = self.effort.left()
        self._socket.settimeout(min(left, FIRST_ANSWER) if self._doubtful else left)
        try:
            return work()
        except TimeoutError:
            self.effort.left()
            if self._doubtful:
                raise ConnectionLost("the directory says nothing any more") from None
            raise DirectoryFailed("the directory has not answered in time") from None
        except OSError:
            raise ConnectionLost("the directory has closed the connection") from None


def wrapped(
    opened: socket.socket, context: ssl.SSLContext, host: str, effort: Effort
) -> ssl.SSLSocket:
    """The socket in TLS with a server that has a certificate for `host`. Raises `DirectoryFailed`;
    then the socket is closed."""
    opened.settimeout(effort.left())
    try:
        return context.wrap_socket(opened, server_hostname=host)
    except ssl.SSLCertVerificationError:
        opened.close()
        raise DirectoryFailed(
            "the directory's certificate is not trusted: is it one of certificate's, or the system's,"
            " and made for the name in url?"
        ) from None
    except TimeoutError:
        opened.close()
        raise DirectoryFailed("the directory has not answered in time") from None
    except (OSError, ValueError):
        opened.close()
        raise DirectoryFailed(
            "TLS with the directory failed: do url, tls_min_version, tls_max_version and the client's"
            " certificate fit?"
        ) from None
