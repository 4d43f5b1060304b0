"""KV version 2: deleting, undeleting and destroying versions, and how many are kept."""

import pytest

from tests.unit.secrets.server import Server
from wardgate.secrets.kv2.store import INLINE_BYTES

LARGE = {"large": "x" * INLINE_BYTES}


def versions(server: Server, path: str = "a") -> dict[str, tuple[bool, bool]]:
    """Of each version that is left: whether it is deleted (or will be), and destroyed."""
    found = server.call("GET", f"secret/metadata/{path}").data["versions"]
    return {
        number: (bool(version["deletion_time"]), version["destroyed"])
        for number, version in found.items()
    }


@pytest.fixture
def three(kv2: Server) -> Server:
    """A server with three versions of a secret."""
    for n in (1, 2, 3):
        kv2.write("a", {"n": n})
    return kv2


def test_chosen_versions_are_deleted_and_come_back(three: Server) -> None:
    assert three.call("POST", "secret/delete/a", {"versions": [1, 2]}).status == 204
    assert versions(three) == {"1": (True, False), "2": (True, False), "3": (False, False)}
    assert three.call("GET", "secret/data/a?version=1").status == 404
    assert three.call("PUT", "secret/undelete/a", {"versions": "1"}).status == 204
    assert three.call("GET", "secret/data/a?version=1").data["data"] == {"n": 1}
    assert three.call("GET", "secret/data/a?version=2").status == 404


def test_deleting_again_leaves_the_time_of_deletion(three: Server) -> None:
    three.call("POST", "secret/delete/a", {"versions": [1]})
    before = three.call("GET", "secret/metadata/a").data
    three.clock.advance(5)
    three.call("POST", "secret/delete/a", {"versions": [1]})
    assert three.call("GET", "secret/metadata/a").data == before


def test_what_is_destroyed_never_comes_back(three: Server) -> None:
    assert three.call("POST", "secret/destroy/a", {"versions": [1, "3"]}).status == 204
    assert versions(three) == {"1": (False, True), "2": (False, False), "3": (False, True)}
    three.call("POST", "secret/undelete/a", {"versions": [1, 3]})
    three.call("POST", "secret/delete/a", {"versions": [1, 3]})
    assert versions(three) == {"1": (False, True), "2": (False, False), "3": (False, True)}
    for version in ("1", "3", "0"):
        answer = three.call("GET", f"secret/data/a?version={version}")
        assert answer.status == 404
        assert answer.data["data"] is None
        assert answer.data["metadata"]["destroyed"] is True
    assert three.write("a", {"n": 4}).data["version"] == 4
    assert three.call("GET", "secret/data/a?version=3").status == 404


@pytest.mark.parametrize("data", [{"n": 1}, LARGE])
def test_destroyed_data_is_gone_from_the_storage(kv2: Server, data: dict[str, object]) -> None:
    kv2.write("a", data)
    kv2.write("a", data)
    kv2.call("POST", "secret/destroy/a", {"versions": [1, 2]})
    assert kv2.stored_keys() == ["s/a"]


@pytest.mark.parametrize("verb", ["delete", "undelete", "destroy"])
def test_what_is_not_there_is_no_error(three: Server, verb: str) -> None:
    before = three.call("GET", "secret/metadata/a").data
    for numbers in ([9], [-1], [0], "9,10", 10**30):
        assert three.call("POST", f"secret/{verb}/a", {"versions": numbers}).status == 204
    assert three.call("POST", f"secret/{verb}/nothing", {"versions": [1]}).status == 204
    assert three.call("GET", "secret/metadata/a").data == before


@pytest.mark.parametrize("verb", ["delete", "undelete", "destroy"])
@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"versions": []},
        {"versions": ""},
        {"versions": None},
        {"versions": ["first"]},
        {"versions": {"a": 1}},
        {"versions": [[1]]},
        {"versions": [1.5]},
    ],
)
def test_versions_must_be_given(three: Server, verb: str, body: dict[str, object] | None) -> None:
    assert three.call("POST", f"secret/{verb}/a", body).status == 400


@pytest.mark.parametrize("verb", ["delete", "undelete", "destroy"])
def test_versions_are_changed_by_update_alone(three: Server, verb: str) -> None:
    token = three.token(f'path "secret/{verb}/*" {{ capabilities = ["create"] }}')
    body = {"versions": [1]}
    assert three.call("POST", f"secret/{verb}/a", body, token).status == 403
    assert three.call("POST", f"secret/{verb}/b", body, token).status == 403
    assert three.call("GET", f"secret/{verb}/a").status == 405


def test_ten_versions_are_kept(kv2: Server) -> None:
    for n in range(1, 13):
        kv2.write("a", {"n": n})
    assert list(versions(kv2)) == [str(n) for n in range(3, 13)]
    metadata = kv2.call("GET", "secret/metadata/a").data
    assert (metadata["oldest_version"], metadata["current_version"]) == (3, 12)
    assert kv2.call("GET", "secret/data/a?version=2").errors == []
    assert len(kv2.stored_keys()) == 10


def test_the_oldest_version_is_0_until_one_falls_off(kv2: Server) -> None:
    kv2.call("POST", "secret/config", {"max_versions": 2})
    oldest = []
    for n in range(4):
        kv2.write("a", {"n": n})
        oldest.append(kv2.call("GET", "secret/metadata/a").data["oldest_version"])
    assert oldest == [0, 0, 2, 3]


@pytest.mark.parametrize(
    ("mount", "secret", "kept"), [(2, 0, 2), (0, 3, 3), (2, 4, 4), (4, 2, 4), (1, 0, 1), (0, 0, 10)]
)
def test_the_larger_setting_counts(kv2: Server, mount: int, secret: int, kept: int) -> None:
    kv2.call("POST", "secret/config", {"max_versions": mount})
    kv2.call("POST", "secret/metadata/a", {"max_versions": secret})
    for n in range(12):
        kv2.write("a", {"n": n})
    assert len(versions(kv2)) == kept


@pytest.mark.parametrize("data", [{"n": 1}, LARGE])
def test_fewer_versions_are_kept_from_the_next_write_on(
    kv2: Server, data: dict[str, object]
) -> None:
    for _ in range(4):
        kv2.write("a", data)
    kv2.call("POST", "secret/metadata/a", {"max_versions": 1})
    assert len(versions(kv2)) == 4
    kv2.write("a", data)
    assert list(versions(kv2)) == ["5"]
    assert len(kv2.stored_keys()) == (1 if data != LARGE else 2)


def test_versions_may_be_deleted_by_themselves(kv2: Server) -> None:
    kv2.call("POST", "secret/metadata/a", {"delete_version_after": "1h"})
    assert kv2.write("a", {"n": 1}).data["deletion_time"] == "2027-01-15T09:00:00.25Z"
    assert kv2.call("GET", "secret/data/a").status == 200
    kv2.clock.advance(3599)
    assert kv2.call("GET", "secret/data/a").status == 200
    kv2.clock.advance(1)
    assert kv2.call("GET", "secret/data/a").status == 404
    kv2.call("POST", "secret/undelete/a", {"versions": [1]})
    answer = kv2.call("GET", "secret/data/a")
    assert answer.data["metadata"]["deletion_time"] == "2027-01-15T10:00:00.25Z"


def test_a_version_that_is_to_be_deleted_can_be_deleted_now(kv2: Server) -> None:
    kv2.call("POST", "secret/config", {"delete_version_after": "1h"})
    kv2.write("a", {"n": 1})
    kv2.call("DELETE", "secret/data/a")
    answer = kv2.call("GET", "secret/data/a")
    assert answer.status == 404
    assert answer.data["metadata"]["deletion_time"] == "2027-01-15T08:00:00.25Z"


@pytest.mark.parametrize(
    ("mount", "secret", "seconds"),
    [(0, 0, None), (60, 0, 60), (0, 60, 60), (60, 90, 60), (90, 60, 60), ("-1s", 60, None)],
)
def test_the_shorter_time_counts(
    kv2: Server, mount: int | str, secret: int, seconds: int | None
) -> None:
    kv2.call("POST", "secret/config", {"delete_version_after": mount})
    kv2.call("POST", "secret/metadata/a", {"delete_version_after": secret})
    kv2.write("a", {"n": 1})
    kv2.clock.advance((seconds or 1000) - 1)
    assert kv2.call("GET", "secret/data/a").status == 200
    kv2.clock.advance(1)
    assert kv2.call("GET", "secret/data/a").status == (200 if seconds is None else 404)
