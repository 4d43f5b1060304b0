"""SIGHUP takes a new certificate into use without a gap: every request is answered, none is refused."""

import http.client
import operator
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from tests.api import Api, tls
from tests.server.certificates import Authority
from tests.server_process import MEMORY_STORAGE, WAIT, ServerProcess, serving, write_config
from tests.servers import free_port

RENEWED = "uses its certificate as it is on disk now"
KEPT = "keeps its certificate"
RELOADS = 8
CLIENTS = 4


@dataclass
class Running:
    """A server with TLS, and what issued its certificate."""

    process: ServerProcess
    port: int
    authority: Authority

    def reload(self, outcome: str = RENEWED) -> None:
        """Send SIGHUP and wait for what comes of it."""
        before = self.process.log.count(outcome)
        self.process.send(signal.SIGHUP)
        self.process.wait_for_log(outcome, before + 1)

    def connect(self) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)
        return self.authority.trusting().wrap_socket(plain, server_hostname="127.0.0.1")

    def serial(self) -> int:
        """The serial number of the certificate that a new connection gets."""
        with self.connect() as connection:
            der = connection.getpeercert(binary_form=True)
        assert der is not None
        return x509.load_der_x509_certificate(der).serial_number


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    authority, port = Authority(tmp_path), free_port()
    listener = authority.issue("server").listener(port)
    with serving(write_config(tmp_path, MEMORY_STORAGE, listener), folder=tmp_path) as process:
        yield Running(process, port, authority)


def test_new_connections_get_the_new_certificate(running: Running) -> None:
    for _ in range(3):
        new = running.authority.issue("server")
        running.reload()
        assert running.serial() == new.serial


def test_a_bad_certificate_is_not_taken(running: Running, tmp_path: Path) -> None:
    damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    for name in ("server.pem", "server-key.pem"):
        for content in (None, "", damaged):
            before = running.serial()
            (tmp_path / name).unlink()
            if content is not None:
                (tmp_path / name).write_text(content)
            running.reload(KEPT)
            assert running.serial() == before

            mended = running.authority.issue("server")
            running.reload()
            assert running.serial() == mended.serial
    assert running.process.log.count("[ERROR]") == 6


def test_a_new_certificate_that_ends_soon_is_warned_about(running: Running) -> None:
    assert "[WARNING]" not in running.process.log
    running.authority.issue("server", days=10)
    running.reload()
    running.process.wait_for_log("[WARNING]")
    (warning,) = [line for line in running.process.log.splitlines() if "[WARNING]" in line]
    assert f"127.0.0.1:{running.port}: " in warning
    assert "expires" in warning


def test_many_signals_at_once_are_as_good_as_one(running: Running) -> None:
    new = running.authority.issue("server")
    for _ in range(5):
        running.process.send(signal.SIGHUP)
    running.process.wait_for_log(RENEWED)
    assert running.serial() == new.serial
    assert running.process.stop() == 0


def test_a_request_on_its_way_is_answered(running: Running) -> None:
    body = b'{"secret_shares":1,"secret_threshold":1}'
    head = f"PUT /v1/sys/init HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
    with running.connect() as connection:
        connection.sendall(head.encode() + body[:10])
        new = running.authority.issue("server")
        running.process.send(signal.SIGHUP)
        deadline = time.monotonic() + WAIT
        while running.serial() != new.serial:
            assert time.monotonic() < deadline
        connection.sendall(body[10:])
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 200


def test_no_connection_is_refused_during_reloads(running: Running) -> None:
    stop = threading.Event()
    answered, failed = [0] * CLIENTS, []
    context = running.authority.trusting()

    def ask_again_and_again(number: int) -> None:
        while not stop.is_set():
            try:
                with Api(tls(running.port, context)) as api:
                    assert api.get("sys/seal-status").status == 200
                answered[number] += 1
            except Exception as error:
                failed.append(repr(error))

    clients = [threading.Thread(target=ask_again_and_again, args=(n,)) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for _ in range(RELOADS):
            running.authority.issue("server")
            before = [*answered]
            running.reload()
            deadline = time.monotonic() + WAIT
            while not (failed or all(map(operator.gt, answered, before))):
                assert time.monotonic() < deadline, "somebody is not answered any more"
                time.sleep(0.001)
    finally:
        stop.set()
        for client in clients:
            client.join()
    assert failed == []
