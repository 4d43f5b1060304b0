"""The cubbyhole."""

import pytest

from tests.unit.secrets.server import Server
from wardgate.core.tokens.store import CUBBYHOLES


@pytest.fixture
def token(server: Server) -> str:
    return server.token("")


def test_a_token_reads_what_it_wrote_and_no_other_does(server: Server, token: str) -> None:
    assert server.call("POST", "cubbyhole/a", {"x": "y", "n": 1}, token).status == 204
    answer = server.call("GET", "cubbyhole/a", token=token)
    assert answer.data == {"x": "y", "n": 1}
    assert answer.body["lease_duration"] == 0
    other = server.token("")
    for stranger in (other, server.root_token):
        assert server.call("GET", "cubbyhole/a", token=stranger).status == 404
        assert server.call("LIST", "cubbyhole/", token=stranger).status == 404
    assert server.call("DELETE", "cubbyhole/a", token=other).status == 204
    assert server.call("GET", "cubbyhole/a", token=token).status == 200


def test_it_is_listed_level_by_level_and_deleted(server: Server, token: str) -> None:
    server.call("POST", "cubbyhole/a", {"x": 1}, token)
    server.call("PUT", "cubbyhole/folder/b", {"x": 1}, token)
    assert server.call("LIST", "cubbyhole/", token=token).data == {"keys": ["a", "folder/"]}
    assert server.call("LIST", "cubbyhole/folder", token=token).data == {"keys": ["b"]}
    assert server.call("DELETE", "cubbyhole/a", token=token).status == 204
    assert server.call("GET", "cubbyhole/a", token=token).status == 404
    assert server.call("DELETE", "cubbyhole/a", token=token).status == 204


def test_it_goes_with_its_token(server: Server, token: str) -> None:
    server.call("POST", "cubbyhole/folder/a", {"x": "y"}, token)
    assert server.stored(CUBBYHOLES)
    server.call("POST", "auth/token/revoke-self", token=token)
    assert server.call("GET", "cubbyhole/folder/a", token=token).status == 403
    server.sweep()
    assert not server.stored(CUBBYHOLES)


def test_it_goes_when_its_token_expires(server: Server) -> None:
    token = server.token("", ttl="1h")
    server.call("POST", "cubbyhole/a", {"x": "y"}, token)
    server.clock.advance(3601)
    server.sweep()
    assert not server.stored(CUBBYHOLES)


def test_what_a_last_use_writes_leaves_nothing_behind(server: Server) -> None:
    token = server.token("", num_uses=1)
    assert server.call("POST", "cubbyhole/a", {"x": "y"}, token).status == 204
    server.sweep()
    assert not server.stored(CUBBYHOLES)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "LIST"])
def test_a_batch_token_has_none(server: Server, method: str) -> None:
    batch = server.token("", type="batch")
    answer = server.call(method, "cubbyhole/a", {"x": 1} if method == "POST" else None, batch)
    assert answer.status == 400
    assert not server.stored(CUBBYHOLES)


@pytest.mark.parametrize(
    ("path", "read"),
    [("cubbyhole", 400), ("cubbyhole/", 400), ("cubbyhole/f/", 404), ("cubbyhole/\x01", 404)],
)
def test_a_path_without_a_name_cannot_be_written(server: Server, path: str, read: int) -> None:
    assert server.call("POST", path, {"x": 1}).status == 400
    assert server.call("GET", path).status == read


def test_nothing_to_write_is_refused(server: Server) -> None:
    assert server.call("POST", "cubbyhole/a", {}).status == 400
    assert server.call("POST", "cubbyhole/a").status == 400
