"""Directories that hang, lie, or say more than anybody can take in (security cases 47 and 51)."""

import asyncio
import socketserver
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from tests.node import errors
from tests.people_of_directory import People, with_own_people, with_people
from tests.services.active_directory import serving
from tests.services.directory_entries import PASSWORDS, PEOPLE
from tests.services.slapd import slapd
from tests.services.strange_directory import (
    BIND,
    BIND_ANSWER,
    DONE,
    EXTENDED,
    EXTENDED_ANSWER,
    SEARCH,
    Answering,
    message,
    reference,
    referral,
    result,
    strange_directory,
    tlv,
)
from tests.services.strange_directory import entry as found
from wardgate.auth.ldap import turns

ADA = PASSWORDS["ada"]
HANGS = 60.0  # seconds after which a test is not waited for any more


async def refused(people: People, name: str = "ada", password: str = ADA) -> str:
    """The reason for which a directory is of no use."""
    response = await asyncio.wait_for(people.login(name, password), HANGS)
    assert (response.status, response.auth) == (502, None), response.data
    return errors(response)[0]


def replies(number: int, kind: int) -> Iterable[bytes]:
    """What a directory says that takes any password and finds nothing."""
    if kind == BIND:
        yield result(number, BIND_ANSWER)
    elif kind == SEARCH:
        yield result(number, DONE)


@with_people
async def test_referrals_are_not_followed(people: People) -> None:
    asked = []

    class Elsewhere(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(1000))

    with serving(Elsewhere) as address:
        elsewhere = f"ldap://{address}/{PEOPLE}"

        def refers(number: int, kind: int) -> Iterable[bytes]:
            if kind == BIND:
                yield referral(number, BIND_ANSWER, elsewhere)

        def hints(number: int, kind: int) -> Iterable[bytes]:
            if kind == SEARCH:
                yield reference(number, elsewhere)
            yield from replies(number, kind)

        def searches_elsewhere(number: int, kind: int) -> Iterable[bytes]:
            if kind == SEARCH:
                yield referral(number, DONE, elsewhere)
            else:
                yield from replies(number, kind)

        with strange_directory(refers) as url:
            await people.configure(url=url)
            await refused(people)
        with strange_directory(hints) as url:
            await people.configure(url=url)
            assert (await people.logged_in("ada", "any"))["policies"] == ["default"]
        with strange_directory(searches_elsewhere) as url:
            await people.configure(url=url)
            assert "refuses to search" in await refused(people)
    assert asked == []


def endless_entries(number: int, kind: int) -> Iterable[bytes]:
    if kind == SEARCH:
        while True:
            yield found(number, "cn=x", cn=[b"x" * 1000]) * 50
    yield from replies(number, kind)


def endless_large_entries(number: int, kind: int) -> Iterable[bytes]:
    if kind == SEARCH:
        while True:
            yield found(number, "cn=x", cn=[b"x" * 500_000])
    yield from replies(number, kind)


def many_small_entries(number: int, kind: int) -> Iterable[bytes]:
    if kind == SEARCH:
        for at in range(60):
            yield b"".join(found(number, f"cn={at}-{i}", cn=[b"x"]) for i in range(500))
    yield from replies(number, kind)


def one_huge_message(number: int, kind: int) -> Iterable[bytes]:
    yield b"\x30\x84\x7f\xff\xff\xff"


def endless_values(number: int, kind: int) -> Iterable[bytes]:
    if kind == SEARCH:
        yield found(number, "cn=x", cn=[b"%d" % each for each in range(200_000)])
    yield from replies(number, kind)


def no_length(number: int, kind: int) -> Iterable[bytes]:
    yield b"\x30\x80\x02\x01\x01"


def http(number: int, kind: int) -> Iterable[bytes]:
    yield b"HTTP/1.1 400 Bad Request\r\n\r\n"


def another_number(number: int, kind: int) -> Iterable[bytes]:
    yield result(number + 1, BIND_ANSWER)


def deep(number: int, kind: int) -> Iterable[bytes]:
    nested = b""
    for _ in range(5000):
        nested = tlv(0x30, nested)
    yield message(number, tlv(BIND_ANSWER, nested))


def another_kind(number: int, kind: int) -> Iterable[bytes]:
    yield result(number, EXTENDED_ANSWER if kind == BIND else BIND_ANSWER)


def more_than_asked_for(number: int, kind: int) -> Iterable[bytes]:
    if kind == SEARCH:
        yield found(number, "uid=ada", uid=[b"ada"]) * 3
    yield from replies(number, kind)


def empty(number: int, kind: int) -> Iterable[bytes]:
    yield b"\x30\x00"


def no_utf8(number: int, kind: int) -> Iterable[bytes]:
    if kind == SEARCH:
        yield message(number, tlv(0x64, tlv(4, b"cn=\xff"), tlv(0x30)))
    yield from replies(number, kind)


def closing(number: int, kind: int) -> Iterable[bytes]:
    return ()


def half_an_answer(number: int, kind: int) -> Iterable[bytes]:
    class Cut(OSError):
        pass

    yield result(number, BIND_ANSWER)[:-3]
    raise Cut


def entries_without_an_end(number: int, kind: int) -> Iterable[bytes]:
    if kind == SEARCH:
        yield found(number, "cn=root", cn=[b"admins"])
        raise OSError
    yield from replies(number, kind)


HOSTILE = [
    endless_entries, endless_large_entries, many_small_entries, one_huge_message, endless_values,
    no_length, http, another_number, deep, empty, no_utf8, closing, half_an_answer,
    entries_without_an_end, another_kind,
]  # fmt: skip


@pytest.mark.parametrize("answering", HOSTILE, ids=lambda each: each.__name__)
def test_a_hostile_directory_lets_nobody_in_and_costs_little(
    answering: Answering,
) -> None:
    @with_people
    async def test(people: People) -> None:
        with strange_directory(answering) as url:
            await people.configure(url=url)
            message = await refused(people)
        assert message.startswith("ldap operation failed: the ")
        await people.configure(url=people.directory.url)
        assert await people.logged_in("ada", ADA)

    test()


@with_people
async def test_a_directory_that_finds_more_than_was_asked_for_lets_nobody_in(
    people: People,
) -> None:
    with strange_directory(more_than_asked_for) as url:
        await people.configure(url=url, discoverdn=True)
        assert "more than can be taken in" in await refused(people)


@with_people
async def test_what_is_no_text_is_nobodys_alias(people: People) -> None:
    for value in (b"ada\0", b"ada\n", b"a\rda", b"\xff", b"\x80\x01", b""):

        def answering(number: int, kind: int, value: bytes = value) -> Iterable[bytes]:
            if kind == SEARCH:
                yield found(number, "uid=ada", uid=[value])
            yield from replies(number, kind)

        with strange_directory(answering) as url:
            await people.configure(url=url, discoverdn=True)
            response = await people.login("ada", ADA)
            assert (response.status, response.auth) == (400, None), value
            assert "is text" in errors(response)[0]


@with_people
async def test_nobody_gets_the_groups_of_the_service_account(people: People) -> None:
    """Active Directory tells those at the place without a name, which is where somebody is looked
    for whose entry cannot be seen."""
    sids = [b"\x01\x01\0\0\0\0\0\5\x15\0\0\0"]

    def answering(number: int, kind: int) -> Iterable[bytes]:
        if kind == SEARCH and number == 3:  # after the search for the principal's name
            yield found(number, "", tokenGroups=sids)
        yield from replies(number, kind)

    with strange_directory(answering) as url:
        await people.configure(url=url, upndomain="corp.example.org", use_token_groups=True)
        assert "does not show the entry" in await refused(people)


@with_people
async def test_what_comes_before_starttls_is_not_believed(people: People) -> None:
    def injects(number: int, kind: int) -> Iterable[bytes]:
        if kind == EXTENDED:
            yield result(number, EXTENDED_ANSWER) + result(number + 1, BIND_ANSWER)
        yield from replies(number, kind)

    with strange_directory(injects) as url:
        await people.configure(url=url, starttls=True)
        assert "no LDAP" in await refused(people)


@with_people
async def test_without_starttls_no_password_is_sent(people: People) -> None:
    kinds = []

    def refuses(number: int, kind: int) -> Iterable[bytes]:
        kinds.append(kind)
        if kind == EXTENDED:
            yield result(number, EXTENDED_ANSWER, 52)
        yield from replies(number, kind)

    with strange_directory(refuses) as url:
        await people.configure(url=url, starttls=True)
        assert "StartTLS" in await refused(people)
    assert kinds[0] == EXTENDED
    assert BIND not in kinds


@with_people
async def test_a_certificate_for_another_name_or_of_another_authority_is_refused(
    people: People,
) -> None:
    directory = people.directory
    await people.configure(url=directory.tls_url, certificate=directory.ca_pem)
    await people.logged_in("ada", ADA)
    by_another_name = directory.tls_url.replace("127.0.0.1", "127.0.0.2")
    await people.configure(url=by_another_name)
    assert (await refused(people)).startswith("ldap operation failed: the directory")
    with slapd() as other:
        await people.configure(url=directory.tls_url, certificate=other.ca_pem)
        assert "not trusted" in await refused(people)


@contextmanager
def hanging() -> Iterator[tuple[str, threading.Event]]:
    """A directory that says nothing until the event is set."""
    over = threading.Event()

    class Silent(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            over.wait(HANGS)

    with serving(Silent) as address:
        try:
            yield f"ldap://{address}", over
        finally:
            over.set()


@with_people
async def test_a_directory_that_hangs_ends_a_login_in_time(people: People) -> None:
    with hanging() as (url, _):
        await people.configure(url=url, request_timeout="1s")
        assert "not answered within " in await refused(people)
        await people.configure(
            url=f"{url.replace('ldap', 'ldaps')},{people.directory.url}",
            request_timeout="90s",
            connection_timeout="1s",
        )
        await people.logged_in("ada", ADA)


@with_people
async def test_a_directory_that_drips_ends_a_login_in_time(people: People) -> None:
    over = threading.Event()

    def drips(number: int, kind: int) -> Iterable[bytes]:
        for byte in result(number, BIND_ANSWER):
            over.wait(0.3)
            yield bytes([byte])

    with strange_directory(drips) as url:
        await people.configure(url=url, request_timeout="1s")
        try:
            assert "not answered" in await refused(people)
        finally:
            over.set()


@with_people
async def test_a_directory_that_hangs_stops_no_other_mount_and_makes_few_threads(
    people: People,
) -> None:
    node = people.node
    with hanging() as (url, over):
        await node.ok("sys/auth/slow", {"type": "ldap"})
        await node.ok("auth/slow/config", {"url": url, "userdn": PEOPLE, "userattr": "uid"})
        await node.ok("sys/auth/slow/tune", {"user_lockout_config": {"lockout_disable": True}})
        before = threading.active_count()
        stuck = [
            asyncio.create_task(node.write("auth/slow/login/ada", {"password": ADA}, token=""))
            for _ in range(turns.MOST_AT_ONCE + turns.MOST_WAITING + 20)
        ]
        refused_at_once, _ = await asyncio.wait(
            stuck, timeout=HANGS, return_when=asyncio.FIRST_COMPLETED
        )
        assert {task.result().status for task in refused_at_once} == {503}
        await people.logged_in("ada", ADA)
        ldap_threads = [each for each in threading.enumerate() if each.name == "ldap"]
        assert len(ldap_threads) <= turns.MOST_AT_ONCE + 1  # ada's may be about to end
        assert threading.active_count() - before <= 2 * turns.MOST_AT_ONCE + 10
        over.set()
        statuses = [(await task).status for task in stuck]
        assert statuses.count(503) == 20
        assert set(statuses) == {502, 503}


@with_own_people
async def test_after_a_restart_of_the_directory_logins_go_on(people: People) -> None:
    await people.with_service()
    for _ in range(3):
        await people.logged_in("ada", ADA)
    people.directory.stop()
    assert "cannot be reached" in await refused(people)
    people.directory.start()
    await people.logged_in("ada", ADA)
    people.directory.stop()
    people.directory.start()
    answers = await asyncio.gather(*(people.login("grace", PASSWORDS["grace"]) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
