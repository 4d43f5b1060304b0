"""The server that the clients talk to, and the clients themselves."""

import contextlib
import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hvac
import pytest

from tests.servers import (
    OPENBAO,
    WARDGATE,
    Server,
    clean_environment,
    development,
    openbao_dev,
    uninitialised,
)

PROGRAMS = {"wardgate": WARDGATE, "openbao": OPENBAO}


@dataclass(frozen=True)
class Bao:
    """The real `bao` binary, with a home folder of its own and a token in its environment."""

    server: Server
    home: Path
    token: str = ""
    program: str = OPENBAO[0]

    def run(
        self, *arguments: str, stdin: str = "", output: str = "table"
    ) -> subprocess.CompletedProcess[str]:
        """Run a command, whatever its exit status."""
        environment = {
            **clean_environment(self.home),
            "VAULT_ADDR": self.server.address,
            "VAULT_TOKEN": self.token,
            "VAULT_FORMAT": output,
        }
        return subprocess.run(
            [self.program, *arguments],
            env={name: value for name, value in environment.items() if value},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def __call__(self, *arguments: str, stdin: str = "", output: str = "table") -> str:
        """What a command prints; it must succeed."""
        done = self.run(*arguments, stdin=stdin, output=output)
        assert done.returncode == 0, f"bao {' '.join(arguments[:2])}: {done.stderr}"
        return done.stdout

    def json(self, *arguments: str, stdin: str = "") -> Any:
        """What a command prints when it is told to print JSON; it must succeed."""
        return json.loads(self(*arguments, stdin=stdin, output="json"))

    def refused(self, *arguments: str, stdin: str = "") -> str:
        """What a command says on standard error; it must fail with 2, as when a server refuses."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 2, f"bao {' '.join(arguments[:2])}: {done.returncode}"
        return done.stderr

    def carrying(self, token: str) -> "Bao":
        """The same with another token; with an empty one, what `bao login` has stored."""
        return replace(self, token=token)


@pytest.fixture(scope="session")
def target() -> Sequence[str]:
    """The server program that is tested."""
    name = os.environ.get("WARDGATE_TEST_TARGET", "wardgate")
    assert name in PROGRAMS, f"WARDGATE_TEST_TARGET must be one of {', '.join(PROGRAMS)}"
    return PROGRAMS[name]


@pytest.fixture(scope="session")
def server(target: Sequence[str]) -> Iterator[Server]:
    """A development server: initialised, unsealed, with kv version 2 at ``secret/``."""
    with openbao_dev() if target is OPENBAO else development(target) as server:
        yield server


@pytest.fixture
def new_server(target: Sequence[str]) -> Iterator[Server]:
    """A server started from a configuration file, which nobody has initialised."""
    with uninitialised(target) as server:
        yield server


@pytest.fixture
def connect(server: Server) -> Iterator[Callable[[str], hvac.Client]]:
    """Make an hvac client that carries a given token."""
    with contextlib.ExitStack() as stack:

        def make(token: str) -> hvac.Client:
            client = hvac.Client(url=server.address, token=token)
            stack.callback(client.adapter.close)
            return client

        yield make


@pytest.fixture
def client(server: Server, connect: Callable[[str], hvac.Client]) -> hvac.Client:
    """An hvac client with the root token."""
    return connect(server.root_token)


@pytest.fixture
def bao(server: Server, tmp_path: Path) -> Bao:
    """The `bao` command with the root token."""
    return Bao(server, tmp_path, server.root_token)


@pytest.fixture
def name() -> str:
    """A name that no other test uses, as all share one server."""
    return f"t{secrets.token_hex(4)}"
