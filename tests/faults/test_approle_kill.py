"""kill -9 between the making of a secret id and its use: one that was given out is there, and one
that was used up stays used up."""

import http.client
import os
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.api import Api, tcp
from tests.server_process import (
    WAIT,
    ServerProcess,
    initialise,
    lmdb_storage,
    plain_listener,
    serving,
    unseal,
    write_config,
)
from tests.servers import free_port

ROUNDS = 6
CLIENTS = 3
LOAD = (10, 60)
"""Logins that are acknowledged before the server is killed."""
ROLE = "auth/approle/role/ci"


@dataclass
class Given:
    """A secret id for one use that the server has given out."""

    secret_id: str
    accessor: str
    tried: bool = False
    token: str = ""


@dataclass
class Ledger:
    """What clients were told. They add to it under `lock`."""

    given: list[Given] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    problems: list[BaseException] = field(default_factory=list)

    @property
    def used(self) -> int:
        with self.lock:
            return sum(bool(each.token) for each in self.given)


def test_53_secret_ids_survive_a_crash_and_are_used_once(tmp_path: Path) -> None:
    seed = int(os.environ.get("WARDGATE_TEST_SEED") or random.randrange(10**6))
    print(f"to run these rounds again: WARDGATE_TEST_SEED={seed}")
    choice = random.Random(seed)
    port = free_port()
    config = write_config(tmp_path, lmdb_storage(tmp_path / "data"), plain_listener(port))
    ledger = Ledger()
    with Api(tcp(port)) as api:
        with serving(config, folder=tmp_path):
            keys = initialise(api)
            unseal(api, keys)
            role_id = prepare(api)
            api.close()
        for number in range(ROUNDS):
            with serving(config, folder=tmp_path) as server:
                unseal(api, keys)
                check(api, role_id, ledger)
                ledger = Ledger()
                load_until_killed(server, port, api, role_id, ledger, choice, seed + 10 * number)
                api.close()
        with serving(config, folder=tmp_path):
            unseal(api, keys)
            check(api, role_id, ledger)
            api.close()


def prepare(api: Api) -> str:
    """Enable the method without lockout, which would hide what the rounds ask for; a role's id."""
    assert api.post("sys/auth/approle", {"type": "approle"}).status == 204
    tuned = {"user_lockout_config": {"lockout_disable": True}}
    assert api.post("sys/auth/approle/tune", tuned).status == 204
    assert api.post(ROLE, {"secret_id_num_uses": 1, "secret_id_ttl": "1h"}).status == 204
    role_id: str = api.get(f"{ROLE}/role-id").data["role_id"]
    return role_id


def load_until_killed(
    server: ServerProcess,
    port: int,
    api: Api,
    role_id: str,
    ledger: Ledger,
    choice: random.Random,
    seed: int,
) -> None:
    """Let clients make and use secret ids, and kill the server after some."""
    threads = [
        threading.Thread(
            target=client, args=(port, api.token, role_id, ledger, random.Random(seed + each))
        )
        for each in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    wanted, deadline = choice.randint(*LOAD), time.monotonic() + WAIT
    while ledger.used < wanted and not ledger.problems:
        assert time.monotonic() < deadline, f"only {ledger.used} logins were acknowledged"
        time.sleep(0.001)
    server.kill()
    for thread in threads:
        thread.join()
    assert ledger.problems == []


def client(port: int, token: str, role_id: str, ledger: Ledger, choice: random.Random) -> None:
    """Make secret ids and use some of them, until the server is gone."""
    with Api(tcp(port), token) as api:
        try:
            while True:
                made = api.post(f"{ROLE}/secret-id", {})
                assert made.status == 200, made
                given = Given(made.data["secret_id"], made.data["secret_id_accessor"])
                with ledger.lock:
                    ledger.given.append(given)
                if choice.random() < 0.7:
                    given.tried = True
                    body = {"role_id": role_id, "secret_id": given.secret_id}
                    login = api.post("auth/approle/login", body, "")
                    assert login.status == 200, login
                    given.token = login.auth["client_token"]
        except (OSError, http.client.HTTPException):
            pass
        except BaseException as error:
            ledger.problems.append(error)


def check(api: Api, role_id: str, ledger: Ledger) -> None:
    """Check each secret id of `ledger`: not used yet, used, or, where the server died over the
    login, one of both. In the end all are used up, and nothing of them is left."""
    for given in ledger.given:
        lookup = {"secret_id_accessor": given.accessor}
        there = api.post(f"{ROLE}/secret-id-accessor/lookup", lookup).status == 200
        if given.token:
            assert not there, "a secret id that was used up is back"
            assert api.get("auth/token/lookup-self", given.token).status == 200
        elif not given.tried:
            assert there, "a secret id that was given out is lost"
        body = {"role_id": role_id, "secret_id": given.secret_id}
        statuses = [api.post("auth/approle/login", body, "").status for _ in range(2)]
        assert statuses == [200 if there else 400, 400]
    known = {given.accessor for given in ledger.given}
    unknown = api.names(f"{ROLE}/secret-id")
    assert known.isdisjoint(unknown)
    assert len(unknown) <= CLIENTS * ROUNDS, (
        "those that were made, and the server died over the answer"
    )
