"""A server's HTTP API as the bench uses it to prepare and to verify: one JSON call at a time."""

import http.client
import json
from typing import Any

Json = dict[str, Any]

TIMEOUT = 30.0  # seconds


class Refused(Exception):
    """The server answered with another status than 2xx. The message holds no body or token."""

    def __init__(self, method: str, path: str, status: int) -> None:
        super().__init__(f"{method} {path} was answered with status {status}")
        self.status = status


class Api:
    """Calls to ``http://127.0.0.1:port/v1/…``, with `token` if there is one."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port = port
        self.token = token

    def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """The answer's JSON, ``{}`` if it has no body.

        Raises `Refused` for any status but 2xx, `OSError` or `http.client.HTTPException` when no
        answer came.
        """
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["X-Vault-Token"] = self.token
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, f"/v1/{path}", text, headers)
            reply = connection.getresponse()
            content = reply.read()
        finally:
            connection.close()
        if not 200 <= reply.status <= 299:
            raise Refused(method, path, reply.status)
        answer: Json = json.loads(content) if content else {}
        return answer
