"""One request and its answer, sent byte for byte as a scenario says.

The standard library's client is used because it sends any method and leaves the path alone, where
friendlier ones normalise `..` and percent-encoding before the server sees them.
"""

import http.client
import json
import time
from dataclasses import dataclass
from typing import TypeAlias

from tests.servers import Server

TIMEOUT_SECONDS = 60.0
CONNECTION_CLOSED = 0  # stands for the status of a server that hung up without an answer
COMPARED_HEADERS = (
    "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods", "Access-Control-Allow-Origin", "Access-Control-Max-Age",
    "Allow", "Cache-Control", "Content-Type", "Location", "Retry-After", "Vary",
    "WWW-Authenticate", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset",
)  # fmt: skip

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is the decoded JSON, or the text if it is not JSON, or None."""

    status: int
    headers: dict[str, str]
    body: Json

    def as_json(self) -> Json:
        """The whole answer as one document, which pointers look into."""
        return {"status": self.status, "headers": dict(self.headers), "body": self.body}


IDLE_SECONDS = 5.0  # servers may close connections that have been idle for longer


class Client:
    """A connection to one server, kept open between requests that follow soon."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._connection = http.client.HTTPConnection(
            server.host, server.port, timeout=TIMEOUT_SECONDS
        )
        self._used = time.monotonic()

    def send(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes | None
    ) -> Answer:
        """Send one request and read the whole answer. Redirects are answers, not followed."""
        connection = self._connection
        if time.monotonic() - self._used > IDLE_SECONDS:
            connection.close()  # it opens again by itself
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            return _read(connection.getresponse())
        except http.client.RemoteDisconnected:
            connection.close()
            return Answer(CONNECTION_CLOSED, {}, None)
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        finally:
            self._used = time.monotonic()

    def close(self) -> None:
        self._connection.close()


def _read(response: http.client.HTTPResponse) -> Answer:
    headers = {name: value for name in COMPARED_HEADERS if (value := response.getheader(name))}
    content = response.read()
    return Answer(response.status, headers, _decode(content))


def _decode(content: bytes) -> Json:
    if not content:
        return None
    try:
        decoded: Json = json.loads(content)
    except ValueError:
        return content.decode(errors="backslashreplace")
    return decoded
