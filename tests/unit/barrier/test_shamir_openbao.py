"""Our shares and those of a running OpenBao are the same thing."""

import json
import subprocess
import sys
import time
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import START_SECONDS, free_port
from wardgate.barrier.shamir import combine, split

CONFIG = """
storage "inmem" {{}}
listener "tcp" {{
  address     = "127.0.0.1:{port}"
  tls_disable = true
}}
api_addr = "http://127.0.0.1:{port}"
"""

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def openbao(tmp_path: Path) -> Iterator[Call]:
    """A real server, sealed and not initialised; calls its ``sys/`` endpoints."""
    port = free_port()
    config = tmp_path / "bao.hcl"
    config.write_text(CONFIG.format(port=port))
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [Path(sys.executable).with_name("bao"), "server", f"-config={config}"],
            stdout=log,
            stderr=log,
        )

    def call(path: str, body: dict[str, object] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/sys/{path}",
            method="PUT" if body else "GET",
            data=json.dumps(body).encode() if body else None,
        )
        with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                call("seal-status")
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.fail((tmp_path / "log").read_text())
                time.sleep(0.05)  # another program, with a clock of its own
        yield call
    finally:
        server.terminate()
        server.wait()


def test_its_shares_combine_and_ours_unseal_it(openbao: Call) -> None:
    init = openbao("init", {"secret_shares": 5, "secret_threshold": 3})
    theirs = [b64decode(key) for key in init["keys_base64"]]
    key = combine(theirs[:3])
    assert combine([theirs[4], theirs[2], theirs[1]]) == key

    ours = split(key, 7, 3)
    assert set(ours).isdisjoint(theirs)
    status = {}
    for share in ours[4:]:
        status = openbao("unseal", {"key": b64encode(share).decode()})
    assert status["sealed"] is False
