"""The option ``version`` of a KV mount, and the way from version 1 to version 2."""

import pytest

from tests.unit.secrets.server import Server

LARGE = {"large": "x" * 10_000}


def test_secrets_are_version_1_after_the_upgrade(kv1: Server) -> None:
    kv1.call("POST", "secret/a", {"n": 1, "ttl": "1h"})
    kv1.call("POST", "secret/folder/large", LARGE)
    kv1.clock.advance(60)
    assert kv1.call("POST", "sys/mounts/secret/tune", {"options": {"version": "2"}}).status < 300
    answer = kv1.call("GET", "secret/data/a")
    assert answer.data["data"] == {"n": 1, "ttl": "1h"}
    assert answer.body["lease_duration"] == 0
    assert kv1.call("GET", "secret/data/folder/large").data["data"] == LARGE
    assert kv1.call("LIST", "secret/metadata").data == {"keys": ["a", "folder/"]}
    assert kv1.call("GET", "secret/metadata/a").data == {
        "cas_required": False,
        "created_time": "2027-01-15T08:00:00.25Z",
        "current_metadata_version": 0,
        "current_version": 1,
        "custom_metadata": None,
        "delete_version_after": "0s",
        "max_versions": 0,
        "metadata_cas_required": False,
        "oldest_version": 1,
        "updated_time": "2027-01-15T08:00:00.25Z",
        "versions": {
            "1": {
                "created_time": "2027-01-15T08:00:00.25Z",
                "deletion_time": "",
                "destroyed": False,
            }
        },
    }


def test_they_take_part_in_everything_from_then_on(kv1: Server) -> None:
    kv1.call("POST", "secret/a", LARGE)
    kv1.call("POST", "secret/b", {"n": 1})
    kv1.call("POST", "sys/mounts/secret/tune", {"options": {"version": "2"}})
    assert kv1.write("a", {"n": 2}, cas=0).status == 400
    assert kv1.write("a", {"n": 2}, cas=1).data["version"] == 2
    assert kv1.call("GET", "secret/data/a?version=1").data["data"] == LARGE
    assert kv1.call("PATCH", "secret/data/b", {"data": {"m": 2}}).status == 200
    assert kv1.call("GET", "secret/data/b").data["data"] == {"n": 1, "m": 2}
    for name in ("a", "b"):
        kv1.call("POST", f"secret/destroy/{name}", {"versions": [1]})
        assert kv1.call("DELETE", f"secret/metadata/{name}").status == 204
    assert kv1.stored_keys() == []


def test_there_is_no_way_back(kv2: Server) -> None:
    kv2.write("a", {"n": 1})
    for version in ("1", "", "3", "two"):
        tuned = kv2.call("POST", "sys/mounts/secret/tune", {"options": {"version": version}})
        assert tuned.status == 400
        assert "options.version" in tuned.text
    assert kv2.call("POST", "sys/mounts/secret/tune", {"options": {"x": "y"}}).status < 300
    assert kv2.call("GET", "secret/data/a").data["data"] == {"n": 1}


@pytest.mark.parametrize(
    ("options", "version"),
    [
        (None, 1),
        ({"version": ""}, 1),
        ({"version": "1"}, 1),
        ({"version": "2"}, 2),
        ({"version": 2}, 2),
        ({"colour": "blue"}, 1),
    ],
)
def test_the_option_chooses_the_engine(
    server: Server, options: dict[str, object] | None, version: int
) -> None:
    mounted = server.call("POST", "sys/mounts/kv", {"type": "kv", "options": options})
    assert mounted.status == 204
    assert server.call("GET", "kv/config").status == (200 if version == 2 else 404)


def test_there_is_no_third_version(server: Server) -> None:
    refused = server.call("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "3"}})
    assert refused.status == 400
    assert "options.version" in refused.text


def test_writers_who_meet_the_upgrade_lose_nothing(kv1: Server) -> None:
    upgrade = ("POST", "sys/mounts/secret/tune", {"options": {"version": "2"}})
    writes = [("POST", f"secret/{n}", {"n": n}) for n in range(20)]
    answers = kv1.parallel([*writes[:10], upgrade, *writes[10:]])
    answers.pop(10)
    assert kv1.store.conflicts > 0
    for n, answer in enumerate(answers):
        assert answer.status in (204, 404)
        found = kv1.call("GET", f"secret/data/{n}").status
        assert found == (200 if answer.status == 204 else 404)
