"""Attacks on logging in (security cases 1, 3 and 7)."""

import pytest

from tests.node import NodeUnderTest, errors, with_node
from tests.odd import mount_odd
from wardgate.auth import userpass
from wardgate.core.request import TokenGrant


def test_01_a_known_and_an_unknown_user_get_the_same_answer_for_the_same_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Time is not measured: what takes the time is counted."""
    work = []
    verify = userpass._verify

    def counted(password: str, hashed: bytes) -> bool:
        work.append(hashed[:7])  # the algorithm and its cost
        return verify(password, hashed)

    monkeypatch.setattr(userpass, "_verify", counted)

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.user("ada")
        for password in ("wrong", "x" * 100, "\0"):
            known, unknown = await node.login("ada", password), await node.login("bob", password)
            assert (known.status, known.data) == (unknown.status, unknown.data)
            assert errors(known) == ["invalid username or password"]

    body()
    assert len(work) == 6
    assert len(set(work)) == 1


@with_node
async def test_03_variants_of_a_name_are_one_person_or_nobody(node: NodeUnderTest) -> None:
    await node.user("Ada")
    entities = set()
    for name in ("ada", "ADA", "aDa"):
        response = await node.login(name)
        assert response.auth is not None
        entities.add(response.auth["entity_id"])
        assert response.auth["metadata"] == {"username": "ada"}
    assert len(entities) == 1
    for name in (" ada", "ada ", "\u00a0ada", "ada\u200b", "\uff41da", "ada/"):
        assert (await node.login(name)).status != 200
    assert (await node.listing("auth/userpass/users")).data["keys"] == ["ada"]


@pytest.mark.parametrize("name", [" bob", "bob ", "bob\u200b\n", "b\u00a0b", "", "b b"])
def test_03_a_user_cannot_be_made_with_spaces_in_the_name(name: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.user("ada")
        response = await node.write(f"auth/userpass/users/{name}", {"password": "x"})
        assert response.status in (400, 404, 405)
        assert (await node.listing("auth/userpass/users")).data["keys"] == ["ada"]

    body()


@with_node
async def test_07_an_answer_that_refuses_carries_no_token(node: NodeUnderTest) -> None:
    await mount_odd(node, TokenGrant(display_name="odd"))
    before = await node.keys_below("token/")
    response = await node.write("auth/odd/refused", token="")
    assert (response.status, response.auth) == (403, None)
    assert await node.keys_below("token/") == before
    answer = await node.http("POST", "/v1/auth/odd/refused", token=None)
    assert answer.json() == {"errors": ["no"]}
    assert (await node.write("auth/odd/login", token="")).auth is not None


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(userpass, "_COST", 4)
    monkeypatch.setattr(userpass, "_UNKNOWN", [])


@pytest.mark.usefixtures("quick_hashes")
def test_01_a_lockout_does_not_tell_which_users_there_are() -> None:
    """Known and unknown names are locked out after the same number of attempts, for as long, with
    the same answers (CVE-2025-6010, CVE-2025-6011)."""

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.user("ada")

        async def story(name: str) -> list[tuple[int, object]]:
            told = []
            for waiting in (0, 0, 0, 0, 0, 0, 600, 300, 0):
                node.clock.advance(waiting)
                response = await node.login(name, "wrong")
                told.append((response.status, response.data))
            return told

        known, unknown = await story("ada"), await story("bob")
        assert known == unknown
        assert [status for status, _ in known] == [400] * 5 + [403] * 2 + [400] * 2

    body()


@pytest.mark.usefixtures("quick_hashes")
def test_03_variants_of_a_name_share_one_lockout_counter() -> None:
    """CVE-2025-6004."""

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.user("ada")
        variants = ("ada", "ADA", " ada", "ada ", "\u00a0Ada")
        statuses = [(await node.login(name, "wrong")).status for name in variants]
        assert statuses == [400] * 5
        for name in ("ada", "aDa"):
            assert (await node.login(name)).status == 403

    body()
