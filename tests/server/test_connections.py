"""Connections to a real server: how long they last, and what TLS is needed for."""

import contextlib
import http.client
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api import TIMEOUT, Api, tls
from tests.server import raw
from tests.server.certificates import Authority
from tests.server_process import (
    MEMORY_STORAGE,
    ServerProcess,
    plain_listener,
    serving,
    write_config,
)
from tests.servers import free_port

STATUS = b"GET /v1/sys/seal-status HTTP/1.1\r\nHost: a\r\n"
LIST = b"LIST /v1/sys/seal-status HTTP/1.1\r\nHost: a\r\n"
UNSUPPORTED = 405
MEGABYTE = 1024 * 1024


@dataclass
class Running:
    """A server with TLS, and what issued its certificate."""

    process: ServerProcess
    port: int
    authority: Authority

    @contextlib.contextmanager
    def connection(self, context: ssl.SSLContext | None = None) -> Iterator[ssl.SSLSocket]:
        context = context or self.authority.trusting()
        with (
            raw.connection(self.port) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as opened,
        ):
            yield opened


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder, port = tmp_path_factory.mktemp("running"), free_port()
    authority = Authority(folder)
    listener = authority.issue("server").listener(port)
    with serving(write_config(folder, MEMORY_STORAGE, listener), folder=folder) as process:
        yield Running(process, port, authority)


@pytest.mark.parametrize(
    ("setting", "half"),
    [
        ("http_idle_timeout", b""),
        ("http_idle_timeout", STATUS + b"\r\n"),
        ("http_read_header_timeout", STATUS),
        ("http_read_header_timeout", LIST),
    ],
)
def test_a_connection_ends_when_its_time_is_over(tmp_path: Path, setting: str, half: bytes) -> None:
    port = free_port()
    listener = plain_listener(port).replace("}", f'{setting} = "1s" }}')
    with (
        serving(write_config(tmp_path, MEMORY_STORAGE, listener), folder=tmp_path),
        raw.connection(port) as opened,
    ):
        opened.sendall(half)
        if half.endswith(b"\r\n\r\n"):
            assert raw.status(opened) == 200
        assert raw.status(opened) == 0  # it does not wait for minutes, as it would by default


class TestOverTls:
    def test_requests_of_all_methods(self, running: Running) -> None:
        with running.connection() as opened:
            for _ in range(2):
                opened.sendall(LIST + b"\r\n" + STATUS + b"\r\n" + LIST[:3])
                assert raw.status(opened) == UNSUPPORTED
                assert raw.status(opened) == 200
                opened.sendall(LIST[3:] + b"\r\n")
                assert raw.status(opened) == UNSUPPORTED

    def test_whoever_is_refused_early_reads_why_though_it_goes_on_sending(
        self, running: Running
    ) -> None:
        start = b"POST /v1/secret/a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
        with running.connection() as opened:
            opened.sendall(start % (100 * MEGABYTE))
            for _ in range(8):
                opened.sendall(b"x" * MEGABYTE)
            assert raw.status(opened) == 413

    def test_a_client_that_ends_its_side_leaves_no_trace(self, running: Running) -> None:
        for half in (b"", STATUS, STATUS + b"\r\n"):
            with running.connection() as opened:
                opened.sendall(half)
                with contextlib.suppress(OSError):
                    opened.unwrap()
        assert self.served(running)
        assert running.process.log == ""

    def test_half_a_handshake_keeps_nobody_waiting(self, running: Running) -> None:
        with contextlib.ExitStack() as opened:
            for _ in range(300):
                slow = opened.enter_context(raw.connection(running.port))
                slow.sendall(bytes.fromhex("16030100c8010000c40303"))
            for _ in range(20):
                assert self.served(running)
        assert self.served(running)

    @pytest.mark.parametrize(
        "hello", [b"", b"\x16\x03\x01\x00\xc8\x01", b"\x15\x03\x01\x00\x02\x02\x28", b"\0" * 500]
    )
    def test_what_is_no_handshake_leaves_no_trace(self, running: Running, hello: bytes) -> None:
        with raw.connection(running.port) as opened:
            opened.sendall(hello)
            opened.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                while opened.recv(1000):
                    pass
        assert self.served(running)
        assert running.process.log == ""

    @pytest.mark.parametrize(
        "ciphers", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256"]
    )
    def test_weak_ciphers_are_refused(self, running: Running, ciphers: str) -> None:
        context = running.authority.trusting()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
        with pytest.raises(ssl.SSLError), running.connection(context):
            pass
        context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        with running.connection(context) as opened:
            assert opened.version() == "TLSv1.2"

    def test_http_2_is_not_agreed_on(self, running: Running) -> None:
        for offered, agreed in ((["h2", "http/1.1"], "http/1.1"), (["h2"], None)):
            context = running.authority.trusting()
            context.set_alpn_protocols(offered)
            try:
                with running.connection(context) as opened:
                    assert opened.selected_alpn_protocol() == agreed
            except ssl.SSLError:
                assert agreed is None

    def served(self, running: Running) -> bool:
        with Api(tls(running.port, running.authority.trusting())) as api:
            return api.get("sys/seal-status").status == 200


def test_half_a_handshake_does_not_keep_a_server_that_stops(tmp_path: Path) -> None:
    authority, port = Authority(tmp_path), free_port()
    listener = authority.issue("server").listener(port)
    config = write_config(tmp_path, MEMORY_STORAGE, listener)
    with serving(config, folder=tmp_path) as process, contextlib.ExitStack() as opened:
        for start in (b"", bytes.fromhex("16030100c8010000c40303")):
            for _ in range(20):
                slow = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
                opened.enter_context(slow).sendall(start)
        with Api(tls(port, authority.trusting())) as api:
            assert api.get("sys/seal-status").status == 200
        assert process.stop() == 0
        assert "[ERROR]" not in process.log
        assert "Traceback" not in process.log


def test_a_java_client_may_write(tmp_path: Path) -> None:
    """It asks for HTTP/2 with each request that it sends in plain."""
    port = free_port()
    with serving(write_config(tmp_path, MEMORY_STORAGE, plain_listener(port)), folder=tmp_path):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        wish = {
            "Connection": "Upgrade, HTTP2-Settings",
            "Upgrade": "h2c",
            "HTTP2-Settings": "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
        }
        body = '{"secret_shares": 1, "secret_threshold": 1}'
        try:
            for _ in range(2):
                client.request("PUT", "/v1/sys/init", body, wish)
                answer = client.getresponse()
                assert answer.status in (200, 400)
                assert answer.read()
            client.request("GET", "/v1/sys/init", headers=wish)
            assert b"true" in client.getresponse().read()
        finally:
            client.close()
