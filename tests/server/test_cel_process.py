"""The process that evaluates the expressions of CEL roles belongs to its server."""

import os
import signal
import time

import psutil

from tests.api import Api, tcp
from tests.issuer import pem, signed
from tests.servers import ROOT_TOKEN, wardgate_dev

GUARD = 60.0  # seconds after which a test that hangs is ended


def logged_in(api: Api) -> None:
    """Log in by a CEL role, for which there has to be a process."""
    assert api.post("sys/auth/jwt", {"type": "jwt"}).status == 204
    assert api.post("auth/jwt/config", {"jwt_validation_pubkeys": [pem("ec")]}).status == 204
    role = {"cel_program": {"expression": "pb.Auth{}"}}
    assert api.post("auth/jwt/cel/role/dev", role).status == 200
    token = signed({"sub": "ada", "iat": int(time.time())}, "ec")
    assert api.post("auth/jwt/cel/login", {"role": "dev", "jwt": token}).status == 200


def evaluating(pid: int) -> list[psutil.Process]:
    """The processes below a server that evaluate expressions."""
    below = psutil.Process(pid).children(recursive=True)
    return [each for each in below if "cel_child.py" in " ".join(each.cmdline())]


def test_it_has_nothing_of_the_servers_environment() -> None:
    with wardgate_dev() as server, Api(tcp(server.port), ROOT_TOKEN) as api:
        assert server.pid is not None
        assert evaluating(server.pid) == []
        logged_in(api)
        (process,) = evaluating(server.pid)
        assert set(process.environ()) <= {"LC_CTYPE"}
        assert process.cwd() == "/"
        kinds = {os.path.basename(each.path) for each in process.open_files()}
        assert not {name for name in kinds if name.endswith((".mdb", ".log"))}
        assert process.net_connections() == []


def test_it_ends_with_a_server_that_is_killed() -> None:
    with wardgate_dev() as server, Api(tcp(server.port), ROOT_TOKEN) as api:
        assert server.pid is not None
        logged_in(api)
        processes = evaluating(server.pid)
        workers = [server.pid, *(each.pid for each in psutil.Process(server.pid).children())]
        for pid in set(workers) - {each.pid for each in processes}:
            os.kill(pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(processes, timeout=GUARD)
        assert alive == []


def test_one_that_is_killed_while_idle_is_replaced() -> None:
    with wardgate_dev() as server, Api(tcp(server.port), ROOT_TOKEN) as api:
        assert server.pid is not None
        logged_in(api)
        (process,) = evaluating(server.pid)
        process.kill()
        ended = time.monotonic() + GUARD
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < ended
        token = signed({"sub": "ada", "iat": int(time.time())}, "ec")
        assert api.post("auth/jwt/cel/login", {"role": "dev", "jwt": token}).status == 200
        (another,) = evaluating(server.pid)
        assert another.pid != process.pid
