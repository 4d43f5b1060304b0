"""SIGTERM and SIGINT: what has arrived is answered, and the process ends soon and with 0."""

import signal
import socket
import time
from threading import Thread

import pytest

from tests.api import Api, tcp
from tests.server import raw
from tests.server.conftest import DevServer
from tests.server_process import WAIT

LOGINS = 5
STOPPING = "stopping: what has arrived is answered first"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_ends_with_0(dev: DevServer, number: signal.Signals) -> None:
    dev.process.send(number)
    assert dev.process.wait() == 0
    assert dev.process.log.count("\n") == 1
    assert STOPPING in dev.process.log


def test_requests_on_their_way_are_answered(dev: DevServer) -> None:
    """Logins take long, since each hashes a password."""
    assert dev.api.post("sys/auth/userpass", {"type": "userpass"}).status == 204
    password = {"password": "correct horse"}
    assert dev.api.post("auth/userpass/users/somebody", password).status == 204
    statuses: list[int] = []

    def log_in() -> None:
        with Api(tcp(dev.port)) as api:
            statuses.append(api.post("auth/userpass/login/somebody", password).status)

    clients = [Thread(target=log_in) for _ in range(LOGINS)]
    for client in clients:
        client.start()
    deadline = time.monotonic() + WAIT
    while len(statuses) + logins_under_way(dev) < LOGINS:
        assert time.monotonic() < deadline, "they do not arrive"
    dev.process.send(signal.SIGTERM)
    for client in clients:
        client.join()
    assert dev.process.wait() == 0
    assert statuses == [200] * LOGINS


def logins_under_way(dev: DevServer) -> int:
    """How many logins the server has begun, and not answered."""
    under_way = dev.api.get("sys/in-flight-req").body.values()
    return len([each for each in under_way if "/login/" in each["request_path"]])


def test_a_request_that_arrives_in_parts_is_answered(dev: DevServer) -> None:
    body = b'{"data":{"a":1}}'
    head = b"POST /v1/secret/data/a HTTP/1.1\r\nHost: a\r\nX-Vault-Token: root\r\n"
    with raw.connection(dev.port) as opened:
        opened.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body[:5])
        dev.api.get("sys/health")
        dev.process.send(signal.SIGTERM)
        dev.process.wait_for_log(STOPPING)
        opened.sendall(body[5:])
        assert raw.status(opened) == 200
    assert dev.process.wait() == 0


def test_new_connections_are_refused_while_it_stops(dev: DevServer) -> None:
    with raw.connection(dev.port) as slow:
        slow.sendall(b"POST /v1/secret/data/a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        dev.api.get("sys/health")
        dev.process.send(signal.SIGTERM)
        dev.process.wait_for_log(STOPPING)
        deadline = time.monotonic() + WAIT
        while True:
            assert time.monotonic() < deadline
            try:
                if raw.send(dev.port, b"GET /v1/sys/health HTTP/1.1\r\nHost: a\r\n\r\n") == 0:
                    break
            except OSError:
                break
    assert dev.process.wait() == 0


@pytest.mark.parametrize(
    "started",
    [
        b"",
        b"GET /v1/sys/health HTTP/1.1\r\n",
        b"POST /v1/secret/data/a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{",
        b"GET /v1/sys/health HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["silent", "half a head", "half a body", "idle after an answer"],
)
def test_clients_that_say_no_more_do_not_keep_it(dev: DevServer, started: bytes) -> None:
    opened: list[socket.socket] = []
    try:
        for _ in range(20):
            opened.append(socket.create_connection(("127.0.0.1", dev.port)))
            opened[-1].sendall(started)
        dev.api.get("sys/health")
        dev.process.send(signal.SIGTERM)
        assert dev.process.wait() == 0
    finally:
        for each in opened:
            each.close()
