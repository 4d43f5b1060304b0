"""No answer that refuses, no warning and no log repeats a value, at any endpoint (security case 40).

The OpenAPI document of a server says which endpoints and fields there are, so those that come later
are tried too. Each field is sent a marker in several forms. What a request asks to be read back is
another matter: only errors, warnings and logs are looked at.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.issuer import pem
from tests.node import HttpAnswer, NodeUnderTest, with_node

MARK = "hunter2-Zq9"
MOUNTS: dict[str, dict[str, Any]] = {
    "kv-one": {"type": "kv"},
    "kv-two": {"type": "kv", "options": {"version": "2"}},
}
NAME = "some-name"
"""Stands for every name in a path: paths are no values, and do come back."""


@dataclass(frozen=True)
class Call:
    """One operation of the document, with its fields."""

    method: str
    path: str
    fields: tuple[str, ...]
    parameters: tuple[str, ...]


def shapes(field: str) -> Iterator[Any]:
    """The marker in forms of which most are wrong for any one field."""
    yield MARK
    yield [MARK]
    yield {MARK: MARK}
    yield [{field: [MARK]}]
    yield f"{MARK}\n\x00\u2028"
    yield f'{{"{MARK}": "{MARK}"'
    yield f"10.0.0.{MARK}/8,{MARK}"


def calls(document: dict[str, Any]) -> Iterator[Call]:
    schemas = document["components"]["schemas"]
    for path, item in document["paths"].items():
        shared = item.get("parameters", [])
        for verb, operation in item.items():
            if verb not in ("get", "post", "delete", "patch"):
                continue
            schema: dict[str, Any] = {}
            for content in operation.get("requestBody", {}).get("content", {}).values():
                reference = content["schema"].get("$ref", "")
                schema = schemas.get(reference.rpartition("/")[2], content["schema"])
            given = [*shared, *operation.get("parameters", [])]
            yield Call(
                verb.upper(),
                _filled(path, [each["name"] for each in given if each["in"] == "path"]),
                tuple(schema.get("properties", {})),
                tuple(each["name"] for each in given if each["in"] == "query"),
            )


def _filled(path: str, names: list[str]) -> str:
    for name in names:
        path = path.replace(f"{{{name}}}", NAME)
    return path


async def world(node: NodeUnderTest) -> dict[str, Any]:
    """A server with one mount of each kind; its document."""
    await node.user(NAME)
    await node.ok("sys/auth/jwt", {"type": "jwt"})
    await node.ok("auth/jwt/config", {"jwt_validation_pubkeys": [pem("ec")]})
    role = {"role_type": "jwt", "user_claim": "sub", "bound_subject": NAME}
    await node.ok(f"auth/jwt/role/{NAME}", role)
    await node.ok(f"auth/jwt/cel/role/{NAME}", {"cel_program": {"expression": "false"}})
    for path, body in MOUNTS.items():
        await node.ok(f"sys/mounts/{path}", body)
    answer = await node.http("GET", "/v1/sys/internal/specs/openapi")
    document: dict[str, Any] = answer.json()
    return document


async def send(
    node: NodeUnderTest, call: Call, body: Any = None, query: str = "", token: str | None = None
) -> HttpAnswer:
    kind = "application/merge-patch+json" if call.method == "PATCH" else "application/json"
    raw = b"" if body is None else json.dumps(body).encode()
    answer = await node.http(
        call.method,
        f"/v1{call.path}",
        raw,
        query=query,
        token=token,
        headers={"Content-Type": kind},
    )
    await unsealed(node)
    return answer


async def unsealed(node: NodeUnderTest) -> None:
    """Mend what a call to seal the server has done."""
    if node.node.barrier.sealed:
        await node.node.seal.submit(node.keys[0])


def told(answer: HttpAnswer) -> str:
    """What the answer says about the request: all of it if it refuses, else its warnings."""
    if answer.status >= 400:
        return answer.body.decode() + json.dumps(answer.headers)
    try:
        body = json.loads(answer.body) if answer.body else {}
    except ValueError:
        return ""
    return json.dumps(body.get("warnings")) if isinstance(body, dict) else ""


class _Lines(logging.Handler):
    """Keeps what is logged, for the test alone: pytest would print all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def log() -> Iterator[list[str]]:
    handler, logger = _Lines(), logging.getLogger("wardgate")
    before = (logger.handlers, logger.level, logger.propagate)
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.DEBUG)
    yield handler.lines
    logger.handlers, logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


def test_40_no_endpoint_repeats_a_value_of_any_field(log: list[str]) -> None:

    @with_node
    async def body(node: NodeUnderTest) -> None:
        document = await world(node)
        tried = fields = 0
        echoes: list[tuple[str, str, object]] = []
        for call in calls(document):
            # its own, since some calls revoke it
            token = (await node.token(policies=["root"]))["client_token"]
            for name in call.fields:
                fields += 1
                for value in shapes(name):
                    answer = await send(node, call, {name: value}, token=token)
                    if MARK in told(answer):
                        echoes.append((call.method, call.path, name))
                    tried += 1
            everything = dict.fromkeys((*call.fields, "odd-one"), MARK)
            for token_sent in (token, None, f"s.{MARK}"):
                answer = await send(node, call, everything, token=token_sent)
                if MARK in told(answer):
                    echoes.append((call.method, call.path, "all fields"))
                tried += 1
            for name in (*call.parameters, "odd-one"):
                answer = await send(node, call, query=f"{name}={MARK}", token=token)
                if MARK in told(answer):
                    echoes.append((call.method, call.path, f"?{name}"))
                tried += 1
            if (await node.read(f"auth/userpass/users/{NAME}")).status != 200:
                await node.user(NAME)  # which a call has removed
        assert echoes == []
        assert fields > 100
        assert tried > 1000

    body()
    assert any("path=" in line for line in log)
    assert [line for line in log if MARK in line] == []
    assert [line for line in log if "unexpectedly" in line] == []


def test_40_no_endpoint_repeats_a_body_that_it_cannot_read(log: list[str]) -> None:

    @with_node
    async def body(node: NodeUnderTest) -> None:
        for call in calls(await world(node)):
            if call.method not in ("POST", "PATCH"):
                continue
            for raw in (f'{{"{MARK}": {MARK}', f'["{MARK}"]', f'{{"a": "\\ud800{MARK}"}}'):
                answer = await node.http(
                    call.method, f"/v1{call.path}", raw.encode(), headers={"Content-Type": MARK}
                )
                assert MARK not in told(answer), (call, raw)
                await unsealed(node)

    body()
    assert MARK not in "".join(log)
