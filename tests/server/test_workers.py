"""Several workers: equals over the same storage, of which any may die."""

import itertools
import os
import signal
import socket
import time
from pathlib import Path

import psutil

from tests.api import Api, tcp
from tests.server_process import (
    WAIT,
    initialise,
    lmdb_storage,
    plain_listener,
    refused,
    unseal,
    write_config,
)
from tests.servers import free_port
from tests.workers import COUNT, Workers, workers


def open_server(server: Workers) -> dict[int, Api]:
    """Initialise and unseal it; a connection to each worker, with the root token."""
    with Api(tcp(server.port)) as api:
        unseal(api, initialise(api))
        server.token = api.token
    return server.apis()


def test_each_share_may_be_given_to_another_worker(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        apis = list(server.apis().values())
        keys = initialise(apis[0], shares=5, threshold=3)
        for api, key, progress in zip(apis, keys, (1, 2, 0), strict=False):
            assert api.call("PUT", "sys/unseal", {"key": key}).status == 200
            assert {each.get("sys/seal-status").body["progress"] for each in apis} == {progress}
        assert {api.get("sys/seal-status").body["sealed"] for api in apis} == {False}
        assert {api.get("sys/health").status for api in apis} == {200}


def test_sealing_through_one_worker_seals_all_at_their_next_request(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        apis = list(open_server(server).values())
        for api in apis:
            assert api.get("auth/token/lookup-self").status == 200
        assert apis[0].call("PUT", "sys/seal").status == 204
        assert [api.get("auth/token/lookup-self").status for api in apis] == [503] * COUNT
        assert [api.get("sys/health").status for api in apis] == [503] * COUNT


def test_what_one_worker_does_the_others_know_at_their_next_request(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        apis = list(open_server(server).values())
        policy = 'path "secret/*" { capabilities = ["read"] }'
        for number, (one, other) in enumerate(itertools.permutations(apis, 2)):
            mount, name = f"kv-{number}", f"reader-{number}"
            assert one.post(f"sys/mounts/{mount}", {"type": "kv"}).status == 204
            assert other.post(f"{mount}/a", {"value": number}).status == 204
            assert one.get(f"{mount}/a").data == {"value": number}
            rules = {"policy": policy.replace("secret", mount)}
            assert other.post(f"sys/policies/acl/{name}", rules).status == 204
            token = one.post("auth/token/create", {"policies": [name]}).auth["client_token"]
            assert other.get(f"{mount}/a", token).status == 200
            assert one.call("DELETE", f"sys/policies/acl/{name}").status == 204
            assert other.get(f"{mount}/a", token).status == 403
            assert other.post("auth/token/revoke", {"token": token}).status == 204
            assert one.get("auth/token/lookup-self", token).status == 403


def test_limits_hold_for_all_workers_together(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        apis = list(open_server(server).values())
        limit = {"path": "cubbyhole/", "rate": 10, "interval": "1h"}
        assert apis[0].post("sys/quotas/rate-limit/few", limit).status == 204
        statuses = [api.get("cubbyhole/a").status for api in apis * 10]
        assert statuses == [404] * 10 + [429] * (10 * COUNT - 10)
        os.kill(victim := min(server.pids()), signal.SIGKILL)
        server.wait_for_others(victim)
        assert {api.get("cubbyhole/a").status for api in server.apis().values()} == {429}


def test_failed_logins_at_all_workers_lock_a_user_out_together(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        apis = list(open_server(server).values())
        assert apis[0].post("sys/auth/userpass", {"type": "userpass"}).status == 204
        assert apis[0].post("auth/userpass/users/ada", {"password": "right"}).status == 204
        for number in range(5):
            wrong = apis[number % COUNT].post("auth/userpass/login/ada", {"password": "wrong"}, "")
            assert wrong.status == 400
        right = [api.post("auth/userpass/login/ada", {"password": "right"}, "") for api in apis]
        assert [answer.status for answer in right] == [403] * COUNT


def test_a_killed_worker_is_replaced_by_one_that_is_unsealed(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        for round_number in range(3):
            apis = open_server(server) if round_number == 0 else server.apis()
            victim, *others = apis
            os.kill(victim, signal.SIGKILL)
            for pid in others:
                assert apis[pid].get("auth/token/lookup-self").status == 200
            server.wait_for_others(victim)
        assert [api.get("auth/token/lookup-self").status for api in server.apis().values()] == [
            200
        ] * COUNT
        assert server.process.log.count("ended by signal 9; another one takes its place") == 3


def test_a_worker_that_replaces_another_stays_sealed_if_the_server_was_sealed(
    tmp_path: Path,
) -> None:
    key = "a" * 64
    seal = f'seal "static" {{ current_key_id = "1" current_key = "{key}" }}'
    with workers(tmp_path, seal) as server:
        with Api(tcp(server.port)) as api:
            made = api.call("PUT", "sys/init", {"recovery_shares": 1, "recovery_threshold": 1})
            server.token = made.body["root_token"]
        apis = server.apis()
        deadline = time.monotonic() + WAIT
        while {api.get("sys/health").status for api in apis.values()} != {200}:
            assert time.monotonic() < deadline, "it does not unseal by itself"
            time.sleep(0.05)
        victim, other, *_ = apis
        assert apis[other].call("PUT", "sys/seal").status == 204
        os.kill(victim, signal.SIGKILL)
        server.wait_for_others(victim)
        assert {api.get("sys/health").status for api in server.apis().values()} == {503}


def test_workers_stop_when_the_process_that_watches_over_them_is_killed(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        left = [psutil.Process(pid) for pid in server.pids()]
        server.process.kill()
        _, alive = psutil.wait_procs(left, timeout=WAIT)
        assert alive == []
        assert not list(tmp_path.glob("wardgate-*"))
        with socket.create_server(("127.0.0.1", server.port)):
            pass  # nobody has the port any more


def test_it_stops_when_told_and_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    path = tmp_path / "socket"
    unix = f'listener "unix" {{ address = "{path}" }}'
    with workers(tmp_path, f'pid_file = "{file}"', unix) as server:
        assert file.read_text() == f"{server.process.pid}\n"
        left = [psutil.Process(pid) for pid in server.pids()]
        assert len(left) == COUNT
        assert server.process.stop() == 0
        assert [each for each in left if each.is_running()] == []
        assert not file.exists()
        assert not path.exists()
        assert server.process.output.count("==> Wardgate server") == 1


def test_sighup_reaches_every_worker(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        config = tmp_path / "server.hcl"
        config.write_text(config.read_text() + '\nlog_level = "debug"')
        server.process.send(signal.SIGHUP)
        server.process.wait_for_log("log_level is debug now", times=COUNT)
        os.kill(victim := min(server.pids()), signal.SIGKILL)
        server.wait_for_others(victim)  # and whoever takes its place goes by the new one too
        server.process.wait_for_log("log_level is debug now", times=COUNT + 1)


def test_whichever_worker_is_asked_tells_of_all(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        apis = list(open_server(server).values())
        for _ in range(5):
            assert [api.get("cubbyhole/a").status for api in apis] == [404] * COUNT
        for api in apis:
            gauges = {
                (each["Name"], *each["Labels"].values()): each["Value"]
                for each in api.get("sys/metrics").body["Gauges"]
            }
            assert gauges["vault.workers", "yes"] == COUNT
            samples = api.get("sys/metrics").body["Samples"]
            [reads] = [
                each["Count"] for each in samples if each["Name"] == "vault.route.read.cubbyhole-"
            ]
            assert reads == 5 * COUNT
        assert apis[0].post("sys/loggers/seal", {"level": "debug"}).status == 204
        assert {api.get("sys/loggers/seal").data["seal"] for api in apis} == {"debug"}


def test_what_keeps_it_from_starting_is_said_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = write_config(tmp_path, lmdb_storage(tmp_path / "data", 3), plain_listener(port))
        said = refused(config, folder=tmp_path)
        assert said.startswith(f"Error: cannot listen on 127.0.0.1:{port}: ")
        assert said.count("\n") == 1
    with workers(tmp_path) as other:
        folder = tmp_path / "second"
        folder.mkdir()
        config = write_config(folder, lmdb_storage(folder / "data", 3), plain_listener(other.port))
        assert "Address already in use" in refused(config, folder=folder)
    broken = tmp_path / "broken"
    broken.write_text("no directory")
    config = write_config(tmp_path, lmdb_storage(broken, 3), plain_listener(free_port()))
    said = refused(config, folder=tmp_path)
    assert said.startswith("Error: cannot open the data file")
    assert said.count("\n") == 1
