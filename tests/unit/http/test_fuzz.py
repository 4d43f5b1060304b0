"""Whatever comes over the wire is answered with a status and JSON, and never with a failure."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.node import HttpAnswer, NodeUnderTest

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "LIST", "SCAN", "TRACE", "x"]

_ENDING = (
    "/sys/seal",
    "/auth/token/revoke",
    "/auth/token/revoke-orphan",
    "/auth/token/revoke-self",
)
"""What would end the server or the token that the other examples need."""

_loop = asyncio.new_event_loop()
_made: list[NodeUnderTest] = []
_routes: list[tuple[str, list[str]]] = []


def _node() -> NodeUnderTest:
    """One server for all examples: what they do to each other belongs to it."""
    if not _made:
        node = _loop.run_until_complete(NodeUnderTest.start())
        _loop.run_until_complete(node.user())
        _loop.run_until_complete(node.ok("sys/mounts/kv1", {"type": "kv"}))
        _loop.run_until_complete(
            node.ok("sys/mounts/kv2", {"type": "kv", "options": {"version": "2"}})
        )
        document = _loop.run_until_complete(
            node.http("GET", "/v1/sys/internal/specs/openapi")
        ).json()
        schemas = document["components"]["schemas"]
        for path, item in sorted(document["paths"].items()):
            fields: list[str] = []
            for method in ("post", "patch"):
                if "requestBody" in item.get(method, {}):
                    content = item[method]["requestBody"]["content"]["application/json"]
                    fields += schemas[content["schema"]["$ref"].rpartition("/")[2]]["properties"]
            if path not in _ENDING:
                _routes.append((path, fields))
        _made.append(node)
    return _made[0]


def _send(method: str, path: str, body: bytes, query: str, headers: dict[str, str]) -> HttpAnswer:
    return _loop.run_until_complete(_node().http(method, path, body, query=query, headers=headers))


def _check(answer: HttpAnswer) -> None:
    assert 200 <= answer.status < 500
    if not answer.body:
        return
    body = json.loads(answer.body)
    if answer.status == 404 and "request_id" in body:
        assert body["warnings"] or body["data"]  # an envelope: nothing there, and why
    elif answer.status >= 400:
        assert list(body) == ["errors"]
        assert all(isinstance(message, str) for message in body["errors"])


_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(
        ["", "1h", "-1", "root", "default", "b.AAAA", "s.x", "*", "a,b", "[", "{}", "2030-01-01"]
    )
)
_json = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_segments = st.text(min_size=1, max_size=20) | st.sampled_from(
    ["a", "default", "ada", "root", "a" * 600, "..", ".", "tune", "%2e", "secret", "é"]
)
_bodies = (
    st.binary(max_size=50)
    | st.dictionaries(st.text(max_size=10), _json, max_size=4).map(lambda d: json.dumps(d).encode())
    | st.sampled_from([b"", b"{}", b"[]", b"null", b"[" * 2000, b'{"a":' * 2000, b"a=b&c=d"])
)
_headers = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(
            [
                "application/json",
                "application/x-www-form-urlencoded",
                "application/merge-patch+json",
            ]
        )
        | st.text(max_size=10),
        "content-length": st.sampled_from(["0", "99999999999", "x", "-1"]),
        "x-vault-wrap-ttl": st.text(max_size=5) | st.sampled_from(["", "1m", "-1"]),
        "x-vault-token": st.text(max_size=10) | st.sampled_from(["root", "b.AAAA", "s.é", ""]),
        "authorization": st.text(max_size=10) | st.sampled_from(["Bearer", "Bearer root"]),
    },
)
_fast = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_fast
@given(
    st.sampled_from(METHODS),
    st.text(max_size=30).map("/v1/{}".format) | st.text(max_size=30),
    _bodies,
    st.text(max_size=30),
    _headers,
)
def test_any_request_is_answered(
    method: str, path: str, body: bytes, query: str, headers: dict[str, str]
) -> None:
    _check(_send(method, path, body, query, headers))


@_fast
@given(st.data())
def test_any_use_of_the_known_paths_and_fields_is_answered(data: st.DataObject) -> None:
    _node()
    pattern, fields = data.draw(st.sampled_from(_routes))
    path = "/v1" + "/".join(
        data.draw(_segments) if part.startswith("{") else part for part in pattern.split("/")
    )
    body: dict[str, Any] = {}
    if fields:
        body = data.draw(st.dictionaries(st.sampled_from(fields), _json, max_size=4))
    method = data.draw(st.sampled_from(METHODS))
    headers = {"content-type": "application/merge-patch+json"} if method == "PATCH" else {}
    query = data.draw(st.sampled_from(["", "list=true", "help=1", "after=%00&limit=-1", "limit=x"]))
    _check(_send(method, path, json.dumps(body).encode(), query, headers))


@pytest.fixture(autouse=True, scope="module")
def _close() -> Any:
    yield
    for node in _made:
        _loop.run_until_complete(node.node.stop())
    _loop.close()
