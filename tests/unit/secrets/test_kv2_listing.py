"""KV version 2: lists, subkeys, and paths that are not there."""

from typing import Any

import pytest

from tests.unit.secrets.server import Server


@pytest.fixture
def folders(kv2: Server) -> Server:
    """A server with secrets in folders."""
    for path in ("a", "b", "c", "c/d", "c/deep/e", "z/y"):
        kv2.write(path, {"path": path})
    return kv2


def test_a_list_is_of_one_level(folders: Server) -> None:
    for folder in ("metadata", "metadata/"):
        listed = folders.call("LIST", f"secret/{folder}").data
        assert listed == {"keys": ["a", "b", "c", "c/", "z/"]}
    for folder in ("metadata/c", "metadata/c/"):
        assert folders.call("LIST", f"secret/{folder}").data == {"keys": ["d", "deep/"]}
    for folder in ("metadata/a", "metadata/nothing", "metadata/" + 500 * "x"):
        assert folders.call("LIST", f"secret/{folder}").errors == []


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("limit=2", ["a", "b"]),
        ("after=a", ["b", "c", "c/", "z/"]),
        ("after=a&limit=1", ["b"]),
        ("after=c", ["c/", "z/"]),
        ("after=bb&limit=2", ["c", "c/"]),
        ("limit=0", ["a", "b", "c", "c/", "z/"]),
        ("limit=-1&after=", ["a", "b", "c", "c/", "z/"]),
    ],
)
def test_a_list_comes_in_pages(folders: Server, query: str, keys: list[str]) -> None:
    assert folders.call("LIST", f"secret/metadata?{query}").data == {"keys": keys}
    detailed = folders.call("LIST", f"secret/detailed-metadata?{query}").data
    assert detailed["keys"] == keys
    assert list(detailed["key_info"]) == keys


def test_a_page_after_the_last_is_empty(folders: Server) -> None:
    assert folders.call("LIST", "secret/metadata?after=zzz").status == 404
    assert folders.call("LIST", "secret/metadata?limit=many").status == 400


def test_a_scan_is_of_all_levels(folders: Server) -> None:
    everything = ["a", "b", "c", "z/y", "c/d", "c/deep/e"]
    assert folders.call("SCAN", "secret/metadata").data == {"keys": everything}
    assert folders.call("SCAN", "secret/metadata/c").data == {"keys": ["d", "deep/e"]}
    assert folders.call("SCAN", "secret/metadata/a").data == {}


@pytest.mark.parametrize("folder", ["", "/", "/c", "/c/"])
@pytest.mark.parametrize("method", ["LIST", "SCAN"])
def test_detailed_lists_have_the_metadata_of_each_secret(
    folders: Server, method: str, folder: str
) -> None:
    folders.call("POST", "secret/metadata/c/d", {"custom_metadata": {"owner": "bob"}})
    listed = folders.call(method, f"secret/detailed-metadata{folder}").data
    below = folder.strip("/") + "/" if folder.strip("/") else ""
    assert listed["keys"] == folders.call(method, f"secret/metadata{folder}").data["keys"]
    for name, info in listed["key_info"].items():
        expected = folders.call("GET", f"secret/metadata/{below}{name}")
        assert info == ({} if name.endswith("/") else expected.data)


def test_nothing_to_detail(kv2: Server) -> None:
    assert kv2.call("LIST", "secret/detailed-metadata").errors == []
    assert kv2.call("SCAN", "secret/detailed-metadata").data == {}
    assert kv2.call("GET", "secret/detailed-metadata/a").status == 405


@pytest.mark.parametrize(
    ("query", "shape"),
    [
        ("", {"x": None, "deep": {"y": {"z": None}}, "list": None, "empty": None, "no": None}),
        (
            "?depth=0",
            {"x": None, "deep": {"y": {"z": None}}, "list": None, "empty": None, "no": None},
        ),
        ("?depth=1", {"x": None, "deep": None, "list": None, "empty": None, "no": None}),
        ("?depth=-1", {"x": None, "deep": None, "list": None, "empty": None, "no": None}),
        ("?depth=2", {"x": None, "deep": {"y": None}, "list": None, "empty": None, "no": None}),
        ("?version=2", {}),
        ("?version=3", None),
    ],
)
def test_subkeys_show_the_shape_without_the_values(kv2: Server, query: str, shape: Any) -> None:
    data = {"x": 1, "deep": {"y": {"z": "hush"}}, "list": [{"a": 1}], "empty": {}, "no": None}
    for version in ({}, None, data) if not query.startswith("?version") else (data, {}, None):
        kv2.write("a", version)
    answer = kv2.call("GET", f"secret/subkeys/a{query}")
    assert answer.data["subkeys"] == shape
    assert "hush" not in answer.text
    assert answer.data["metadata"]["version"]


def test_subkeys_of_what_cannot_be_read(kv2: Server) -> None:
    assert kv2.call("GET", "secret/subkeys/a").errors == []
    kv2.write("a", {"x": 1})
    assert kv2.call("GET", "secret/subkeys/a?version=9").errors == []
    assert kv2.call("GET", "secret/subkeys/a?depth=far").status == 400
    kv2.call("DELETE", "secret/data/a")
    answer = kv2.call("GET", "secret/subkeys/a")
    assert answer.status == 404
    assert answer.data["subkeys"] is None
    assert answer.data["metadata"]["deletion_time"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "secret"),
        ("GET", "secret/a"),
        ("POST", "secret/a"),
        ("PATCH", "secret/a"),
        ("DELETE", "secret/a"),
        ("LIST", "secret"),
        ("SCAN", "secret/a"),
        ("GET", "secret/data"),
        ("POST", "secret/metadata"),
        ("POST", "secret/delete"),
        ("GET", "secret/subkeys"),
        ("GET", "secret/config/a"),
        ("LIST", "secret/config"),
    ],
)
def test_a_path_of_version_1_gets_a_hint(kv2: Server, method: str, path: str) -> None:
    answer = kv2.call(method, path, {"a": 1} if method in ("POST", "PATCH") else None)
    assert answer.status == 404
    assert answer.data is None
    assert len(answer.body["warnings"]) == 1


@pytest.mark.parametrize("path", ["data", "data/", "data/a", "delete", "subkeys", "undelete/a"])
def test_what_cannot_be_listed_is_told(kv2: Server, path: str) -> None:
    assert kv2.call("LIST", f"secret/{path}").status == 405
    assert kv2.call("SCAN", f"secret/{path}").status == 405


def test_a_hint_needs_rights(kv2: Server) -> None:
    token = kv2.token("")
    assert kv2.call("GET", "secret/a", token=token).status == 403
