"""The addresses that a TCP listener can be given."""

import http.client
import re
import socket
from pathlib import Path

import pytest

from tests.server_process import MEMORY_STORAGE, WAIT, refused, serving, write_config
from tests.servers import free_port
from wardgate.http.connection import _address


def listener(address: str) -> str:
    return f'listener "tcp" {{ address = "{address}" tls_disable = true }}'


def answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=WAIT)
    try:
        connection.request("GET", "/v1/sys/seal-status")
        return connection.getresponse().status == 200
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("127.0.0.1:%d", "127.0.0.1"),
        ("localhost:%d", "127.0.0.1"),
        ("0.0.0.0:%d", "127.0.0.1"),
        (":%d", "127.0.0.1"),
        ("[::1]:%d", "::1"),
        ("[::]:%d", "::1"),
    ],
)
def test_an_address_is_listened_on(tmp_path: Path, address: str, host: str) -> None:
    port = free_port()
    config = write_config(tmp_path, MEMORY_STORAGE, listener(address % port))
    with serving(config, folder=tmp_path):
        assert answers(host, port)


def test_a_client_with_an_ipv4_address_has_it_at_a_listener_for_both_kinds() -> None:
    both = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    with both, socket.create_connection(("127.0.0.1", both.getsockname()[1])) as client:
        accepted, peer = both.accept()
        accepted.close()
        assert peer[0] == "::ffff:127.0.0.1"
        assert _address(peer) == f"127.0.0.1:{client.getsockname()[1]}"
    assert _address(("::1", 80, 0, 0)) == "[::1]:80"


def test_any_free_port_is_told(tmp_path: Path) -> None:
    config = write_config(tmp_path, MEMORY_STORAGE, listener("127.0.0.1:0"))
    with serving(config, folder=tmp_path) as process:
        told = re.search(r"Listener: 127\.0\.0\.1:(\d+) ", process.output)
        assert told is not None
        assert answers("127.0.0.1", int(told[1]))


def test_several_listeners_are_opened_all_or_none(tmp_path: Path) -> None:
    one, other = free_port(), free_port()
    blocks = [listener(f"127.0.0.1:{port}") for port in (one, other)]
    config = write_config(tmp_path, MEMORY_STORAGE, *blocks)
    with serving(config, folder=tmp_path):
        assert answers("127.0.0.1", one)
        assert answers("127.0.0.1", other)
    with socket.create_server(("127.0.0.1", other)):
        assert f"cannot listen on 127.0.0.1:{other}" in refused(config, folder=tmp_path)


def test_an_unknown_host_is_refused(tmp_path: Path) -> None:
    config = write_config(tmp_path, MEMORY_STORAGE, listener("nowhere.invalid:8200"))

    assert "Error: cannot listen on nowhere.invalid:8200" in refused(config, folder=tmp_path)
