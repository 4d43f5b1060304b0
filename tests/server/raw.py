"""Bytes to a server and back, for what no proper client sends."""

import contextlib
import http.client
import socket
from collections.abc import Iterator

from tests.api import TIMEOUT


@contextlib.contextmanager
def connection(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as opened:
        yield opened


def status(opened: socket.socket) -> int:
    """The status of the next answer, whose body is read too; 0 when the server hangs up."""
    response = http.client.HTTPResponse(opened)
    try:
        response.begin()
        response.read()
    except (http.client.HTTPException, ConnectionError):
        return 0
    finally:
        response.close()
    return response.status


def send(port: int, *parts: bytes) -> int:
    """The status of the answer to these bytes; 0 when the server hangs up, maybe before the end."""
    with connection(port) as opened:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                opened.sendall(part)
        return status(opened)
