"""What the endpoints tell of themselves: the OpenAPI document and ``?help=1``."""

from collections import Counter
from typing import Any

import pytest

from tests.node import NodeUnderTest, with_node
from wardgate.core.operation import Operation

METHODS = ("get", "post", "patch", "delete")


async def _document(node: NodeUnderTest) -> dict[str, Any]:
    await node.ok("sys/auth/userpass", {"type": "userpass"})
    await node.ok("sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    answer = await node.http(
        "GET", "/v1/sys/internal/specs/openapi", query="generic_mount_paths=true"
    )
    found: dict[str, Any] = answer.json()
    return found


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


@with_node
async def test_every_operation_has_an_id_of_its_own_and_a_summary(node: NodeUnderTest) -> None:
    operations = _operations(await _document(node))
    assert len(operations) > 80
    ids = Counter(operation["operationId"] for _, _, operation in operations)
    assert [name for name, times in ids.items() if times > 1] == []
    for path, method, operation in operations:
        assert operation["summary"], (path, method)
        assert operation["tags"][0] in ("auth", "secrets", "system")


@with_node
async def test_every_name_in_a_path_is_a_parameter_and_no_other(node: NodeUnderTest) -> None:
    document = await _document(node)
    for path, item in document["paths"].items():
        named = {part.partition("}")[0] for part in path.split("{")[1:]}
        assert {parameter["name"] for parameter in item.get("parameters", [])} == named, path


@with_node
async def test_every_schema_is_used_and_every_used_one_is_there(node: NodeUnderTest) -> None:
    document = await _document(node)
    used = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for _, _, operation in _operations(document)
        if "requestBody" in operation
    }
    assert used == set(document["components"]["schemas"])


@with_node
async def test_the_document_tells_who_may_do_what(node: NodeUnderTest) -> None:
    paths = (await _document(node))["paths"]
    assert paths["/sys/seal"]["x-vault-sudo"]
    assert "x-vault-sudo" not in paths["/sys/mounts"]
    login = paths["/auth/{userpass_mount_path}/login/{username}"]
    assert login["x-vault-unauthenticated"]
    assert "x-vault-unauthenticated" not in paths["/sys/mounts"]
    assert paths["/auth/token/roles/{role_name}"]["x-vault-createSupported"]
    assert paths["/auth/token/roles"]["get"]["parameters"][0]["name"] == "list"


@with_node
async def test_the_fields_are_described_by_their_types(node: NodeUnderTest) -> None:
    schemas = (await _document(node))["components"]["schemas"]
    fields = schemas["UserpassWriteUserRequest"]["properties"]
    assert fields["token_ttl"]["format"] == "seconds"
    assert fields["policies"]["deprecated"]
    assert "deprecated" not in fields["token_policies"]
    assert fields["token_policies"]["items"] == {"type": "string"}
    assert fields["token_type"]["default"] == "default-service"


@with_node
async def test_a_caller_sees_the_mounts_that_it_reaches(node: NodeUnderTest) -> None:
    await _document(node)
    await node.policy("reader", {"secret/data/x": "read"})
    reader = (await node.token(policies=["reader"], no_default_policy=True))["client_token"]

    async def roots(token: str | None) -> set[str]:
        answer = await node.http("GET", "/v1/sys/internal/specs/openapi", token=token)
        return {path.split("/")[1] for path in answer.json()["paths"]}

    assert await roots("root") == {"sys", "auth", "secret", "cubbyhole", "identity"}
    assert await roots(reader) == {"sys", "secret"}
    assert await roots(None) == {"sys"}
    assert await roots("s.unknown") == {"sys"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("sys/", "## PATHS"),
        ("auth/userpass/", "Log in with a name and a password."),
        ("auth/userpass/users/ada", "Matching Route: users/{username}"),
        ("auth/userpass/users/ada", "(DEPRECATED)"),
        ("sys/mounts/x/tune", "Matching Route: mounts/{path...}/tune"),
    ],
)
def test_help_tells_what_a_path_is_for(path: str, expected: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.ok("sys/auth/userpass", {"type": "userpass"})
        answer = await node.http("GET", f"/v1/{path}", query="help=1")
        assert answer.status == 200
        assert expected in answer.json()["help"]

    body()


@with_node
async def test_help_needs_a_token_and_a_path_that_there_is(node: NodeUnderTest) -> None:
    assert (await node.call(Operation.HELP, "sys/mounts", token="")).status == 403
    assert (await node.call(Operation.HELP, "sys/nothing")).status == 404
    assert (await node.call(Operation.HELP, "sys/health")).status == 200
