"""Clients of all workers at once, one of which is killed now and then: what they see has an order."""

import http.client
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.api import Api, tcp
from tests.faults.history import Event, History
from tests.server_process import WAIT, initialise, unseal
from tests.workers import COUNT, Workers, workers

SECRETS = 4
TOKENS = 60
WRAPPED = 60
KILLS = 3
CLIENTS = 4  # of each kind


class Clients:
    """Threads that do something again and again, each over a connection of its own."""

    def __init__(self, server: Workers) -> None:
        self._server = server
        self._threads: list[threading.Thread] = []
        self.over = threading.Event()
        self.problems: list[BaseException] = []

    def start(self, step: Callable[[Api, random.Random], None], seed: int) -> None:
        """Repeat `step`. A call that a killed worker leaves without an answer is no problem."""

        def run() -> None:
            choice = random.Random(seed)
            with Api(tcp(self._server.port), self._server.token) as api:
                while not self.over.is_set():
                    try:
                        step(api, choice)
                    except (OSError, http.client.HTTPException):
                        continue
                    except BaseException as problem:
                        self.problems.append(problem)
                        return
                    if choice.random() < 0.1:
                        api.close()  # the next connection is another worker's, maybe

        thread = threading.Thread(target=run)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()
        assert self.problems == []


def version_of(api: Api, name: str) -> int | None:
    answer = api.get(f"secret/data/{name}")
    if answer.status == 404:
        return 0
    assert answer.status == 200, answer
    number: int = answer.data["metadata"]["version"]
    assert answer.data["data"]["by"]
    return number


def new_version(api: Api, name: str) -> int | None:
    answer = api.post(f"secret/data/{name}", {"data": {"by": "somebody"}})
    assert answer.status == 200, answer
    number: int = answer.data["version"]
    return number


def is_revoked(api: Api, token: str) -> int | None:
    status = api.get("auth/token/lookup-self", token).status
    assert status in (200, 403)
    return int(status == 403)


def revoke(api: Api, token: str) -> int | None:
    assert api.post("auth/token/revoke", {"token": token}).status == 204
    return 1


def taken(api: Api, token: str) -> bool:
    """Whether this call was the one that unwrapped."""
    status = api.post("sys/wrapping/unwrap", token=token).status
    assert status in (200, 400, 403)
    return status == 200


def test_what_clients_of_all_workers_see_has_an_order(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        with Api(tcp(server.port)) as api:
            unseal(api, initialise(api))
            server.token = api.token
            mount = {"type": "kv", "options": {"version": "2"}}
            assert api.post("sys/mounts/secret", mount).status == 204
        seed = int(os.environ.get("WARDGATE_TEST_SEED") or random.randrange(10**6))
        print(f"to run this again: WARDGATE_TEST_SEED={seed}")
        secrets = {f"s{number}": History() for number in range(SECRETS)}
        tokens: dict[str, History] = {}
        to_revoke: dict[str, bool] = {}
        clients = Clients(server)

        def use_secrets(api: Api, choice: random.Random) -> None:
            name, history = choice.choice(list(secrets.items()))
            if choice.random() < 0.3:
                history.watch(lambda: new_version(api, name), writes=True)
            else:
                history.watch(lambda: version_of(api, name))

        def use_tokens(api: Api, choice: random.Random) -> None:
            if len(tokens) < TOKENS:
                made = api.post("auth/token/create", {"policies": ["default"], "ttl": "1h"})
                to_revoke[made.auth["client_token"]] = True  # by one client, once
                tokens[made.auth["client_token"]] = History()
            token, history = choice.choice(list(tokens.items())[-8:])
            if choice.random() < 0.05 and to_revoke.pop(token, False):
                history.watch(lambda: revoke(api, token), writes=True)
            else:
                history.watch(lambda: is_revoked(api, token))

        for number in range(CLIENTS):
            clients.start(use_secrets, seed + number)
            clients.start(use_tokens, seed + 100 + number)
        choice = random.Random(seed)
        for _ in range(KILLS):
            some = sum(map(len, secrets.values())) + 200
            wait_until(lambda some=some: sum(map(len, secrets.values())) > some)  # type: ignore[misc]
            victim = choice.choice(sorted(server.pids()))
            os.kill(victim, signal.SIGKILL)
            server.wait_for_others(victim)
        wait_until(lambda: len(tokens) >= TOKENS)
        clients.stop()
        for thing, history in (*secrets.items(), *tokens.items()):
            assert history.problems() == [], thing
        assert all(len(history) > 50 for history in secrets.values())


def test_a_wrapped_answer_is_taken_once_whichever_workers_are_asked(tmp_path: Path) -> None:
    with workers(tmp_path) as server:
        with Api(tcp(server.port)) as api:
            unseal(api, initialise(api))
            server.token = api.token
            wrapped = [
                str(
                    api.call("POST", "sys/wrapping/wrap", {"n": n}, wrap_ttl=60).body["wrap_info"][
                        "token"
                    ]
                )
                for n in range(WRAPPED)
            ]
        apis = list(server.apis().values())
        results: list[list[bool]] = [[] for _ in wrapped]
        together = threading.Barrier(COUNT)

        def unwrap(api: Api) -> None:
            for number, token in enumerate(wrapped):
                together.wait(WAIT)
                results[number].append(taken(api, token))

        threads = [threading.Thread(target=unwrap, args=[api]) for api in apis]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [sorted(each) for each in results] == [[*[False] * (COUNT - 1), True]] * WRAPPED


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT
    while not happened():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.01)


def test_the_checker_sees_what_has_no_order() -> None:
    def problems(*events: Event) -> int:
        history = History()
        history._events = list(events)
        return len(history.problems())

    write, later = Event(0, 10, 1, writes=True), Event(20, 30, 2, writes=True)
    assert problems(write, later, Event(5, 25, 1), Event(25, 28, 2), Event(31, 40, 2)) == 0
    assert problems(write, Event(11, 12, 0)) == 1  # stale
    assert problems(write, later, Event(21, 22, 2), Event(23, 24, 1)) == 1  # back in time
    assert problems(write, Event(0, 5, 2)) == 1  # from nowhere
    assert problems(write, Event(2, 4, None, writes=True), Event(5, 6, 2)) == 0  # without an answer
    assert problems(write, Event(20, 30, 1, writes=True)) == 2  # twice the same
