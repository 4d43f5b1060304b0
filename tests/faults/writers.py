"""Clients that write until the server is gone, and note what it has acknowledged.

Each works on a thread and a connection of its own.
"""

import http.client
import random
from collections.abc import Callable, Iterator
from threading import Thread

from tests.api import Answer, Api, Connect
from tests.faults.acknowledged import Family, Ledger, User

SECRETS_PER_ROUND = 3
SECRET_WRITERS = 2
Write = Iterator[None]
"""Each step is one or more requests."""


class Refused(AssertionError):
    """The server answered, but did not do what it must be able to do."""


def write_until_dead(
    connect: Connect, token: str, ledger: Ledger, round_name: str, seed: int
) -> tuple[list[Thread], list[BaseException]]:
    """Start the writers. What goes wrong other than that the server is gone is in the list."""
    problems: list[BaseException] = []

    def run(make: Callable[[Api, Ledger, str, random.Random], Write], number: int) -> None:
        with Api(connect, token) as api:
            try:
                for _ in make(api, ledger, round_name, random.Random(seed + number)):
                    pass
            except (OSError, http.client.HTTPException):
                pass
            except BaseException as error:
                problems.append(error)

    writers = [*[secrets] * SECRET_WRITERS, families, families, people]
    threads = [Thread(target=run, args=(make, n)) for n, make in enumerate(writers)]
    for thread in threads:
        thread.start()
    return threads, problems


def secrets(api: Api, ledger: Ledger, round_name: str, choice: random.Random) -> Write:
    """Write versions of a few secrets; two such writers share them."""
    while True:
        path = f"{round_name}/{choice.randrange(SECRETS_PER_ROUND)}"
        value = choice.randrange(10**12)
        # Of all sizes, so that some need pages of their own.
        filler = "x" * choice.choice([0, 10, 3000, 20000])
        answer = api.post(f"secret/data/{path}", {"data": {"value": value, "filler": filler}})
        version = _ok(answer, 200).data["version"]
        with ledger.lock:
            versions = ledger.versions.setdefault(path, {})
            if version in versions:
                raise Refused(f"version {version} of {path} was acknowledged twice")
            versions[version] = value
        yield


def families(api: Api, ledger: Ledger, round_name: str, choice: random.Random) -> Write:
    """Make tokens with children, and revoke every third with all of them."""
    asked = {"policies": ["parents"], "meta": {"round": round_name}}
    while True:
        made = _ok(api.post("auth/token/create", asked), 200).auth
        family = Family(made["client_token"], made["accessor"])
        with ledger.lock:
            ledger.families.append(family)
        for _ in range(choice.randrange(3)):
            child = api.post("auth/token/create", {"policies": ["default"]}, family.parent)
            family.children.append(_ok(child, 200).auth["client_token"])
            yield
        if choice.randrange(3) == 0:
            family.revoked = None
            _ok(api.post("auth/token/revoke", {"token": family.parent}), 204)
            family.revoked = True
        yield


def people(api: Api, ledger: Ledger, round_name: str, choice: random.Random) -> Write:
    """Make users, log in as them, and change their passwords."""
    for number in range(1000):
        user = User(f"{round_name}-{number}", [f"password {choice.randrange(10**9)}"])
        body = {"password": user.passwords[0]}
        _ok(api.post(f"auth/userpass/users/{user.name}", body), 204)
        with ledger.lock:
            ledger.users.append(user)
        yield
        login = _ok(api.post(f"auth/userpass/login/{user.name}", body, ""), 200).auth
        user.entity = login["entity_id"]
        with ledger.lock:
            ledger.logins.append((user, login["client_token"]))
        yield
        changed = f"another {choice.randrange(10**9)}"
        user.passwords.append(changed)
        _ok(api.post(f"auth/userpass/users/{user.name}/password", {"password": changed}), 204)
        user.passwords = [changed]
        yield


def _ok(answer: Answer, status: int) -> Answer:
    if answer.status != status:
        raise Refused(f"{answer.status} instead of {status}: {answer.body}")
    return answer
