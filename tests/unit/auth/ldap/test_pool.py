"""Connections are kept for the next login, but none that is dead, old, or for another configuration."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.people_of_directory import People, with_own_people, with_people
from tests.services.active_directory import head, standing_before
from tests.services.directory_entries import BASE, PASSWORDS, SERVICE, SERVICE_PASSWORD
from tests.services.strange_directory import BIND, SEARCH
from wardgate.auth.ldap import connection, pool
from wardgate.auth.ldap.config import Config
from wardgate.auth.ldap.effort import Effort
from wardgate.auth.ldap.pool import Pool

ADA = PASSWORDS["ada"]


class Asked:
    """What came to a directory: how many connections, and which requests on each."""

    def __init__(self) -> None:
        self.by_thread: dict[threading.Thread, int] = {}  # a connection has a thread of its own

    def __call__(self, message: bytes) -> bytes:
        thread = threading.current_thread()
        self.by_thread[thread] = self.by_thread.get(thread, 0) + 1
        return message

    @property
    def connections(self) -> int:
        return len(self.by_thread)


@contextmanager
def counted(people: People) -> Iterator[tuple[str, Asked]]:
    asked = Asked()
    with standing_before(people.directory.port, asked) as url:
        yield url, asked


async def has_connections(people: People) -> bool:
    return (await people.backend())._login._pool is not None


@with_people
async def test_one_connection_serves_many_logins(people: People) -> None:
    with counted(people) as (url, asked):
        await people.with_service(url=url)
        for _ in range(5):
            await people.logged_in("ada", ADA)
            await people.login("ada", "wrong")
        await people.logged_in("ada", ADA)
        assert asked.connections == 1


@with_people
async def test_searches_are_the_service_accounts_and_never_of_the_person_before(
    people: People,
) -> None:
    said: list[str] = []

    def seen(message: bytes) -> bytes:
        if head(message)[1] == BIND:
            name = b"reader" if b"reader" in message else b"ada" if b"uid=ada" in message else b"?"
            said.append(f"bind {name.decode()}")
        elif head(message)[1] == SEARCH:
            said.append("search")
        return message

    with standing_before(people.directory.port, seen) as url:
        await people.with_service(url=url)
        login = ["search", "bind ada", "bind reader", "search"]
        await people.logged_in("ada", ADA)
        assert said == ["bind reader", *login]
        said.clear()
        await people.logged_in("ada", ADA)
        assert said == login
        said.clear()
        await people.login("ada", "wrong")
        await people.logged_in("ada", ADA)
        assert said == ["search", "bind ada", "bind reader", *login]


@with_people
async def test_logins_at_once_have_connections_of_their_own(people: People) -> None:
    with counted(people) as (url, asked):
        await people.with_service(url=url)
        answers = await asyncio.gather(
            *(people.login(name, PASSWORDS[name]) for name in ("ada", "grace", "kim") * 10)
        )
        assert [answer.status for answer in answers] == [200] * 30
        names = [answer.auth["metadata"]["username"] for answer in answers if answer.auth]
        assert names == ["ada", "grace", "kim"] * 10
        assert asked.connections <= pool.MOST_KEPT


@with_people
async def test_connections_that_are_bound_as_people_are_not_kept(people: People) -> None:
    with counted(people) as (url, asked):
        await people.configure(url=url)
        for number in range(3):
            await people.logged_in("ada", ADA)
            assert asked.connections == number + 1


@with_people
async def test_another_configuration_has_other_connections(people: People) -> None:
    with counted(people) as (url, asked):
        await people.with_service(url=url)
        await people.logged_in("ada", ADA)
        await people.configure(token_ttl="10m")
        await people.logged_in("ada", ADA)
        assert asked.connections == 2
        assert await has_connections(people)
        await people.configure(bindpass="wrong")
        assert not await has_connections(people)
        assert (await people.login("ada", ADA)).status == 502


@with_own_people
async def test_a_connection_that_died_is_made_anew_once(people: People) -> None:
    await people.with_service()
    await people.logged_in("ada", ADA)
    people.directory.stop()
    people.directory.start()
    for _ in range(3):
        await people.logged_in("ada", ADA)


def test_a_kept_connection_that_is_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one is that a firewall between has forgotten."""
    monkeypatch.setattr(connection, "FIRST_ANSWER", 0.2)

    @with_people
    async def test(people: People) -> None:
        silent: set[threading.Thread] = set()
        known: set[threading.Thread] = set()
        over = threading.Event()

        def seen(message: bytes) -> bytes:
            thread = threading.current_thread()
            known.add(thread)
            if thread in silent:
                over.wait(60)
            return message

        with standing_before(people.directory.port, seen) as url:
            await people.with_service(url=url)
            await people.logged_in("ada", ADA)
            silent |= known
            await people.logged_in("ada", ADA)
            assert len(known) == 2
            over.set()

    test()


def test_what_is_idle_or_old_is_closed() -> None:
    @with_people
    async def test(people: People) -> None:
        config = Config(
            url=people.directory.url, binddn=SERVICE, bindpass=SERVICE_PASSWORD, userdn=BASE
        )
        kept = Pool(config)
        for each in [kept.dial(Effort(30)) for _ in range(pool.MOST_KEPT + 2)]:
            kept.give_back(each)
        assert kept.kept == pool.MOST_KEPT
        first, last = kept._kept[0][0], kept._kept[-1][0]
        assert kept.take(Effort(30)) is last  # those that wait longest go first
        kept.give_back(last)
        kept._kept[0] = (first, kept._kept[0][1] - pool.IDLE - 1)
        last.made -= pool.LONGEST + 1
        assert kept.drop_old() == pool.MOST_KEPT - 2
        assert {first, last}.isdisjoint(each for each, _ in kept._kept)
        taken = kept.take(Effort(30))
        assert taken is not None
        kept.close()
        kept.give_back(taken)
        assert kept.kept == 0

    test()
