"""KV version 2: writing, reading, patching and deleting secrets."""

import pytest

from tests.unit.secrets.server import Server
from wardgate.secrets.kv2.store import INLINE_BYTES

LARGE = {"large": "x" * INLINE_BYTES}


def test_each_write_is_a_version(kv2: Server) -> None:
    first = kv2.write("a", {"user": "bob"})
    assert first.data == {
        "created_time": "2027-01-15T08:00:00.25Z",
        "custom_metadata": None,
        "deletion_time": "",
        "destroyed": False,
        "version": 1,
    }
    kv2.clock.advance(1)
    second = kv2.write("a", {"user": "alice"})
    assert second.data["version"] == 2
    assert second.data["created_time"] == "2027-01-15T08:00:01.25Z"
    assert kv2.call("GET", "secret/data/a").data == {
        "data": {"user": "alice"},
        "metadata": second.data,
    }
    for version in ("1", "0x1"):
        assert kv2.call("GET", f"secret/data/a?version={version}").data == {
            "data": {"user": "bob"},
            "metadata": first.data,
        }
    for version in ("0", "-1", "2", ""):
        assert kv2.call("GET", f"secret/data/a?version={version}").data["data"] == {"user": "alice"}
    for version in ("3", "9999999999"):
        assert kv2.call("GET", f"secret/data/a?version={version}").errors == []
    for version in ("first", "1.5", "99999999999999999999"):
        assert kv2.call("GET", f"secret/data/a?version={version}").status == 400


def test_numbers_keep_their_digits(kv2: Server) -> None:
    numbers = '{"price":1.50,"big":123456789012345678901234567890}'
    kv2.call("POST", "secret/data/a", f'{{"data": {numbers}}}')
    assert f'"data":{numbers}' in kv2.call("GET", "secret/data/a").text
    kv2.call("PATCH", "secret/data/a", '{"data": {"more": 0.10}}')
    assert f'"data":{numbers[:-1]},"more":0.10}}' in kv2.call("GET", "secret/data/a").text


@pytest.mark.parametrize("data", [{}, None, {"a": None}])
def test_empty_data_is_data(kv2: Server, data: dict[str, None] | None) -> None:
    assert kv2.write("a", data).status == 200
    assert kv2.call("GET", "secret/data/a").status == 200
    assert kv2.call("GET", "secret/data/a").data["data"] == data


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"user": "bob"},
        {"options": {"cas": 0}},
        {"data": "text"},
        {"data": '{"a": 1}'},
        {"data": ["a"]},
        {"data": 5},
        {"data": {}, "options": "cas=1"},
    ],
)
def test_a_write_must_say_what_it_writes(kv2: Server, body: dict[str, object] | None) -> None:
    assert kv2.call("POST", "secret/data/a", body).status == 400
    assert kv2.call("PATCH", "secret/data/a", body).status == 400
    assert kv2.call("GET", "secret/data/a").status == 404


def test_check_and_set_guards_a_write(kv2: Server) -> None:
    assert kv2.write("a", {"n": 0}, cas=1).status == 400
    assert kv2.write("a", {"n": 1}, cas=0).status == 200
    assert kv2.write("a", {"n": 2}, cas=0).status == 400
    assert kv2.write("a", {"n": 2}, cas="1").status == 200
    refused: tuple[object, ...] = (1, 3, -1, None, "few", 1.5, [2], {})
    for wrong in refused:
        assert kv2.write("a", {"n": 3}, cas=wrong).status == 400
    assert kv2.write("a", {"n": 3}, other=1).status == 200
    assert kv2.call("GET", "secret/data/a").data["metadata"]["version"] == 3


def test_check_and_set_holds_when_writers_meet(kv2: Server) -> None:
    writes = [
        ("POST", "secret/data/a", {"data": {"n": n}, "options": {"cas": 0}}) for n in range(30)
    ]
    answers = kv2.parallel([*writes])
    assert kv2.store.conflicts > 0
    assert sorted(answer.status for answer in answers) == [200] + 29 * [400]
    winner = [answer.status for answer in answers].index(200)
    assert kv2.call("GET", "secret/data/a").data["data"] == {"n": winner}


def test_writers_who_meet_lose_nothing(kv2: Server) -> None:
    kv2.call("POST", "secret/config", {"max_versions": 100})
    answers = kv2.parallel([("POST", "secret/data/a", {"data": {"n": n}}) for n in range(30)])
    assert kv2.store.conflicts > 0
    assert sorted(answer.data["version"] for answer in answers) == list(range(1, 31))
    for n, answer in enumerate(answers):
        version = answer.data["version"]
        assert kv2.call("GET", f"secret/data/a?version={version}").data["data"] == {"n": n}


@pytest.mark.parametrize("where", ["config", "metadata/a"])
def test_check_and_set_may_be_required(kv2: Server, where: str) -> None:
    kv2.call("POST", f"secret/{where}", {"cas_required": True})
    assert kv2.write("a", {"n": 1}).status == 400
    assert kv2.write("a", {"n": 1}, cas=0).status == 200
    assert kv2.call("PATCH", "secret/data/a", {"data": {}}).status == 400
    assert kv2.call("PATCH", "secret/data/a", {"data": {}, "options": {"cas": 1}}).status == 200


def test_a_patch_merges_into_the_current_version(kv2: Server) -> None:
    kv2.write("a", {"keep": 1, "change": 2, "drop": 3, "deep": {"x": 1, "y": 2}})
    patch = {"change": 20, "drop": None, "deep": {"x": None, "z": 3}, "list": [None]}
    assert kv2.call("PATCH", "secret/data/a", {"data": patch}).data["version"] == 2
    merged = {"keep": 1, "change": 20, "deep": {"y": 2, "z": 3}, "list": [None]}
    assert kv2.call("GET", "secret/data/a").data["data"] == merged
    stale = {"data": {"a": 1}, "options": {"cas": 1}}
    assert kv2.call("PATCH", "secret/data/a", stale).status == 400
    assert kv2.call("PATCH", "secret/data/a", {"data": None}).status == 200
    assert kv2.call("PATCH", "secret/data/a", {"data": {"new": 1}}).status == 200
    assert kv2.call("GET", "secret/data/a").data["data"] == {"new": 1}


def test_there_must_be_something_to_patch(kv2: Server) -> None:
    patch = {"data": {"n": 1}}
    missing = kv2.call("PATCH", "secret/data/a", patch)
    assert (missing.status, missing.text) == (404, "")
    kv2.write("a", {})
    kv2.call("DELETE", "secret/data/a")
    deleted = kv2.call("PATCH", "secret/data/a", patch)
    assert deleted.status == 404
    assert deleted.data["deletion_time"]
    kv2.call("POST", "secret/destroy/a", {"versions": [1]})
    assert kv2.call("PATCH", "secret/data/a", patch).data["destroyed"] is True


def test_a_deleted_version_shows_its_metadata(kv2: Server) -> None:
    kv2.write("a", {"n": 1})
    kv2.write("a", {"n": 2})
    kv2.clock.advance(1)
    assert kv2.call("DELETE", "secret/data/a").status == 204
    deleted = kv2.call("GET", "secret/data/a")
    assert deleted.status == 404
    assert deleted.data["data"] is None
    assert deleted.data["metadata"]["deletion_time"] == "2027-01-15T08:00:01.25Z"
    kv2.clock.advance(1)
    assert kv2.call("DELETE", "secret/data/a").status == 204
    assert kv2.call("GET", "secret/data/a").data == deleted.data
    assert kv2.call("GET", "secret/data/a?version=1").data["data"] == {"n": 1}
    assert kv2.write("a", {"n": 3}).data["version"] == 3
    assert kv2.call("DELETE", "secret/data/nothing").status == 204


@pytest.mark.parametrize(
    "path", ["data/", "data/f/", "metadata/", "destroy/f/", "data/" + 500 * "x"]
)
def test_a_path_without_a_name_cannot_be_written(kv2: Server, path: str) -> None:
    body = {"data": {}, "max_versions": 1, "versions": [1]}
    assert kv2.call("POST", f"secret/{path}", body).status == 400
    assert kv2.stored_keys() == []


@pytest.mark.parametrize("path", ["data/", "data/f/", "metadata/", "subkeys/", "data/" + 500 * "x"])
def test_a_path_without_a_name_is_not_found(kv2: Server, path: str) -> None:
    assert kv2.call("GET", f"secret/{path}").errors == []


def test_odd_names_are_names(kv2: Server) -> None:
    names = ["with space", "é", "%2F", "a*b", "+", "UPPER", "config", "data", "v/1"]
    for name in names:
        assert kv2.write(name, {"name": name}).status == 200
    for name in names:
        assert kv2.call("GET", f"secret/data/{name}").data["data"] == {"name": name}
    listed = kv2.call("LIST", "secret/metadata").data["keys"]
    assert sorted(listed) == sorted(["v/" if name == "v/1" else name for name in names])


def test_a_read_takes_one_record_or_two(kv2: Server) -> None:
    kv2.write("a", {"small": 1})
    assert kv2.reads("secret/data/a") == 1
    kv2.write("a", LARGE)
    assert kv2.reads("secret/data/a") == 2
    assert kv2.reads("secret/data/a?version=1") == 2
    assert kv2.reads("secret/metadata/a") == 1
    assert kv2.call("GET", "secret/data/a").data["data"] == LARGE
    assert kv2.call("GET", "secret/data/a?version=1").data["data"] == {"small": 1}


def test_a_first_write_is_a_creation(kv2: Server) -> None:
    creator = kv2.token('path "secret/data/*" { capabilities = ["create"] }')
    assert kv2.call("POST", "secret/data/a", {"data": {}}, creator).status == 200
    assert kv2.call("POST", "secret/data/a", {"data": {}}, creator).status == 403
    updater = kv2.token('path "secret/data/*" { capabilities = ["update"] }')
    assert kv2.call("POST", "secret/data/a", {"data": {}}, updater).status == 200
    assert kv2.call("POST", "secret/data/b", {"data": {}}, updater).status == 403
    assert kv2.call("PATCH", "secret/data/a", {"data": {}}, updater).status == 403


def test_an_unknown_field_is_told(kv2: Server) -> None:
    answer = kv2.call("POST", "secret/data/a", {"data": {}, "colour": "blue", "version": 7})
    assert answer.data["version"] == 1
    assert answer.body["warnings"] == ["Endpoint ignored these unrecognized parameters: [colour]"]
