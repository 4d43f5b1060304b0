"""Stands before a real directory and hands on what is said, message by message.

`active_directory` makes one that knows groups by their security identifiers and people by their
principal names, as Active Directory does: a search at ``<SID=S-1-5-…>`` and a bind as ``dan@example``
mean nothing to slapd, so these names are replaced by DNs.
`standing_before` is for tests that look at what is asked, or keep it back.
"""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from ldap3.protocol.rfc4511 import LDAPDN, LDAPMessage
from ldap3.utils.asn1 import encode
from pyasn1.codec.ber.decoder import decode

from tests.services.directory_entries import AD, AD_DOMAIN, SIDS, sid_text

_CHUNK = 65536
_BIND = 0x60


@contextmanager
def active_directory(port: int) -> Iterator[str]:
    """Stands before the directory of `tests.services.slapd` at this port; the URL."""
    names = {f"<SID={sid_text(*of)}>": f"cn={name},{AD}" for name, of in SIDS.items()}
    names |= {f"{name}@{AD_DOMAIN}": f"cn={name.title()},{AD}" for name in ("dan", "eve")}
    with standing_before(port, lambda message: _named(message, names)) as url:
        yield url


@contextmanager
def standing_before(port: int, seen: Callable[[bytes], bytes]) -> Iterator[str]:
    """Hands on what `seen` makes of each request to the directory at this port; the URL. A connection
    is closed where it gives nothing."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", port)) as behind:
                back = threading.Thread(target=_handed_on, args=(behind, self.request), daemon=True)
                back.start()
                with suppress(OSError):
                    for message in received(self.request):
                        changed = seen(message)
                        if not changed:
                            break
                        behind.sendall(changed)
                with suppress(OSError):
                    behind.shutdown(socket.SHUT_RDWR)
                back.join()

    with serving(Handler) as address:
        yield f"ldap://{address}"


@contextmanager
def serving(handler: type[socketserver.BaseRequestHandler]) -> Iterator[str]:
    """A server on a free port; host and port."""

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def received(connection: Any) -> Iterator[bytes]:
    """The messages that come over a connection, until it is closed."""
    buffer = b""
    while piece := connection.recv(_CHUNK):
        buffer += piece
        while (length := _length(buffer)) and len(buffer) >= length:
            yield buffer[:length]
            buffer = buffer[length:]


def _length(buffer: bytes) -> int:
    """Of the first message with its head; 0 while that is not known."""
    if len(buffer) < 2:
        return 0
    more = buffer[1] - 0x80
    if more < 0:
        return 2 + buffer[1]
    return 2 + more + int.from_bytes(buffer[2 : 2 + more]) if len(buffer) >= 2 + more else 0


def head(message: bytes) -> tuple[int, int]:
    """Number and kind of a request."""
    at = 2 if message[1] < 0x80 else 2 + message[1] - 0x80
    length = message[at + 1]
    return int.from_bytes(message[at + 2 : at + 2 + length]), message[at + 2 + length]


def _handed_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_CHUNK):
            target.sendall(piece)
        target.shutdown(socket.SHUT_RDWR)


def _named(message: bytes, names: Mapping[str, str]) -> bytes:
    """The message, in which what only Active Directory knows became a DN."""
    _, tag = head(message)
    if tag != _BIND and b"<SID=" not in message:
        return message
    request, _ = decode(message, asn1Spec=LDAPMessage())
    operation = request["protocolOp"]
    kind = operation.getName()
    field = {"searchRequest": "baseObject", "bindRequest": "name"}.get(kind)
    if field is None or str(operation[kind][field]) not in names:
        return message
    operation[kind][field] = LDAPDN(names[str(operation[kind][field])])
    named: bytes = encode(request)
    return named
