"""kill -9 while the unseal keys are replaced: the old ones open the server or the new ones, and
with verification the old ones until the new ones were verified."""

import contextlib
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.api import Answer, Api, tcp
from tests.server_process import (
    initialise,
    lmdb_storage,
    plain_listener,
    serving,
    unseal,
    write_config,
)
from tests.servers import free_port

ROUNDS = 12
DELAYS = (0.0, 0.01)
"""Seconds from the request that ends the replacement until the server is killed."""


def test_old_or_new_keys_open_a_server_that_was_killed_meanwhile(tmp_path: Path) -> None:
    seed = int(os.environ.get("WARDGATE_TEST_SEED") or random.randrange(10**6))
    print(f"to run these rounds again: WARDGATE_TEST_SEED={seed}")
    choice = random.Random(seed)
    port = free_port()
    config = write_config(tmp_path, lmdb_storage(tmp_path / "data"), plain_listener(port))
    replaced = 0
    with Api(tcp(port)) as api:
        with serving(config, folder=tmp_path):
            keys = initialise(api, 2, 2)
            unseal(api, keys)
            api.close()
        for number in range(ROUNDS):
            with serving(config, folder=tmp_path) as server:
                unseal(api, keys)
                new, last = _new_keys_before_the_last_call(api, keys)
                answers: list[Answer] = []
                call = threading.Thread(target=_send, args=(port, api.token, last, answers))
                call.start()
                time.sleep(choice.uniform(*DELAYS))
                server.kill()
                api.close()
                call.join()
            with serving(config, folder=tmp_path):
                opened_by = _which_opens(api, keys, new)
                if answers:
                    assert opened_by == new, f"acknowledged in round {number}, and lost"
                replaced += opened_by == new
                keys = opened_by
                assert api.get("auth/token/lookup-self").status == 200
                assert api.get("sys/rekey/init").body["started"] is (keys != new)
                api.call("DELETE", "sys/rekey/init")
                api.close()
    print(f"replaced in {replaced} of {ROUNDS} rounds")


def _new_keys_before_the_last_call(api: Api, keys: list[str]) -> tuple[list[str], dict[str, str]]:
    """New keys that wait for the last one to be given back, and the body of that call."""
    wanted = {"secret_shares": 2, "secret_threshold": 2, "require_verification": True}
    nonce = api.post("sys/rekey/init", wanted).body["nonce"]
    for key in keys:
        made = api.post("sys/rekey/update", {"key": key, "nonce": nonce}).body
    new, nonce = made["keys"], made["verification_nonce"]
    told = api.post("sys/rekey/verify", {"key": new[0], "nonce": nonce})
    assert told.body["progress"] == 1
    return new, {"key": new[1], "nonce": nonce}


def _send(port: int, token: str, body: dict[str, str], answers: list[Answer]) -> None:
    with Api(tcp(port)) as api:
        api.token = token
        try:
            answer = api.post("sys/rekey/verify", body)
        except Exception:  # the server is killed while it answers, or before
            return
        assert answer.body == {"nonce": body["nonce"], "complete": True}
        answers.append(answer)


def _which_opens(api: Api, old: list[str], new: list[str]) -> list[str]:
    """Those of the two sets of keys that unseal the server: exactly one of them does."""
    opening = []
    for keys in (old, new):
        for key in keys:
            answer = api.call("PUT", "sys/unseal", {"key": key})
        if answer.status == 200 and not answer.body["sealed"]:
            opening.append(keys)
            break
        assert answer.status == 400
    assert opening, "neither the old nor the new keys open the server"
    return opening[0]


def test_a_replacement_goes_on_after_a_crash_at_every_step(tmp_path: Path) -> None:
    port = free_port()
    config = write_config(tmp_path, lmdb_storage(tmp_path / "data"), plain_listener(port))
    with Api(tcp(port)) as api:

        @contextlib.contextmanager
        def until_killed(keys: list[str]) -> Iterator[None]:
            with serving(config, folder=tmp_path) as server:
                unseal(api, keys)
                yield
                server.kill()
                api.close()

        with serving(config, folder=tmp_path) as server:
            keys = initialise(api, 2, 2)
            server.kill()
            api.close()
        with until_killed(keys):
            wanted = {"secret_shares": 1, "secret_threshold": 1, "require_verification": True}
            nonce = api.post("sys/rekey/init", wanted).body["nonce"]
        with until_killed(keys):
            api.post("sys/rekey/update", {"key": keys[0], "nonce": nonce})
        with until_killed(keys):
            assert api.get("sys/rekey/init").body["progress"] == 1
            made = api.post("sys/rekey/update", {"key": keys[1], "nonce": nonce}).body
        with until_killed(keys):
            body = {"key": made["keys"][0], "nonce": made["verification_nonce"]}
            assert api.post("sys/rekey/verify", body).body["complete"] is True
        with until_killed(made["keys"]):
            assert api.get("auth/token/lookup-self").status == 200
