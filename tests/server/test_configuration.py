"""What configuration files ask for, at a running server: proxies, headers, logs, reloads, metrics."""

import http.client
import json
import os
import signal
import socket
import stat
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api import Api, tcp
from tests.server.certificates import Authority
from tests.server_process import (
    MEMORY_STORAGE,
    WAIT,
    ServerProcess,
    initialise,
    plain_listener,
    refused,
    serving,
    unseal,
    write_config,
)
from tests.servers import free_port

RELOADED = "treats requests by its new configuration"


def ask(port: int, path: str = "sys/health", **headers: str) -> http.client.HTTPResponse:
    """One GET on a connection of its own; header names with _ for -."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)
    named: Mapping[str, str] = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request("GET", f"/v1/{path}", headers=dict(named))
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


def listener(port: int, *lines: str) -> str:
    settings = [f'address = "127.0.0.1:{port}"', "tls_disable = true", *lines]
    return 'listener "tcp" {\n' + "\n".join(settings) + "\n}"


@dataclass
class Configured:
    """A server whose file the test writes anew."""

    folder: Path
    port: int
    process: ServerProcess

    def write(self, *blocks: str) -> None:
        write_config(self.folder, MEMORY_STORAGE, *blocks)

    def hang_up(self, until: str) -> None:
        """Send SIGHUP and wait for a line that says so much."""
        before = self.process.log.count(until)
        self.process.send(signal.SIGHUP)
        self.process.wait_for_log(until, before + 1)


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[Configured]:
    port = free_port()
    config = write_config(tmp_path, MEMORY_STORAGE, plain_listener(port))
    with serving(config, folder=tmp_path) as process:
        yield Configured(tmp_path, port, process)


def test_a_trusted_proxys_word_counts_for_the_address(tmp_path: Path) -> None:
    behind, bare = free_port(), free_port()
    config = write_config(
        tmp_path,
        MEMORY_STORAGE,
        listener(
            behind,
            'x_forwarded_for_authorized_addrs = "127.0.0.1"',
            "x_forwarded_for_hop_skips = 1",
        ),
        plain_listener(bare),
    )
    with serving(config, folder=tmp_path), Api(tcp(bare)) as api:
        unseal(api, initialise(api))
        assert api.post("auth/token/roles/r", {"token_bound_cidrs": "192.0.2.0/24"}).status == 204
        token = api.post("auth/token/create/r", {"policies": ["default"]}).auth["client_token"]

        def status(port: int, forwarded: str) -> int:
            lookup = "auth/token/lookup-self"
            return ask(port, lookup, X_Vault_Token=token, X_Forwarded_For=forwarded).status

        assert status(behind, "192.0.2.7, 10.0.0.1") == 200
        assert status(behind, "192.0.2.7, 198.51.100.1, 10.0.0.1") == 403
        assert status(behind, "192.0.2.7") == 400
        assert status(behind, "\xff, 192.0.2.7, 10.0.0.1") == 400, "what cannot be read is not none"
        assert status(bare, "192.0.2.7, 10.0.0.1") == 403


def test_headers_are_added_to_every_kind_of_answer(tmp_path: Path) -> None:
    port = free_port()
    added = (
        'custom_response_headers {\n"default" = { "X-A" = ["a", "b"], "Server" = ["mine"] }\n'
        '"4xx" = { "X-A" = ["c"] }\n"501" = { "X-A" = ["new"] }\n}'
    )
    config = write_config(
        tmp_path, MEMORY_STORAGE, listener(port, added), "enable_response_header_hostname = true"
    )
    with serving(config, folder=tmp_path):
        for path, status, value in (
            ("sys/health", 501, "new"),
            ("sys/seal-status", 200, "a; b"),
            ("secret/a", 503, "a; b"),
            ("a//b", 400, "c"),
        ):
            answer = ask(port, path)
            assert (answer.status, answer.headers.get_all("X-A")) == (status, [value])
            assert answer.headers.get_all("Server") == ["mine"]
            assert answer.headers.get_all("X-Vault-Hostname") == [socket.gethostname()]


def test_the_log_file_is_begun_anew_when_it_is_large(tmp_path: Path) -> None:
    folder, port = tmp_path / "logs", free_port()
    folder.mkdir()
    config = write_config(
        tmp_path,
        MEMORY_STORAGE,
        plain_listener(port),
        f'log_file = "{folder}/w.log"\nlog_format = "json"\nlog_requests_level = "info"',
    )
    flags = ["-log-rotate-bytes=1000", "-log-rotate-max-files=2"]
    with serving(config, *flags, folder=tmp_path) as process:
        for _ in range(40):
            assert ask(port, "sys/seal-status").status == 200
        process.wait_for_log("seal-status", 2 * 40)  # once in the message, once as a field
        files = sorted(folder.iterdir())
        assert len(files) == 3
        assert files[-1].name == "w.log"
        for file in files:
            assert file.stat().st_size <= 1000
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            for line in file.read_text().splitlines():
                entry = json.loads(line)
                assert (entry["method"], entry["status"]) == ("GET", 200)
                assert entry["path"] == "/v1/sys/seal-status"
                assert entry["request_id"] in entry["@message"]


def test_a_log_file_that_was_moved_away_is_opened_again(tmp_path: Path) -> None:
    file, port = tmp_path / "w.log", free_port()
    config = write_config(
        tmp_path, MEMORY_STORAGE, plain_listener(port), f'log_file = "{file}"\ncolour = 1'
    )
    with serving(config, folder=tmp_path) as process, Api(tcp(port)) as api:
        initialise(api)
        file.rename(tmp_path / "moved")
        process.send(signal.SIGHUP)
        process.wait_for_log("colour is not known", 2)
        assert api.call("PUT", "sys/unseal", {"reset": True}).status == 200
        assert "initialised" in (tmp_path / "moved").read_text()
        assert "unsealing starts again" in file.read_text()


def test_lines_of_one_request_have_its_id_and_others_have_none(tmp_path: Path) -> None:
    """Each request is a task with a context of its own, also on a connection that is kept."""
    port = free_port()
    config = write_config(tmp_path, MEMORY_STORAGE, plain_listener(port), 'log_format = "json"')
    with serving(config, folder=tmp_path) as process, Api(tcp(port)) as api:
        keys = initialise(api, shares=3, threshold=3)

        def give(key: str) -> None:
            with Api(tcp(port)) as own:
                assert own.call("PUT", "sys/unseal", {"key": key}).status == 200

        clients = [threading.Thread(target=give, args=(key,)) for key in keys]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        process.send(signal.SIGHUP)
        write_config(tmp_path, MEMORY_STORAGE, plain_listener(port), "ui = true")
        process.send(signal.SIGHUP)
        process.wait_for_log("log_format has changed")
        lines = [json.loads(line) for line in process.log.splitlines()]
    of_requests = [line["request_id"] for line in lines if line["@module"] == "wardgate.seal"]
    assert len(of_requests) == len(set(of_requests)) == 4
    assert [line for line in lines if "request_id" in line and "seal" not in line["@module"]] == []


def test_a_reload_takes_over_what_it_can_and_names_the_rest(configured: Configured) -> None:
    port = configured.port
    assert ask(port).headers["X-A"] is None
    headers = 'custom_response_headers { "default" = { "X-A" = ["1"] } }'
    configured.write(listener(port, headers), 'log_level = "debug"')
    configured.hang_up(RELOADED)
    assert ask(port).headers["X-A"] == "1"
    configured.process.wait_for_log("path='/v1/sys/health' status=501")
    assert "log_level is debug now" in configured.process.log

    configured.write(
        listener(port, 'x_forwarded_for_authorized_addrs = "127.0.0.1"'),
        plain_listener(free_port()),
        'max_lease_ttl = "1h"\nlog_level = "debug"',
    )
    configured.hang_up("1 new listeners are opened when the server is started again")
    configured.process.wait_for_log("max_lease_ttl has changed; it takes effect when")
    assert ask(port).headers["X-A"] is None
    assert ask(port, X_Forwarded_For="nobody").status == 400


def test_a_broken_file_changes_nothing_and_says_so(configured: Configured) -> None:
    configured.write(f'{listener(configured.port)}\nmax_lease_ttl = "hunter2"')
    configured.hang_up("the configuration stays as it was: ")
    assert ask(configured.port).status == 501
    assert "server.hcl:6: max_lease_ttl: must be a duration" in configured.process.log
    assert "hunter2" not in configured.process.log
    (configured.folder / "server.hcl").unlink()
    configured.hang_up("the configuration stays as it was: ")
    assert ask(configured.port).status == 501


def test_a_certificate_is_renewed_although_the_file_is_broken(tmp_path: Path) -> None:
    authority, port = Authority(tmp_path), free_port()
    block = authority.issue("server").listener(port)
    with serving(write_config(tmp_path, MEMORY_STORAGE, block), folder=tmp_path) as process:
        write_config(tmp_path, "listener {")
        process.send(signal.SIGHUP)
        process.wait_for_log("the configuration stays as it was")
        process.wait_for_log("uses its certificate as it is on disk now")
        renamed = authority.issue("other").listener(port)
        write_config(tmp_path, MEMORY_STORAGE, renamed)
        process.send(signal.SIGHUP)
        process.wait_for_log("uses its certificate as it is on disk now", 2)
        (tmp_path / "server.pem").unlink()
        process.send(signal.SIGHUP)
        process.wait_for_log("uses its certificate as it is on disk now", 3)
        assert "keeps its certificate" not in process.log


def test_the_api_reloads_as_the_signal_does(configured: Configured) -> None:
    with Api(tcp(configured.port)) as api:
        unseal(api, initialise(api))
        assert api.post("sys/config/reload/config", {}).status == 204
        configured.write(plain_listener(configured.port), "ui = true")
        answer = api.post("sys/config/reload/config", {})
        assert answer.status == 200
        assert any("ui has changed" in warning for warning in answer.body["warnings"])
        state = api.get("sys/config/state/sanitized").data
        assert (state["enable_ui"], state["storage"]) == (False, {"type": "inmem"})


def test_anybody_may_read_metrics_where_the_listener_says_so(tmp_path: Path) -> None:
    open_port, port = free_port(), free_port()
    open_listener = listener(open_port, "telemetry { unauthenticated_metrics_access = true }")
    config = write_config(tmp_path, MEMORY_STORAGE, open_listener, plain_listener(port))
    with serving(config, folder=tmp_path):
        assert ask(open_port, "sys/metrics?format=prometheus").status == 200
        assert ask(port, "sys/metrics?format=prometheus").status == 503


def test_systemd_hears_of_start_reload_and_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(WAIT)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        config = write_config(tmp_path, MEMORY_STORAGE, plain_listener(free_port()))
        with serving(config, folder=tmp_path) as process:
            assert manager.recv(100) == b"READY=1"
            process.send(signal.SIGHUP)
            assert manager.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert manager.recv(100) == b"READY=1"
            process.stop()
            assert manager.recv(100) == b"STOPPING=1"


def test_what_cannot_be_logged_or_traced_is_refused_at_the_start(tmp_path: Path) -> None:
    blocks = (MEMORY_STORAGE, plain_listener(free_port()))
    nowhere = write_config(tmp_path, *blocks, f'log_file = "{tmp_path}/none/w.log"')
    assert "log_file: cannot be opened: No such file" in refused(nowhere, folder=tmp_path)
    checked = write_config(tmp_path, *blocks, 'log_level = "hunter2"')
    said = refused(checked, folder=tmp_path)
    assert "server.hcl:3: log_level: must be one of" in said
    assert "hunter2" not in said


def test_a_check_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    config = write_config(
        tmp_path, MEMORY_STORAGE, f'listener "unix" {{ address = "{path}" }}', "cach_size = 1"
    )
    process = ServerProcess(["-check-config", config], tmp_path)
    assert process.wait() == 0
    assert "cach_size is not known and has no effect; did you mean cache_size?" in process.output
    assert not os.path.lexists(path)
    write_config(tmp_path, "storage")
    broken = ServerProcess(["-check-config", config], tmp_path)
    assert broken.wait() == 1
    assert broken.output.startswith("error    ")
