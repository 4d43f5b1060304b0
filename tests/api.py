"""Calls to a server's HTTP API, over one connection, as a plain client makes them."""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

TIMEOUT = 60.0
"""Seconds after which a server that does not answer counts as hanging."""
IDLE = 5.0
"""Seconds after which a server may have closed a connection that nobody used."""

Connect = Callable[[], http.client.HTTPConnection]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` is the decoded JSON, None when there was none."""

    status: int
    body: Any = None

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def auth(self) -> Any:
        return self.body["auth"]


class Api:
    """A connection and the token to use on it. It is opened when first needed, and again after a
    call that failed with `OSError` or `http.client.HTTPException`, or was long ago. One thread at a
    time."""

    def __init__(self, connect: Connect, token: str = "") -> None:
        self._connect = connect
        self._connection: http.client.HTTPConnection | None = None
        self._used = 0.0
        self.token = token

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        token: str | None = None,
        wrap_ttl: int | None = None,
    ) -> Answer:
        """Send one request to `path` (which follows ``/v1/``). `token` goes before the Api's; with
        `wrap_ttl`, in seconds, the answer is asked for wrapped."""
        headers = {"X-Vault-Token": self.token if token is None else token}
        if wrap_ttl is not None:
            headers["X-Vault-Wrap-TTL"] = str(wrap_ttl)
        content = None if body is None else json.dumps(body)
        if method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        if time.monotonic() - self._used > IDLE:
            self.close()
        if self._connection is None:
            self._connection = self._connect()
        try:
            self._connection.request(method, f"/v1/{path}", content, headers)
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        self._used = time.monotonic()
        return Answer(response.status, json.loads(text) if text else None)

    def get(self, path: str, token: str | None = None) -> Answer:
        return self.call("GET", path, token=token)

    def list(self, path: str, token: str | None = None) -> Answer:
        return self.call("LIST", path, token=token)

    def names(self, path: str) -> set[str]:
        """What a listing has; a 404 is an empty one."""
        answer = self.list(path)
        assert answer.status in (200, 404), answer
        return set(answer.data["keys"]) if answer.status == 200 else set()

    def post(
        self, path: str, body: Mapping[str, Any] | None = None, token: str | None = None
    ) -> Answer:
        return self.call("POST", path, body, token)

    def delete(self, path: str, token: str | None = None) -> Answer:
        return self.call("DELETE", path, token=token)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def tcp(port: int) -> Connect:
    """How to connect to a port of 127.0.0.1 in plain HTTP."""
    return lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(self._path))


def unix(path: Path) -> Connect:
    """How to connect to a Unix socket."""
    return lambda: _UnixConnection(path)


def tls(port: int, context: ssl.SSLContext) -> Connect:
    """How to connect to a port of 127.0.0.1 in HTTPS."""
    return lambda: http.client.HTTPSConnection("127.0.0.1", port, timeout=TIMEOUT, context=context)
