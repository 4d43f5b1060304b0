"""systemd is told how the server is."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from wardgate.server.notify import notify, notify_reloading


@pytest.fixture(params=["file", "abstract"])
def manager(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    abstract = request.param == "abstract"
    name = f"wardgate-test-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}" if abstract else name)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}" if abstract else name)
        yield listening


def test_states_arrive(manager: socket.socket) -> None:
    notify("READY=1")
    assert manager.recv(100) == b"READY=1"
    notify_reloading()
    assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=[0-9]+", manager.recv(100))


@pytest.mark.parametrize("address", ["", "relative", "/nobody/listens", "@nobody"])
def test_nobody_needs_to_listen(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify("READY=1")
