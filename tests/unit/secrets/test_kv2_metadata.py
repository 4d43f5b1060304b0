"""KV version 2: metadata, and the settings of a mount."""

from typing import Any

import pytest

from tests.unit.secrets.server import Server

NEW: dict[str, Any] = {
    "cas_required": False,
    "created_time": "2027-01-15T08:00:00.25Z",
    "current_metadata_version": 1,
    "current_version": 0,
    "custom_metadata": None,
    "delete_version_after": "0s",
    "max_versions": 0,
    "metadata_cas_required": False,
    "oldest_version": 0,
    "updated_time": "2027-01-15T08:00:00.25Z",
    "versions": {},
}


def change(server: Server, fields: dict[str, Any], method: str = "POST") -> int:
    return server.call(method, "secret/metadata/a", fields).status


def metadata(server: Server) -> Any:
    return server.call("GET", "secret/metadata/a").data


def test_metadata_may_come_before_data(kv2: Server) -> None:
    fields = {
        "max_versions": 3,
        "cas_required": True,
        "metadata_cas_required": False,
        "delete_version_after": "1h30m",
        "custom_metadata": {"owner": "bob"},
    }
    assert change(kv2, fields) == 204
    assert metadata(kv2) == {**NEW, **fields, "delete_version_after": "1h30m0s"}
    assert kv2.call("GET", "secret/data/a").errors == []
    assert kv2.write("a", {}, cas=0).data["custom_metadata"] == {"owner": "bob"}
    assert kv2.call("GET", "secret/data/a").data["metadata"]["custom_metadata"] == {"owner": "bob"}


def test_what_is_not_given_stays_and_null_sets_back(kv2: Server) -> None:
    change(kv2, {"max_versions": 3, "delete_version_after": "1h", "custom_metadata": {"a": "b"}})
    kv2.clock.advance(1)
    change(kv2, {"cas_required": True})
    assert metadata(kv2) == {
        **NEW,
        "cas_required": True,
        "current_metadata_version": 2,
        "custom_metadata": {"a": "b"},
        "delete_version_after": "1h0m0s",
        "max_versions": 3,
        "updated_time": "2027-01-15T08:00:01.25Z",
    }
    change(kv2, {"custom_metadata": {"only": "this"}})
    assert metadata(kv2)["custom_metadata"] == {"only": "this"}
    nothing = dict.fromkeys(
        ("max_versions", "delete_version_after", "cas_required", "custom_metadata")
    )
    change(kv2, nothing)
    updated = {"current_metadata_version": 4, "updated_time": "2027-01-15T08:00:01.25Z"}
    assert metadata(kv2) == {**NEW, **updated}


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("fields", [{}, {"metadata_cas": 7}, {"limit": 1}, {"colour": "blue"}])
def test_who_gives_nothing_changes_nothing(
    kv2: Server, method: str, fields: dict[str, Any]
) -> None:
    assert change(kv2, fields) < 300
    assert kv2.stored_keys() == []
    change(kv2, {"max_versions": 3})
    before = metadata(kv2)
    kv2.clock.advance(1)
    assert change(kv2, fields, method) < 300
    assert metadata(kv2) == before


def test_a_patch_merges(kv2: Server) -> None:
    missing = kv2.call("PATCH", "secret/metadata/a", {"max_versions": 1})
    assert (missing.status, missing.text) == (404, "")
    change(kv2, {"max_versions": 3, "custom_metadata": {"keep": "1", "drop": "2"}})
    patch = {"cas_required": True, "custom_metadata": {"drop": None, "new": "3"}}
    assert change(kv2, patch, "PATCH") == 204
    assert metadata(kv2) == {
        **NEW,
        "cas_required": True,
        "current_metadata_version": 2,
        "custom_metadata": {"keep": "1", "new": "3"},
        "max_versions": 3,
    }
    assert change(kv2, {"max_versions": None, "custom_metadata": None}, "PATCH") == 204
    assert (metadata(kv2)["max_versions"], metadata(kv2)["custom_metadata"]) == (0, None)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_metadata_has_its_own_check_and_set(kv2: Server, method: str) -> None:
    assert change(kv2, {"max_versions": 1, "metadata_cas": 1}) == 400
    assert kv2.stored_keys() == []
    assert change(kv2, {"max_versions": 1, "metadata_cas": 0}) == 204
    for wrong in (0, 2, -1, None, "x"):
        assert change(kv2, {"max_versions": 2, "metadata_cas": wrong}, method) == 400
    assert change(kv2, {"max_versions": 2, "metadata_cas": "1"}, method) == 204
    kv2.write("a", {})
    assert change(kv2, {"max_versions": 3, "metadata_cas": 2}, method) == 204


@pytest.mark.parametrize("where", ["config", "metadata/a"])
def test_check_and_set_of_metadata_may_be_required(kv2: Server, where: str) -> None:
    kv2.call("POST", f"secret/{where}", {"metadata_cas_required": True})
    kv2.write("a", {})
    current = metadata(kv2)["current_metadata_version"]
    assert change(kv2, {"max_versions": 1}) == 400
    assert change(kv2, {"max_versions": 1}, "PATCH") == 400
    assert change(kv2, {}) == 204
    assert change(kv2, {"max_versions": 1, "metadata_cas": current}) == 204


@pytest.mark.parametrize(
    "fields",
    [
        {"max_versions": "many"},
        {"max_versions": -1},
        {"max_versions": 2**32},
        {"cas_required": {"a": 1}},
        {"delete_version_after": "soon"},
        {"delete_version_after": "-1s"},
        {"custom_metadata": "a=b"},
        {"custom_metadata": ["a"]},
        {"custom_metadata": {"": "x"}},
        {"custom_metadata": {"x": ""}},
        {"custom_metadata": {"x": ["y"]}},
        {"custom_metadata": {"x": {"y": "z"}}},
        {"custom_metadata": {"x" * 129: "y"}},
        {"custom_metadata": {"é" * 65: "y"}},
        {"custom_metadata": {"x": "y" * 513}},
        {"custom_metadata": {"new\nline": "x"}},
        {"custom_metadata": {"x": "bell\x07"}},
        {"custom_metadata": {f"k{n}": "x" for n in range(65)}},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_setting_that_cannot_be_is_refused(
    kv2: Server, method: str, fields: dict[str, Any]
) -> None:
    change(kv2, {"max_versions": 1})
    before = metadata(kv2)
    answer = kv2.call(method, "secret/metadata/a", fields)
    assert answer.status == 400
    assert next(iter(fields)) in answer.text
    assert metadata(kv2) == before


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"x" * 128: "y" * 512}, {"x" * 128: "y" * 512}),
        ({f"k{n}": "x" for n in range(64)}, {f"k{n}": "x" for n in range(64)}),
        (
            {"n": 5, "flag": True, "none": False, "f": 1.5},
            {"n": "5", "flag": "1", "none": "0", "f": "1.5"},
        ),
        ([], None),
    ],
)
def test_custom_metadata_is_text_within_limits(kv2: Server, given: Any, stored: Any) -> None:
    assert change(kv2, {"custom_metadata": given}) == 204
    assert metadata(kv2)["custom_metadata"] == stored


def test_a_refused_value_is_not_repeated(kv2: Server) -> None:
    answer = kv2.call("POST", "secret/metadata/a", {"custom_metadata": {"k-hush": "v-hush\x07"}})
    assert "hush" not in answer.text


def test_deleting_metadata_deletes_everything(kv2: Server) -> None:
    for data in ({"n": 1}, {"large": "x" * 10_000}, {"n": 3}):
        kv2.write("a", data)
    kv2.call("POST", "secret/destroy/a", {"versions": [1]})
    assert kv2.call("DELETE", "secret/metadata/a").status == 204
    assert kv2.stored_keys() == []
    for path in ("data/a", "data/a?version=1", "metadata/a"):
        assert kv2.call("GET", f"secret/{path}").errors == []
    assert kv2.call("DELETE", "secret/metadata/a").status == 204
    assert kv2.write("a", {"n": 1}).data["version"] == 1


def test_changing_metadata_leaves_large_data_alone(kv2: Server) -> None:
    kv2.write("a", {"large": "x" * 10_000})
    change(kv2, {"max_versions": 1})
    assert len(kv2.call("GET", "secret/data/a").data["data"]["large"]) == 10_000


def test_the_first_metadata_is_a_creation(kv2: Server) -> None:
    creator = kv2.token('path "secret/metadata/*" { capabilities = ["create"] }')
    fields = {"max_versions": 1}
    assert kv2.call("POST", "secret/metadata/a", fields, creator).status == 204
    assert kv2.call("POST", "secret/metadata/a", fields, creator).status == 403


def test_the_mount_is_configured(kv2: Server) -> None:
    default = {
        "cas_required": False,
        "delete_version_after": "0s",
        "max_versions": 0,
        "metadata_cas_required": False,
    }
    assert kv2.call("GET", "secret/config").data == default
    fields = {"max_versions": "7", "cas_required": "true", "delete_version_after": "3h25m"}
    assert kv2.call("POST", "secret/config", fields).status == 204
    assert kv2.call("POST", "secret/config", {"metadata_cas_required": True}).status == 204
    assert kv2.call("GET", "secret/config").data == {
        "cas_required": True,
        "delete_version_after": "3h25m0s",
        "max_versions": 7,
        "metadata_cas_required": True,
    }
    assert kv2.call("PUT", "secret/config", dict.fromkeys(default)).status == 204
    assert kv2.call("GET", "secret/config").data == default
    assert kv2.call("POST", "secret/config", {"delete_version_after": "-1s"}).status == 204
    assert kv2.call("GET", "secret/config").data["delete_version_after"] == "-1s"
    assert kv2.call("DELETE", "secret/config").status == 405
    assert kv2.call("PATCH", "secret/config", {"max_versions": 1}).status == 405


@pytest.mark.parametrize(
    "fields",
    [
        {"max_versions": -1},
        {"max_versions": 2**32},
        {"delete_version_after": "soon"},
        {"cas_required": "perhaps"},
        {"max_versions": "many"},
    ],
)
def test_a_mount_setting_that_cannot_be_is_refused(kv2: Server, fields: dict[str, Any]) -> None:
    assert kv2.call("POST", "secret/config", fields).status == 400
    assert kv2.stored_keys() == []
