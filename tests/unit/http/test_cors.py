"""Requests from pages of other origins."""

from tests.node import HttpAnswer, NodeUnderTest, with_node
from wardgate.http.response_headers import ResponseHeaders
from wardgate.http.rules import Rules

PAGE = {"Origin": "https://a.example"}
OTHER = {"Origin": "https://evil.example"}


async def allow(node: NodeUnderTest, origins: str = "https://a.example", **more: object) -> None:
    await node.ok("sys/config/cors", {"allowed_origins": origins, **more})


def crossing(answer: HttpAnswer) -> dict[str, str]:
    return {
        name: value for name, value in answer.headers.items() if name.startswith("access-control-")
    }


@with_node
async def test_without_configuration_nothing_is_said(node: NodeUnderTest) -> None:
    answer = await node.http("GET", "/v1/sys/health", headers=PAGE)
    assert (answer.status, crossing(answer)) == (200, {})
    asked = await node.http("OPTIONS", "/v1/sys/health", headers=PAGE)
    assert (asked.status, crossing(asked)) == (405, {})


@with_node
async def test_pages_of_allowed_origins_may_read_answers(node: NodeUnderTest) -> None:
    await allow(node)
    for path, status in (("sys/health", 200), ("secret/none", 404), ("../x", 400)):
        answer = await node.http("GET", f"/v1/{path}", headers=PAGE)
        assert answer.status == status
        assert crossing(answer) == {"access-control-allow-origin": "https://a.example"}
        assert answer.headers["vary"] == "Origin"
    assert crossing(await node.http("GET", "/v1/sys/health")) == {}


@with_node
async def test_a_request_of_another_origin_does_nothing(node: NodeUnderTest) -> None:
    await allow(node)
    answer = await node.http("POST", "/v1/cubbyhole/a", {"b": "c"}, headers=OTHER)
    assert (answer.status, answer.json()) == (403, {"errors": ["origin not allowed"]})
    assert crossing(answer) == {}
    assert (await node.read("cubbyhole/a")).status == 404


@with_node
async def test_a_browser_is_told_what_it_may_use(node: NodeUnderTest) -> None:
    await allow(node, allowed_headers=["X-Custom"], allow_credentials=True)
    wanted = {**PAGE, "Access-Control-Request-Method": "LIST"}
    answer = await node.http("OPTIONS", "/v1/cubbyhole/a", token=None, headers=wanted)
    said = crossing(answer)
    assert (answer.status, answer.body) == (200, b"")
    assert said["access-control-allow-headers"].endswith("X-Vault-Policy-Override,X-Custom")
    assert said["access-control-allow-credentials"] == "true"
    assert "PATCH" in said["access-control-allow-methods"].split(",")
    for method in ("BREW", "get", ""):
        odd = {**PAGE, "Access-Control-Request-Method": method}
        assert (await node.http("OPTIONS", "/v1/cubbyhole/a", headers=odd)).status == 405


@with_node
async def test_another_process_knows_at_once(node: NodeUnderTest) -> None:
    other = await node.another()
    await allow(node)
    assert (await other.http("GET", "/v1/sys/health", headers=OTHER)).status == 403
    assert (await node.delete("sys/config/cors")).status == 204
    assert (await other.http("GET", "/v1/sys/health", headers=OTHER)).status == 200


@with_node
async def test_a_sealed_server_tells_its_state_to_any_page(node: NodeUnderTest) -> None:
    await allow(node)
    await node.ok("sys/seal")
    answer = await node.http("GET", "/v1/sys/health", headers=OTHER)
    assert (answer.status, crossing(answer)) == (503, {})


@with_node
async def test_headers_of_the_operator_are_added_too(node: NodeUnderTest) -> None:
    node.application.use(
        Rules(
            response_headers=ResponseHeaders(
                (
                    ("default", (("X-A", "1"), ("Cache-Control", "private"))),
                    ("403", (("X-A", "2"),)),
                )
            )
        )
    )
    await allow(node)
    answer = await node.http("GET", "/v1/sys/health", headers=PAGE)
    assert (answer.headers["x-a"], answer.headers["cache-control"]) == ("1", "private")
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert (await node.http("GET", "/v1/sys/health", headers=OTHER)).headers["x-a"] == "2"
    wanted = {**PAGE, "Access-Control-Request-Method": "GET"}
    assert (await node.http("OPTIONS", "/v1/x", headers=wanted)).headers["x-a"] == "1"


@with_node
async def test_what_is_written_is_bounded(node: NodeUnderTest) -> None:
    for body in (
        {"allowed_origins": ["https://a.example\r\nX-B: c"]},
        {"allowed_origins": ["*"], "allowed_headers": ["X-\nA"]},
        {"allowed_origins": ["*"], "allowed_headers": ["X A"]},
        {"allowed_origins": [f"https://{n}.example" for n in range(1001)]},
    ):
        refused = await node.write("sys/config/cors", body)
        assert refused.status == 400, body
    assert (await node.read("sys/config/cors")).data == {"enabled": False}
