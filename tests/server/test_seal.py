"""Sealing and unsealing through HTTP, with shares of several people, and under load."""

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api import Answer, Api, tcp
from tests.server_process import (
    WAIT,
    initialise,
    lmdb_storage,
    plain_listener,
    serving,
    unseal,
    write_config,
)
from tests.servers import free_port

SEALED = Answer(503, {"errors": ["Vault is sealed"]})


@dataclass(frozen=True)
class Opened:
    """An unsealed server that three of five people can unseal."""

    api: Api
    port: int
    keys: list[str]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    port = free_port()
    config = write_config(tmp_path, lmdb_storage(tmp_path / "data"), plain_listener(port))
    with serving(config, folder=tmp_path) as process, Api(tcp(port)) as api:
        keys = initialise(api, shares=5, threshold=3)
        unseal(api, keys[:3])
        assert (
            api.post("sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}).status == 204
        )
        assert api.post("secret/data/a", {"data": {"a": 1}}).status == 200
        yield Opened(api, port, keys)
        assert "Traceback" not in process.log
        assert "unexpectedly" not in process.log


def test_any_three_of_five_unseal_it(opened: Opened) -> None:
    api = opened.api
    for three in itertools.islice(itertools.permutations(opened.keys, 3), 0, 60, 7):
        assert api.call("PUT", "sys/seal").status == 204
        for given, key in enumerate(three, start=1):
            status = api.call("PUT", "sys/unseal", {"key": key}).body
            assert (status["sealed"], status["t"], status["n"]) == (given < 3, 3, 5)
            assert status["progress"] == given % 3
        assert api.get("secret/data/a").data["data"] == {"a": 1}


def test_a_sealed_server_answers_the_open_endpoints_alone(opened: Opened) -> None:
    api = opened.api
    assert api.post("sys/auth/userpass", {"type": "userpass"}).status == 204
    assert api.call("PUT", "sys/seal").status == 204

    for method, path in [
        ("GET", "secret/data/a"),
        ("POST", "secret/data/a"),
        ("LIST", "secret/metadata"),
        ("DELETE", "secret/metadata/a"),
        ("GET", "nothing/is/mounted/here"),
        ("GET", "auth/token/lookup-self"),
        ("POST", "auth/token/create"),
        ("POST", "auth/userpass/login/somebody"),
        ("GET", "sys/mounts"),
        ("GET", "sys/policies/acl/default"),
        ("GET", "sys/internal/specs/openapi"),
        ("PUT", "sys/seal"),
        ("GET", "sys/key-status"),
        ("PUT", "sys/rotate"),
    ]:
        body: dict[str, str] | None = {} if method in ("POST", "PUT") else None
        for token in (api.token, "", "b.AAAA"):
            assert api.call(method, path, body, token) == SEALED, f"{method} {path}"
    assert api.get("sys/health", "").status == 503
    assert api.get("sys/health?sealedcode=299", "").status == 299
    assert api.get("sys/seal-status", "").body["sealed"] is True
    assert api.get("sys/init", "").body == {"initialized": True}
    assert api.get("sys/leader", "").status == 200
    assert api.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}).status == 400

    unseal(api, opened.keys[2:])
    assert api.get("secret/data/a").data["data"] == {"a": 1}


def test_only_who_may_seals_it(opened: Opened) -> None:
    api = opened.api
    token = api.post("auth/token/create", {"policies": ["default"]}).auth["client_token"]
    for wrong in (token, "", "s.nothing"):
        assert api.call("PUT", "sys/seal", None, wrong).status == 403
    assert api.get("sys/seal-status").body["sealed"] is False


def test_requests_on_their_way_get_their_answer_or_503(opened: Opened) -> None:
    """Seal and unseal, while others work: nobody sees anything but success or 503."""
    stop = threading.Event()
    odd: list[object] = []
    worked = [0, 0]

    def work(number: int) -> None:
        with Api(tcp(opened.port), opened.api.token) as api:
            for turn in itertools.count():
                if stop.is_set():
                    return
                calls = (
                    api.get("secret/data/a"),
                    api.post(f"secret/data/{number}", {"data": {"turn": turn}}),
                    api.post("auth/token/create", {"policies": ["default"]}),
                    api.get("sys/health"),
                )
                odd.extend(answer for answer in calls if answer.status not in (200, 503))
                worked[calls[0].status == 200] += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    try:
        rounds, deadline = 0, time.monotonic() + WAIT
        while rounds < 20 or min(worked) == 0:  # until both have been seen
            assert time.monotonic() < deadline, worked
            with Api(tcp(opened.port), opened.api.token) as api:
                assert api.call("PUT", "sys/seal").status == 204
                unseal(api, opened.keys[:3])
            rounds += 1
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert odd == []
    assert opened.api.get("secret/data/a").data["data"] == {"a": 1}
