"""How long a refusal takes does not tell who exists (security case 2)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.node import errors
from tests.people_of_directory import People, with_people
from tests.services.active_directory import head, standing_before
from tests.services.directory_entries import BASE, PASSWORDS
from tests.services.strange_directory import BIND

ADA = PASSWORDS["ada"]
WRONG = ["ldap operation failed: failed to bind as user"]


@contextmanager
def hashing_slowly(port: int, seconds: float) -> Iterator[str]:
    """The URL of a directory that takes so long at least to compare a password of Ada's."""

    def seen(request: bytes) -> bytes:
        if head(request)[1] == BIND and b"uid=ada," in request:
            time.sleep(seconds)
        return request

    with standing_before(port, seen) as url:
        yield url


async def time_of_refusal(people: People, name: str) -> float:
    began = time.perf_counter()
    assert errors(await people.login(name, "wrong")) == WRONG
    return time.perf_counter() - began


@with_people
async def test_02_unknown_users_wait_as_long_as_wrong_passwords_take(people: People) -> None:
    """No wait may be shorter; a busy machine makes them longer, which proves nothing and is right."""
    with hashing_slowly(people.directory.port, 0.5) as url:
        await people.with_service(url=url, userdn=BASE)
        assert await time_of_refusal(people, "ada") >= 0.5
        for name in ("nobody", "twin"):
            assert await time_of_refusal(people, name) >= 0.5


@with_people
async def test_02_unknown_users_wait_before_anybody_was_refused_too(people: People) -> None:
    with hashing_slowly(people.directory.port, 0.5) as url:
        await people.with_service(url=url)
        await people.logged_in("ada", ADA)
        assert await time_of_refusal(people, "nobody") >= 0.5


@with_people
async def test_02_unknown_users_wait_where_nobody_is_searched_for(people: People) -> None:
    with hashing_slowly(people.directory.port, 0.5) as url:
        await people.configure(url=url)
        await people.logged_in("ada", ADA)
        assert await time_of_refusal(people, "nobody") >= 0.5


@with_people
async def test_02_nobody_waits_longer_than_a_login_may_take(people: People) -> None:
    """As somebody would whose password the directory compares for so long."""
    with hashing_slowly(people.directory.port, 0.5) as url:
        await people.with_service(url=url, request_timeout=1)
        await people.login("ada", "wrong")
        pool = (await people.backend())._login._pool
        assert pool is not None
        pool[1].times._refused[0] = 3600
        answer = await people.login("nobody", "wrong")
        assert answer.status == 502
