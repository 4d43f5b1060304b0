"""A directory that answers as a test likes, byte by byte: what no honest one does."""

import socketserver
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from tests.services.active_directory import head, received, serving

BIND, SEARCH, EXTENDED = 0x60, 0x63, 0x77
"""The kinds of requests."""
BIND_ANSWER, ENTRY, DONE, REFERENCE, EXTENDED_ANSWER = 0x61, 0x64, 0x65, 0x73, 0x78
_INTEGER, _OCTETS, _ENUMERATED, _SEQUENCE, _SET = 0x02, 0x04, 0x0A, 0x30, 0x31

Answering = Callable[[int, int], Iterable[bytes]]
"""What is sent for a request of this number and kind; the connection is closed when it has no end of
its own and nothing is sent."""


@contextmanager
def strange_directory(answering: Answering) -> Iterator[str]:
    """A running directory; its URL."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                for message in received(self.request):
                    number, kind = head(message)
                    sent = False
                    for piece in answering(number, kind):
                        self.request.sendall(piece)
                        sent = True
                    if not sent:
                        return

    with serving(Handler) as address:
        yield f"ldap://{address}"


def tlv(tag: int, *contents: bytes) -> bytes:
    """Something in BER."""
    content = b"".join(contents)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes(4)
    return bytes([tag, 0x84]) + size + content


def result(number: int, kind: int, code: int = 0, *, more: bytes = b"") -> bytes:
    """The end of an operation."""
    parts = tlv(_ENUMERATED, bytes([code])), tlv(_OCTETS), tlv(_OCTETS), more
    return message(number, tlv(kind, *parts))


def entry(number: int, dn: str, **attributes: list[bytes]) -> bytes:
    """Something that is found."""
    listed = [
        tlv(
            _SEQUENCE,
            tlv(_OCTETS, name.encode()),
            tlv(_SET, *(tlv(_OCTETS, value) for value in values)),
        )
        for name, values in attributes.items()
    ]
    return message(number, tlv(ENTRY, tlv(_OCTETS, dn.encode()), tlv(_SEQUENCE, *listed)))


def reference(number: int, url: str) -> bytes:
    """A hint at another directory."""
    return message(number, tlv(REFERENCE, tlv(_OCTETS, url.encode())))


def referral(number: int, kind: int, url: str) -> bytes:
    """The end of an operation that another directory should carry out."""
    return result(number, kind, 10, more=tlv(0xA3, tlv(_OCTETS, url.encode())))


def message(number: int, operation: bytes) -> bytes:
    """A whole message."""
    return tlv(_SEQUENCE, tlv(_INTEGER, number.to_bytes(4)), operation)
