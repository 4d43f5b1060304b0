"""Clients that send too much, too slowly, or nonsense: the server refuses them and serves the others.

After each, the same process must still answer a proper client.
"""

import contextlib
import json
import random
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api import Api, tcp
from tests.server import raw
from tests.server.conftest import DevServer
from tests.server_process import MEMORY_STORAGE, plain_listener, serving, write_config
from tests.servers import free_port

HEALTH = b"GET /v1/sys/health HTTP/1.1\r\nHost: a\r\n"
WRITE = b"POST /v1/secret/data/a HTTP/1.1\r\nHost: a\r\nX-Vault-Token: root\r\n"
MEGABYTE = 1024 * 1024
HUNG_UP = 0


@pytest.fixture(scope="module", autouse=True)
def _many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@pytest.fixture
def dev(shared: DevServer) -> Iterator[DevServer]:
    """The one server that all of this is done to. It must serve others when a test is over."""
    yield shared
    assert shared.api.get("sys/health").status == 200
    assert shared.api.post("secret/data/other", {"data": {"a": 1}}).status == 200
    assert shared.process.log == ""


def written(dev: DevServer, content: bytes, headers: bytes = b"") -> int:
    length = b"Content-Length: %d\r\n\r\n" % len(content)
    return raw.send(dev.port, WRITE + headers + length, content)


@contextlib.contextmanager
def many(dev: DevServer, start: bytes, count: int = 1200) -> Iterator[list[socket.socket]]:
    """Connections that have all begun in the same way."""
    with contextlib.ExitStack() as opened:
        connections = []
        for _ in range(count):
            connections.append(opened.enter_context(raw.connection(dev.port)))
            connections[-1].sendall(start)
        yield connections


class TestSlowClients:
    @pytest.mark.parametrize(
        "start",
        [b"", HEALTH[:10], HEALTH, WRITE + b"Content-Length: 1000\r\n\r\n{"],
        ids=["silent", "half a line", "half a head", "half a body"],
    )
    def test_they_do_not_keep_others_waiting(self, dev: DevServer, start: bytes) -> None:
        with many(dev, start):
            for _ in range(20):
                assert dev.api.get("auth/token/lookup-self").status == 200

    def test_they_are_answered_when_they_have_ended(self, dev: DevServer) -> None:
        body = b'{"data":{"a":1}}'
        start = WRITE + b"Content-Length: %d\r\n\r\n" % len(body)
        with many(dev, start + body[:8], 50) as connections:
            for connection in connections:
                connection.sendall(body[8:])
                assert raw.status(connection) == 200

    def test_those_that_go_away_leave_nothing(self, dev: DevServer) -> None:
        with many(dev, WRITE.replace(b"/a", b"/never") + b"Content-Length: 1000\r\n\r\n{"):
            pass
        assert dev.api.get("secret/data/never").status == 404


class TestTooMuch:
    def test_a_head_of_200_kilobytes(self, dev: DevServer) -> None:
        filler = b"X-Filler: " + b"x" * 200 * 1024 + b"\r\n\r\n"
        assert raw.send(dev.port, HEALTH, filler) in (431, HUNG_UP)

    def test_a_head_of_10000_lines(self, dev: DevServer) -> None:
        lines = b"".join(b"X-%d: y\r\n" % number for number in range(10_000))
        assert raw.send(dev.port, HEALTH, lines, b"\r\n") in (431, HUNG_UP)

    def test_a_long_token(self, dev: DevServer) -> None:
        token = b"X-Vault-Token: s." + b"x" * 70_000 + b"\r\n\r\n"
        assert raw.send(dev.port, b"GET /v1/sys/mounts HTTP/1.1\r\nHost: a\r\n", token) == 413

    def test_a_long_path(self, dev: DevServer) -> None:
        line = b"GET /v1/secret/data/" + b"x" * 50_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"
        assert raw.send(dev.port, line) == 413

    def test_a_body_of_33_megabytes_that_says_so(self, dev: DevServer) -> None:
        """It is refused before it has arrived."""
        length = b"Content-Length: %d\r\n\r\n" % (33 * MEGABYTE)
        assert raw.send(dev.port, WRITE, length) == 413

    def test_a_body_of_33_megabytes_that_does_not(self, dev: DevServer) -> None:
        chunk = b"100000\r\n" + b"x" * MEGABYTE + b"\r\n"
        chunks = [chunk] * 33
        assert raw.send(dev.port, WRITE, b"Transfer-Encoding: chunked\r\n\r\n", *chunks) in (
            413,
            HUNG_UP,
        )

    def test_a_body_that_says_it_is_of_exabytes(self, dev: DevServer) -> None:
        for length in (10**18, 10**30):
            status = raw.send(dev.port, WRITE, b"Content-Length: %d\r\n\r\n" % length)
            assert status in (400, 413)

    def test_a_body_within_bounds_is_stored(self, dev: DevServer) -> None:
        content = json.dumps({"data": {"filler": "x" * 8 * MEGABYTE}}).encode()
        assert written(dev, content) == 200


class TestJson:
    @pytest.mark.parametrize("opening", [b"[", b'{"a":'])
    def test_deep_nesting(self, dev: DevServer, opening: bytes) -> None:
        closing = {b"[": b"]", b'{"a":': b"}"}[opening]
        content = b'{"data":' + opening * 100_000 + b"1" + closing * 100_000 + b"}"
        assert written(dev, content) in (400, 413)
        assert written(dev, b'{"data":' + opening * 100_000) in (400, 413)

    @pytest.mark.parametrize(
        "content",
        [
            b"{",
            b"[]",
            b"null",
            b'"text"',
            b"\xff\xfe{}",
            b'{"data": {"a": "\xff"}}',
            b'{"data": {"a": NaN}}',
            b'{"data": {"a": 1}} {}',
            b'{"data": {"a": "\\ud800"}}',
            b'{"data": {"\\u0000": 1e999999}}',
            b'{"data": {"a": ' + b"9" * 100_000 + b"}}",
            b"\0" * 1000,
        ],
        ids=range(12),
    )
    def test_odd_documents(self, dev: DevServer, content: bytes) -> None:
        assert written(dev, content) in (200, 400)

    def test_very_many_values(self, dev: DevServer) -> None:
        content = b'{"data":{"a":[' + b"[]," * 10 * MEGABYTE + b"1]}}"
        assert written(dev, content) == 400


class TestRefusedBeforeTheBody:
    @pytest.mark.parametrize(
        "start",
        [
            b"POST /v1/a//b HTTP/1.1\r\nHost: a\r\n",
            b"POST /elsewhere HTTP/1.1\r\nHost: a\r\n",
            b"POST /v1/" + b"x" * 5000 + b" HTTP/1.1\r\nHost: a\r\n",
            b"POST /v1/a?" + b"x" * 17_000 + b" HTTP/1.1\r\nHost: a\r\n",
            b"TRACE /v1/a HTTP/1.1\r\nHost: a\r\n",
            b"GET /v1/a HTTP/1.1\r\nHost: a\r\n",
        ],
        ids=range(6),
    )
    @pytest.mark.parametrize("chunked", [False, True])
    def test_the_connection_goes_on(self, dev: DevServer, start: bytes, chunked: bool) -> None:
        body = b"x" * MEGABYTE
        if chunked:
            rest = b"Transfer-Encoding: chunked\r\n\r\n100000\r\n" + body + b"\r\n0\r\n\r\n"
        else:
            rest = b"Content-Length: %d\r\n\r\n" % len(body) + body
        with raw.connection(dev.port) as opened:
            opened.sendall(start + rest)
            assert 400 <= raw.status(opened) < 500
            opened.sendall(HEALTH + b"\r\n")
            assert raw.status(opened) == 200


class TestGarbage:
    def test_random_bytes(self, dev: DevServer) -> None:
        choice = random.Random(4)
        for _ in range(100):
            raw.send(dev.port, choice.randbytes(choice.randrange(1, 2000)) + b"\r\n\r\n")

    def test_requests_with_bytes_changed(self, dev: DevServer) -> None:
        choice = random.Random(5)
        whole = WRITE + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        for _ in range(300):
            spoiled = bytearray(whole)
            for _ in range(choice.randrange(1, 4)):
                spoiled[choice.randrange(len(spoiled))] = choice.randrange(256)
            with raw.connection(dev.port) as opened:
                with contextlib.suppress(OSError):  # it may have hung up by now
                    opened.sendall(spoiled)
                    opened.shutdown(socket.SHUT_WR)
                assert raw.status(opened) < 500

    @pytest.mark.parametrize(
        "lines",
        [
            b"Content-Length: -1\r\n\r\n",
            b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n{}",
            b"Transfer-Encoding: nonsense\r\n\r\n{}",
            b"Expect: 100-continue\r\nContent-Length: x\r\n\r\n",
        ],
        ids=range(6),
    )
    def test_bodies_of_no_clear_length(self, dev: DevServer, lines: bytes) -> None:
        assert raw.send(dev.port, WRITE, lines) in (400, 501, HUNG_UP)

    def test_nothing_is_taken_for_a_request_after_two_lengths(self, dev: DevServer) -> None:
        """RFC 9112, section 6.3: whoever reads by the other length would see another request."""
        both = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        with raw.connection(dev.port) as opened:
            opened.sendall(WRITE + both + HEALTH + b"\r\n")
            received = b""
            while part := opened.recv(65536):
                received += part
        assert received.count(b"HTTP/1.1 ") == 1

    @pytest.mark.parametrize("method", [b"POST", b"LIST"])
    @pytest.mark.parametrize(
        "lines",
        [
            b"Content-Length: %d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n",
            b"Content-Length: %d\r\nContent-Length: 0\r\n",
            b"Content-Length: 0\r\nContent-Length: %d\r\n",
            b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n",
            b"Content-Length: %d\r\nTransfer-Encoding: xchunked\r\n",
            b"Content-Length: %d\r\nTransfer-Encoding : chunked\r\n",
            b"Content-Length: %d\r\nTransfer-Encoding:\r\n chunked\r\n",
            b"Content-Length: %d\r\nX: y\rTransfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n",
            b"Transfer-Encoding: chunked, identity\r\nX-Length: %d\r\n",
        ],
        ids=range(10),
    )
    def test_no_body_is_taken_for_a_request(
        self, dev: DevServer, method: bytes, lines: bytes
    ) -> None:
        """However a proxy in between understood these lines."""
        inner = b"0\r\n\r\nGET /v1/sys/health?activecode=299 HTTP/1.1\r\nHost: a\r\n\r\n"
        with raw.connection(dev.port) as opened:
            opened.sendall(WRITE.replace(b"POST", method) + lines % len(inner) + b"\r\n" + inner)
            opened.shutdown(socket.SHUT_WR)
            received = b""
            with contextlib.suppress(ConnectionError):
                while part := opened.recv(65536):
                    received += part
        assert received.count(b"HTTP/1.1 ") <= 1
        assert b" 299 " not in received

    def test_two_tokens(self, dev: DevServer) -> None:
        read = WRITE.replace(b"POST", b"GET").replace(b"data/a", b"data/none")
        for second, status in ((b"root", 404), (b"other", 400), (b"", 400)):
            assert raw.send(dev.port, read, b"X-Vault-Token: " + second + b"\r\n\r\n") == status

    def test_tls_to_a_plain_listener(self, dev: DevServer) -> None:
        hello = bytes.fromhex("16030100c8010000c40303") + bytes(200)
        assert raw.send(dev.port, hello + b"\r\n\r\n") in (400, HUNG_UP)

    def test_half_of_http_2(self, dev: DevServer) -> None:
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        with raw.connection(dev.port) as opened:
            opened.sendall(preface + bytes(9))
            opened.recv(1000)
            opened.sendall(b"\xff" * 5000)

    def test_a_websocket(self, dev: DevServer) -> None:
        upgrade = (
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert raw.send(dev.port, HEALTH + upgrade) == 200


def test_requests_in_a_row_are_answered_in_order(dev: DevServer) -> None:
    """Pipelining: sent together, without waiting for the answers."""
    codes = list(range(250, 290))
    line = "GET /v1/sys/health?activecode=%d HTTP/1.1\r\nHost: a\r\n\r\n"
    with raw.connection(dev.port) as opened:
        opened.sendall("".join(line % code for code in codes).encode())
        received = b""
        while received.count(b"HTTP/1.1 ") < len(codes):
            received += opened.recv(65536)
    statuses = [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]
    assert statuses == codes


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    port = free_port()
    listener = plain_listener(port).replace("}", 'max_request_duration = "1s" }')
    config = write_config(tmp_path, MEMORY_STORAGE, listener)
    with serving(config, folder=tmp_path), raw.connection(port) as opened:
        opened.sendall(WRITE + b"Content-Length: 1000\r\n\r\n{")
        assert raw.status(opened) == 408
        with Api(tcp(port)) as api:
            assert api.get("sys/seal-status").status == 200


def test_limits_hold_for_their_own_listener(tmp_path: Path) -> None:
    strict, lax = free_port(), free_port()
    config = write_config(
        tmp_path,
        MEMORY_STORAGE,
        plain_listener(strict).replace("}", 'max_request_size = 100 max_request_duration = "1s" }'),
        plain_listener(lax).replace("}", "max_request_size = -1 }"),
    )
    large = WRITE + b"Content-Length: %d\r\n\r\n" % (33 * MEGABYTE)
    half = WRITE + b"Content-Length: 2\r\n\r\n{"
    sealed = 503
    with (
        serving(config, folder=tmp_path),
        raw.connection(lax) as slow,
        raw.connection(strict) as cut,
    ):
        slow.sendall(half)
        cut.sendall(half)
        assert raw.status(cut) == 408
        slow.sendall(b"}")
        assert raw.status(slow) == sealed
        assert raw.send(strict, large) == 413
        assert raw.send(lax, large, b"{}", b" " * (33 * MEGABYTE - 2)) == sealed
