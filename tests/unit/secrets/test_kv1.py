"""KV version 1."""

import pytest

from tests.unit.secrets.server import Server

DAY = 86_400


def test_a_secret_is_written_read_replaced_and_deleted(kv1: Server) -> None:
    assert kv1.call("GET", "secret/a").status == 404
    assert kv1.call("POST", "secret/a", {"user": "bob", "n": {"x": [1, None]}}).status == 204
    assert kv1.call("GET", "secret/a").data == {"user": "bob", "n": {"x": [1, None]}}
    assert kv1.call("PUT", "secret/a", {"other": "é"}).status == 204
    assert kv1.call("GET", "secret/a").data == {"other": "é"}
    assert kv1.call("DELETE", "secret/a").status == 204
    assert kv1.call("GET", "secret/a").errors == []
    assert kv1.call("DELETE", "secret/a").status == 204


def test_numbers_keep_their_digits(kv1: Server) -> None:
    numbers = '{"price":1.50,"big":123456789012345678901234567890,"small":1.10000000000000000001}'
    kv1.call("POST", "secret/a", numbers)
    assert numbers in kv1.call("GET", "secret/a").text


def test_fields_may_have_any_name(kv1: Server) -> None:
    kv1.call("POST", "secret/a", {"path": "x", "version": 1})
    answer = kv1.call("GET", "secret/a")
    assert answer.data == {"path": "x", "version": 1}
    assert answer.body["warnings"] is None


@pytest.mark.parametrize("body", [{}, None])
def test_nothing_to_write_is_refused(kv1: Server, body: dict[str, str] | None) -> None:
    assert kv1.call("POST", "secret/a", body).status == 400


@pytest.mark.parametrize("path", ["secret", "secret/", "secret/folder/", "secret/" + 500 * "x"])
def test_a_path_without_a_name_cannot_be_written(kv1: Server, path: str) -> None:
    assert kv1.call("POST", path, {"a": "b"}).status == 400
    assert kv1.call("GET", path).status == 404
    assert kv1.call("DELETE", path).status == 204


@pytest.mark.parametrize(
    ("secret", "lease"),
    [
        ({"a": 1}, 32 * DAY),
        ({"ttl": "1h"}, 3600),
        ({"lease": "30m"}, 1800),
        ({"ttl": "1h", "lease": "2h"}, 3600),
        ({"ttl": 90}, 90),
        ({"ttl": "1d"}, DAY),
        ({"ttl": None}, 0),
        ({"ttl": ""}, 0),
        ({"ttl": "soon"}, 32 * DAY),
        ({"ttl": "soon", "lease": "2h"}, 32 * DAY),
        ({"ttl": 1.5}, 32 * DAY),
        ({"ttl": True}, 32 * DAY),
        ({"ttl": ["1h"]}, 32 * DAY),
        ({"ttl": -5}, 32 * DAY),
    ],
)
def test_a_secret_says_how_long_it_is_good_for(
    kv1: Server, secret: dict[str, object], lease: int
) -> None:
    kv1.call("POST", "secret/a", secret)
    answer = kv1.call("GET", "secret/a")
    assert answer.body["lease_duration"] == lease
    assert answer.data == secret


def test_the_mount_says_how_long_other_secrets_are_good_for(kv1: Server) -> None:
    kv1.call("POST", "secret/a", {"a": 1})
    kv1.call("POST", "sys/mounts/secret/tune", {"default_lease_ttl": "1h"})
    assert kv1.call("GET", "secret/a").body["lease_duration"] == 3600


def test_lists_are_of_one_level_and_scans_of_all(kv1: Server) -> None:
    for path in ("top", "folder", "folder/one", "folder/two", "folder/deep/three", "zoo/cat"):
        kv1.call("POST", f"secret/{path}", {"a": "b"})
    for folder in ("secret", "secret/"):
        assert kv1.call("LIST", folder).data == {"keys": ["folder", "folder/", "top", "zoo/"]}
    for folder in ("secret/folder", "secret/folder/"):
        assert kv1.call("LIST", folder).data == {"keys": ["deep/", "one", "two"]}
    assert kv1.call("LIST", "secret/top").status == 404
    assert kv1.call("SCAN", "secret/folder").data == {"keys": ["one", "two", "deep/three"]}
    assert len(kv1.call("SCAN", "secret").data["keys"]) == 6
    assert kv1.call("SCAN", "secret/top").data == {}


def test_a_first_write_is_a_creation(kv1: Server) -> None:
    creator = kv1.token('path "secret/*" { capabilities = ["create"] }')
    assert kv1.call("POST", "secret/a", {"a": 1}, creator).status == 204
    assert kv1.call("POST", "secret/a", {"a": 2}, creator).status == 403
    updater = kv1.token('path "secret/*" { capabilities = ["update"] }')
    assert kv1.call("POST", "secret/a", {"a": 2}, updater).status == 204
    assert kv1.call("POST", "secret/b", {"a": 2}, updater).status == 403


def test_there_is_nothing_to_patch(kv1: Server) -> None:
    kv1.call("POST", "secret/a", {"a": 1})
    assert kv1.call("PATCH", "secret/a", {"a": 2}).status == 405


def test_a_read_takes_one_record(kv1: Server) -> None:
    kv1.call("POST", "secret/a", {"a": "x" * 100_000})
    assert kv1.reads("secret/a") == 1
