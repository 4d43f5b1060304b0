"""Numbers of the configuration that would mean something else than they say are refused."""

from typing import Any

import pytest

from tests.node import errors
from tests.people_of_directory import CONFIG, People, with_people


@pytest.mark.parametrize("field", ["connection_timeout", "request_timeout"])
def test_a_timeout_that_would_be_no_limit_is_refused(field: str) -> None:
    @with_people
    async def test(people: People) -> None:
        wrong: tuple[Any, ...] = ("0.5s", "999ms", "1ns", 0.5, -1, "1e30", 1e30, "300000d")
        for value in wrong:
            response = await people.node.write(CONFIG, {field: value})
            assert response.status == 400, value
            (error,) = errors(response)
            assert f'"{field}"' in error
            assert "from 1 second to 292 years, or 0" in error
        for value, seconds in ((0, 0), ("0s", 0), ("1s", 1), ("1.5s", 1), ("1000ms", 1), (90, 90)):
            await people.configure(**{field: value})
            assert (await people.node.read(CONFIG)).data[field] == seconds

    test()


@with_people
async def test_pages_have_a_size_that_a_directory_can_be_asked_for(people: People) -> None:
    for value in (-5, "-1", 2**31, "2147483648", 2**70):
        response = await people.node.write(CONFIG, {"max_page_size": value})
        assert response.status == 400
        assert "expected a whole number from 0 to 2147483647" in errors(response)[0]
    for value in (0, "7", 2**31 - 1):
        await people.configure(max_page_size=value)
        assert (await people.node.read(CONFIG)).data["max_page_size"] == int(value)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\t"])
def test_an_address_ends_where_it_ends(end: str) -> None:
    @with_people
    async def test(people: People) -> None:
        response = await people.node.write(CONFIG, {"url": f"ldap://127.0.0.1{end}"})
        assert response.status == 400
        assert errors(response)[0].startswith("url: expected")

    test()
