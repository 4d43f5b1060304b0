"""Servers whose root key is encrypted by the transit engine of a real OpenBao."""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api import Api, tcp
from tests.server_process import (
    lmdb_storage,
    plain_listener,
    refused,
    serving,
    when_unsealed,
    write_config,
)
from tests.servers import (
    OPENBAO,
    READY,
    ROOT_TOKEN,
    START_SECONDS,
    clean_environment,
    development,
    free_port,
)

POLICY = """
path "transit/encrypt/unseal" { capabilities = ["update"] }
path "transit/decrypt/unseal" { capabilities = ["update"] }
"""


class Transit:
    """Root at a transit server, which has a key `unseal`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.api = Api(tcp(port), ROOT_TOKEN)

    def prepare(self) -> None:
        assert self.api.post("sys/mounts/transit", {"type": "transit"}).status == 204
        assert self.api.post("transit/keys/unseal", {}).status == 200
        assert self.api.post("sys/policies/acl/unseal", {"policy": POLICY}).status == 204

    def token(self, **fields: object) -> str:
        fields = {"policies": ["unseal"], "no_parent": True, **fields}
        made: str = self.api.post("auth/token/create", fields).auth["client_token"]
        return made


@pytest.fixture
def transit() -> Iterator[Transit]:
    with development(OPENBAO) as server:
        found = Transit(server.port)
        found.prepare()
        yield found
        found.api.close()


class Machine:
    """A folder with data, over which servers come and go on one port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.api = Api(tcp(self.port))

    def config(self, transit_port: int, token: str, **more: str) -> str:
        settings = {
            "address": f"http://127.0.0.1:{transit_port}",
            "token": token,
            "key_name": "unseal",
            "mount_path": "transit/",
            **more,
        }
        lines = " ".join(f'{name} = "{value}"' for name, value in settings.items())
        return write_config(
            self.folder,
            lmdb_storage(self.folder / "data"),
            plain_listener(self.port),
            f'seal "transit" {{ {lines} }}',
        )

    def initialise(self) -> None:
        answer = self.api.call("PUT", "sys/init", {"recovery_shares": 1, "recovery_threshold": 1})
        assert answer.status == 200, answer
        self.api.token = answer.body["root_token"]

    def lives(self) -> bool:
        return when_unsealed(self.api, "auth/token/lookup-self").status == 200


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    with machine.api:
        yield machine


def test_it_is_unsealed_whenever_it_starts(machine: Machine, transit: Transit) -> None:
    config = machine.config(transit.port, transit.token())
    with serving(config, folder=machine.folder) as process:
        machine.initialise()
        status = machine.api.get("sys/seal-status", "").body
        assert (status["type"], status["sealed"], status["recovery_seal"]) == (
            "transit",
            False,
            True,
        )
        process.kill()
    machine.api.close()
    with serving(config, folder=machine.folder):
        assert machine.lives()
    machine.api.close()


def test_a_new_version_of_the_key_is_taken_into_use(machine: Machine, transit: Transit) -> None:
    config = machine.config(transit.port, transit.token())
    with serving(config, folder=machine.folder):
        machine.initialise()
    machine.api.close()
    assert transit.api.post("transit/keys/unseal/rotate").status == 200
    with serving(config, folder=machine.folder) as process:
        process.wait_for_log("stored under the seal's new key")
    assert (
        transit.api.post("transit/keys/unseal/config", {"min_decryption_version": 2}).status == 200
    )
    with serving(config, folder=machine.folder):
        assert machine.lives()
    machine.api.close()


def test_its_token_is_renewed(machine: Machine, transit: Transit) -> None:
    token = transit.token(period="1h")

    def expires() -> str:
        looked_up: str = transit.api.post("auth/token/lookup", {"token": token}).data["expire_time"]
        return looked_up

    issued = expires()
    with serving(machine.config(transit.port, token), folder=machine.folder):
        deadline = time.monotonic() + START_SECONDS
        while expires() == issued:
            assert time.monotonic() < deadline, "the token is not renewed"
            time.sleep(0.05)


def test_a_token_that_cannot_be_renewed_is_reported(machine: Machine, transit: Transit) -> None:
    token = transit.token(no_default_policy=True, ttl="1h")
    with serving(machine.config(transit.port, token), folder=machine.folder) as process:
        process.wait_for_log("cannot be renewed (403")
        machine.initialise()
        assert token not in process.log


def test_a_token_that_is_refused_leaves_it_sealed(machine: Machine, transit: Transit) -> None:
    with serving(machine.config(transit.port, transit.token()), folder=machine.folder):
        machine.initialise()
    machine.api.close()
    config = machine.config(transit.port, transit.token(policies=["default"]))
    with serving(config, folder=machine.folder) as process:
        process.wait_for_log("refuses transit/decrypt/unseal: 403")
        assert machine.api.get("sys/health").status == 503
        status = machine.api.get("sys/seal-backend-status", "").body
        assert not status["healthy"]
        assert status["backends"][0]["unhealthy_since"].endswith("Z")
        assert transit.api.post("sys/policies/acl/default", {"policy": POLICY}).status == 204
        process.wait_for_log("unsealed by the transit seal")
        assert machine.lives()
    machine.api.close()
    assert "Traceback" not in process.log


def test_it_waits_for_a_server_that_is_away(machine: Machine) -> None:
    """The listeners are open meanwhile, and it comes up when the other server is back."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        folder = Path(data)
        with _persistent_transit(folder, port) as transit:
            token = transit.token()
            with serving(machine.config(port, token), folder=machine.folder):
                machine.initialise()
            machine.api.close()
        with serving(machine.config(port, token), folder=machine.folder) as process:
            process.wait_for_log("still sealed, tried again in")
            assert f"no connection to http://127.0.0.1:{port}" in process.log
            assert machine.api.get("sys/health").status == 503
            assert machine.api.get("sys/seal-status", "").body["sealed"]
            with _persistent_transit(folder, port, again=True):
                process.wait_for_log("unsealed by the transit seal")
                assert machine.lives()
            assert machine.lives(), "the other server is needed to start, not to run"
        machine.api.close()
        assert token not in process.log


def test_nobody_can_initialise_it_while_the_other_server_is_away(machine: Machine) -> None:
    with serving(machine.config(free_port(), "s.token"), folder=machine.folder):
        answer = machine.api.call("PUT", "sys/init", {"recovery_shares": 1})
        assert answer.status == 503
        assert "log" in answer.body["errors"][0]
        assert machine.api.get("sys/init").body == {"initialized": False}
    machine.api.close()


@pytest.mark.parametrize(
    ("setting", "value", "problem"),
    [
        ("address", "127.0.0.1:8200", "the address must look like https://host:8200"),
        ("token", "a\\tb", "the token has characters that no token can have"),
        ("tls_ca_cert", "/no/such.pem", "CA certificate /no/such.pem: No such file"),
        ("tls_client_cert", "/no/such.pem", "a client certificate and its key go together"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    machine: Machine, setting: str, value: str, problem: str
) -> None:
    more = {"address": "https://127.0.0.1:1", setting: value}
    token = more.pop("token", "s.token")
    said = refused(machine.config(1, token, **more), folder=machine.folder)
    assert problem in said
    assert "server.hcl:3" in said


@contextlib.contextmanager
def _persistent_transit(folder: Path, port: int, *, again: bool = False) -> Iterator[Transit]:
    """An OpenBao on `port` that keeps its data, and unseals by a static key."""
    config = folder / "bao.hcl"
    config.write_text(
        f'storage "raft" {{ path = "{folder}" node_id = "one" }}\n'
        f'listener "tcp" {{ address = "127.0.0.1:{port}" tls_disable = true }}\n'
        f'api_addr = "http://127.0.0.1:{port}"\ncluster_addr = "http://127.0.0.1:{free_port()}"\n'
        f'seal "static" {{ current_key_id = "a" current_key = "{"0f" * 32}" }}\n'
        'initialize "a" { request "root" { operation = "update" path = "auth/token/create"\n'
        f'data = {{ id = "{ROOT_TOKEN}" no_parent = true policies = ["root"] }} }} }}\n'
    )
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [*OPENBAO, f"-config={config}"],
            stdout=log,
            stderr=log,
            env=clean_environment(folder),
        )
    transit = Transit(port)
    try:
        _wait_until_ready(transit.api)
        if not again:
            transit.prepare()
        yield transit
    finally:
        transit.api.close()
        process.terminate()
        process.wait()


def _wait_until_ready(api: Api) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if api.get("sys/health").status == READY:
                return
        time.sleep(0.05)
    raise AssertionError("the transit server does not start")
