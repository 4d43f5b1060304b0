"""A real OpenBao to ask how it reads and applies policies."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers import START_SECONDS, STOP_SECONDS, free_port

BAO = Path(sys.executable).with_name("bao")
ROOT = "root"


class Oracle:
    """A running dev server, reached over HTTP."""

    def __init__(self, address: str) -> None:
        self._address = address

    def send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        token: str = ROOT,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """One request: the status and the JSON answer, empty when there is none."""
        request = urllib.request.Request(
            f"{self._address}/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Vault-Token": token, **(headers or {})},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                status, text = refusal.code, refusal.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, {}

    def write_policy(self, name: str, text: str) -> int:
        """Store a policy; the status tells whether its text is accepted."""
        return self.send("PUT", f"sys/policies/acl/{name}", {"policy": text})[0]

    def token(self, *policies: str) -> str:
        """A token with exactly these policies."""
        body = {"policies": list(policies), "no_default_policy": True}
        token = self.send("POST", "auth/token/create", body)[1]["auth"]["client_token"]
        assert isinstance(token, str)
        return token

    def capabilities(self, token: str, paths: list[str]) -> dict[str, list[str]]:
        """What `sys/capabilities` answers for the paths."""
        status, answer = self.send("POST", "sys/capabilities", {"token": token, "paths": paths})
        assert status == 200, answer
        return {path: answer["data"][path] for path in paths}


@contextmanager
def running_oracle() -> Iterator[Oracle]:
    """Start `bao server -dev` in memory on a free port, and stop it at the end."""
    port = free_port()
    server = subprocess.Popen(
        [
            str(BAO),
            "server",
            "-dev",
            "-dev-no-store-token",
            f"-dev-root-token-id={ROOT}",
            f"-dev-listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "BAO_LOG_LEVEL": "error"},
    )
    try:
        oracle = Oracle(f"http://127.0.0.1:{port}")
        _await_start(oracle, server)
        yield oracle
    finally:
        server.terminate()
        server.wait(timeout=STOP_SECONDS)


def _await_start(oracle: Oracle, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, "bao did not start"
        try:
            # The KV mount is the last thing that a dev server makes.
            if oracle.send("GET", "sys/mounts/secret")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError("bao did not answer")
