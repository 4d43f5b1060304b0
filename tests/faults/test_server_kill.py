"""kill -9 of the whole server under load: what a client was told is done is done, and whole.

The rounds go on with the data that the killed server of the round before has left.
"""

import os
import random
import time
from pathlib import Path

from tests.api import Api, tcp
from tests.faults.acknowledged import Ledger
from tests.faults.checks import check, check_swept
from tests.faults.writers import write_until_dead
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

ROUNDS = 30
LOAD = (5, 60)
"""Writes that are acknowledged before the server is killed."""
PARENTS = 'path "auth/token/create" { capabilities = ["update"] }'


def test_53_a_killed_server_has_kept_what_it_acknowledged(tmp_path: Path) -> None:
    seed = int(os.environ.get("WARDGATE_TEST_SEED") or random.randrange(10**6))
    print(f"to run these rounds again: WARDGATE_TEST_SEED={seed}")
    port = free_port()
    config = write_config(tmp_path, lmdb_storage(tmp_path / "data"), plain_listener(port))
    everything = Ledger()
    with Api(tcp(port)) as api:
        with serving(config, folder=tmp_path):
            keys = initialise(api)
            unseal(api, keys)
            prepare(api)
            api.close()
        choice = random.Random(seed)
        acknowledged = Ledger()
        for number in range(ROUNDS):
            with serving(config, folder=tmp_path) as server:
                unseal(api, keys)
                check(api, acknowledged)
                acknowledged = Ledger()
                threads, problems = write_until_dead(
                    tcp(port), api.token, acknowledged, f"round-{number}", seed + 100 * number
                )
                wait_for_load(acknowledged, choice.randint(*LOAD), problems)
                server.kill()
                api.close()
                for thread in threads:
                    thread.join()
                assert problems == []
            add(everything, acknowledged)
        assert len(everything) >= LOAD[0] * ROUNDS
        with serving(config, folder=tmp_path):
            unseal(api, keys)
            check(api, everything)
            check_swept(api)
            api.close()


def prepare(api: Api) -> None:
    assert api.post("sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}).status == 204
    assert api.post("secret/config", {"max_versions": 100_000}).status == 204
    assert api.post("sys/auth/userpass", {"type": "userpass"}).status == 204
    assert api.post("sys/policies/acl/parents", {"policy": PARENTS}).status == 204


def wait_for_load(acknowledged: Ledger, number: int, problems: list[BaseException]) -> None:
    deadline = time.monotonic() + WAIT
    while count(acknowledged) < number and not problems:
        assert time.monotonic() < deadline, f"only {count(acknowledged)} writes were acknowledged"
        time.sleep(0.001)


def count(acknowledged: Ledger) -> int:
    with acknowledged.lock:
        return len(acknowledged)


def add(everything: Ledger, acknowledged: Ledger) -> None:
    everything.versions |= acknowledged.versions
    everything.families += acknowledged.families
    everything.users += acknowledged.users
    everything.logins += acknowledged.logins
