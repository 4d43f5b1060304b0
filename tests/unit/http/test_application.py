"""From a response to the wire: statuses, headers and the envelope."""

from tests.node import NodeUnderTest, with_node

JSON = "application/json"


@with_node
async def test_an_answer_with_data_comes_in_the_envelope(node: NodeUnderTest) -> None:
    answer = await node.http("GET", "/v1/auth/token/lookup-self")
    assert answer.status == 200
    body = answer.json()
    assert set(body) == {
        "request_id",
        "lease_id",
        "renewable",
        "lease_duration",
        "data",
        "wrap_info",
        "warnings",
        "auth",
    }
    assert len(body["request_id"]) == 36
    assert (body["lease_id"], body["renewable"], body["lease_duration"]) == ("", False, 0)
    assert (body["wrap_info"], body["warnings"], body["auth"]) == (None, None, None)
    again = await node.http("GET", "/v1/auth/token/lookup-self")
    assert again.json()["request_id"] != body["request_id"]


@with_node
async def test_some_old_paths_show_their_data_beside_the_envelope_too(node: NodeUnderTest) -> None:
    body = (await node.http("GET", "/v1/sys/mounts")).json()
    assert body["sys/"] == body["data"]["sys/"]


@with_node
async def test_no_answer_may_be_cached_or_guessed_at(node: NodeUnderTest) -> None:
    for method, path in (
        ("GET", "/v1/sys/mounts"),
        ("GET", "/v1/nowhere"),
        ("GET", "/elsewhere"),
        ("POST", "/v1/sys/policies/acl/p"),
        ("HEAD", "/v1/sys/health"),
    ):
        headers = (
            await node.http(method, path, {"policy": ""} if method == "POST" else b"")
        ).headers
        assert headers["cache-control"] == "no-store"
        assert headers["content-type"] == JSON
        assert headers["x-content-type-options"] == "nosniff"
        assert "max-age" in headers["strict-transport-security"]


@with_node
async def test_nothing_found_is_an_empty_list_of_errors(node: NodeUnderTest) -> None:
    for method, path in (
        ("GET", "/v1/sys/policies/acl/none"),
        ("LIST", "/v1/auth/token/roles"),
        ("GET", "/elsewhere"),
    ):
        answer = await node.http(method, path)
        assert (answer.status, answer.json()) == (404, {"errors": []})


@with_node
async def test_a_write_without_an_answer_has_no_body(node: NodeUnderTest) -> None:
    answer = await node.http("PUT", "/v1/auth/token/roles/a", {"orphan": True})
    assert (answer.status, answer.body) == (204, b"")


@with_node
async def test_warnings_come_with_an_answer_that_has_a_body(node: NodeUnderTest) -> None:
    body = {"orphan": True, "colour": "red"}
    assert (await node.http("POST", "/v1/auth/token/roles/a", body)).status == 204
    answer = await node.http("POST", "/v1/auth/token/create", body)
    assert answer.json()["warnings"] == [
        "Endpoint ignored these unrecognized parameters: [colour orphan]"
    ]


@with_node
async def test_head_answers_like_get_without_a_body(node: NodeUnderTest) -> None:
    for path in ("/v1/sys/mounts", "/v1/nowhere", "/v1/sys/health"):
        head, get = await node.http("HEAD", path), await node.http("GET", path)
        assert (head.status, head.body) == (get.status, b"")
        assert get.body != b""


@with_node
async def test_a_list_is_asked_for_by_method_or_by_query(node: NodeUnderTest) -> None:
    by_method = await node.http("LIST", "/v1/sys/policies/acl")
    by_query = await node.http("GET", "/v1/sys/policies/acl", query="list=true")
    with_slash = await node.http("LIST", "/v1/sys/policies/acl/")
    assert by_method.json()["data"] == by_query.json()["data"] == with_slash.json()["data"]
    assert "default" in by_method.json()["data"]["keys"]


@with_node
async def test_a_token_may_come_as_a_bearer(node: NodeUnderTest) -> None:
    answer = await node.http(
        "GET", "/v1/auth/token/lookup-self", token=None, headers={"Authorization": "Bearer root"}
    )
    assert answer.json()["data"]["id"] == "root"


@with_node
async def test_numbers_come_back_as_they_were_sent(node: NodeUnderTest) -> None:
    raw = b'{"big":12345678901234567890123,"fraction":0.10,"tiny":1E-30,"text":"\\u00e9"}'
    assert (await node.http("POST", "/v1/cubbyhole/numbers", raw)).status == 204
    body = (await node.http("GET", "/v1/cubbyhole/numbers")).body
    assert b'"big":12345678901234567890123,' in body
    assert b'"fraction":0.10,' in body
    assert b'"tiny":1E-30,' in body


@with_node
async def test_a_token_is_renewed_over_http_with_an_empty_body(node: NodeUnderTest) -> None:
    token = (await node.token(policies=["default"]))["client_token"]
    for body in (b"", b"{}"):
        answer = await node.http("POST", "/v1/auth/token/renew-self", body, token=token)
        assert answer.json()["auth"]["client_token"] == token
