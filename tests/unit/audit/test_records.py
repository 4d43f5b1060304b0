"""What is recorded of requests and answers."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.audit import (
    JsonMap,
    audited_node,
    enable,
    hashed,
    of_path,
    records,
    until_written,
    written,
)
from tests.node import ROOT_TOKEN, NodeUnderTest
from wardgate.core.operation import Operation

Body = Callable[[NodeUnderTest, Path], Awaitable[None]]


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Body], None]:
    """Runs a coroutine function with an audited node and its log."""

    def runner(body: Body, **options: str) -> None:
        async def main() -> None:
            log = tmp_path / "audit.log"
            node = await audited_node(log, **options)
            try:
                await node.ok("sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
                await body(node, log)
            finally:
                await node.node.stop()

        asyncio.run(main())

    return runner


def test_request_and_answer_are_recorded_with_hashed_texts(run: Callable[[Body], None]) -> None:
    async def body(node: NodeUnderTest, log: Path) -> None:
        data = {"name": "value", "list": ["a", {"deep": "b"}], "number": 5, "nothing": None}
        await node.ok("secret/data/app", {"data": data})
        await node.read("secret/data/app", query={"version": "1"})
        write, written, read, answered = of_path(log, "secret/data/app")
        shown = {
            "name": await hashed(node, "value"),
            "list": [await hashed(node, "a"), {"deep": await hashed(node, "b")}],
            "number": 5,
            "nothing": None,
        }
        assert (write["type"], written["type"]) == ("request", "response")
        assert write["request"]["data"] == {"data": shown}
        assert write["request"]["operation"] == "create"
        assert written["request"] == write["request"]
        assert written["response"]["data"]["version"] == 1
        assert read["request"]["data"] == {"version": await hashed(node, "1")}
        assert answered["response"]["data"]["data"] == shown
        assert answered["request"]["mount_type"] == "kv"

    run(body)


def test_token_and_accessor_are_hashed_and_policies_named(run: Callable[[Body], None]) -> None:
    async def body(node: NodeUnderTest, log: Path) -> None:
        await node.policy("one", {"secret/data/*": "read"})
        await node.policy("two", {"secret/data/*": "read,update"})
        await node.policy("three", {"secret/data/*": "update"})
        made = await node.token(policies=["one", "two", "three"], meta={"who": "ada"}, num_uses=2)
        await node.read("secret/data/x", token=made["client_token"])
        request = of_path(log, "secret/data/x")[0]
        auth = request["auth"]
        assert auth["client_token"] == await hashed(node, made["client_token"])
        assert auth["accessor"] == await hashed(node, made["accessor"])
        assert request["request"]["client_token"] == auth["client_token"]
        assert request["request"]["client_token_accessor"] == auth["accessor"]
        assert auth["policies"] == ["default", "one", "three", "two"]
        assert auth["metadata"] == {"who": "ada"}
        assert auth["remaining_uses"] == 2
        granting = [policy["name"] for policy in auth["policy_results"]["granting_policies"]]
        assert granting == ["one", "two"]

    run(body)


def test_the_same_request_is_recorded_as_it_is_each_time(run: Callable[[Body], None]) -> None:
    """What records have in common is remembered; what has changed meanwhile is told all the same."""

    async def body(node: NodeUnderTest, log: Path) -> None:
        async def seen(**options: Any) -> JsonMap:
            """Asks twice, and gives the record of the second time."""
            await node.read("secret/data/x", token=token)
            await node.read("secret/data/x", token=token, **options)
            record: JsonMap = of_path(log, "secret/data/x")[-2]
            assert record["type"] == "request"
            return record

        async def granting(**rules: str) -> list[str]:
            for name, capabilities in rules.items():
                await node.policy(name, {"secret/data/*": capabilities})
            results = (await seen())["auth"]["policy_results"]
            return [policy["name"] for policy in results["granting_policies"]]

        made = await node.token(policies=["one", "two"], ttl="1h")
        token = made["client_token"]
        assert await granting(one="read", two="read") == ["one", "two"]
        assert await granting(one="update") == ["two"]
        first = (await seen())["request"]
        assert (await seen())["request"]["id"] != first["id"]
        elsewhere = (await seen(peer="192.0.2.7:1234", wrap_ttl=60))["request"]
        assert (elsewhere["remote_address"], elsewhere["remote_port"]) == ("192.0.2.7", 1234)
        assert elsewhere["wrap_ttl"] == 60
        assert "wrap_ttl" not in (await seen())["request"]
        await node.delete("sys/mounts/secret")
        await node.ok("sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        assert (await seen())["request"]["mount_accessor"] != first["mount_accessor"]
        await node.delete("secret/data/x", token=token)
        assert of_path(log, "secret/data/x")[-1]["request"]["operation"] == "delete"

    run(body)


@pytest.mark.parametrize("uses", [0, 1])
def test_denied_request_is_recorded_with_its_error(run: Callable[[Body], None], uses: int) -> None:
    async def body(node: NodeUnderTest, log: Path) -> None:
        token = (await node.token(policies=["default"], num_uses=uses))["client_token"]
        assert (await node.read("secret/data/x", token=token)).status == 403
        request, answer = of_path(log, "secret/data/x")
        assert request["error"] == answer["error"] == "permission denied"
        assert request["auth"]["policy_results"] == {"allowed": False}
        assert answer["response"]["data"] == {"error": await hashed(node, "permission denied")}

    run(body)


def test_unknown_token_is_recorded_hashed(run: Callable[[Body], None]) -> None:
    async def body(node: NodeUnderTest, log: Path) -> None:
        await node.read("secret/data/x", token="nobody's")
        request, _ = of_path(log, "secret/data/x")
        shown = await hashed(node, "nobody's")
        assert request["auth"] == {"token_type": "default"}
        assert request["request"]["client_token"] == shown
        assert request["error"] == "permission denied"

    run(body)


def test_login_shows_who_logged_in(run: Callable[[Body], None]) -> None:
    async def body(node: NodeUnderTest, log: Path) -> None:
        await node.user(token_ttl="1h")
        auth = (await node.login()).auth
        assert auth is not None
        await node.login(password="wrong")
        request, answer, refused, error = of_path(log, "auth/userpass/login/ada")
        assert request["auth"] == {"policy_results": {"allowed": True}, "token_type": "default"}
        assert request["request"]["data"] == {"password": await hashed(node, "correct horse")}
        shown = answer["response"]["auth"]
        assert answer["auth"] == shown
        assert shown["client_token"] == await hashed(node, auth["client_token"])
        assert (shown["display_name"], shown["token_ttl"]) == ("userpass-ada", 3600)
        assert "error" not in refused
        assert error["error"] == "invalid username or password"

    run(body)


def test_wrapped_answer_shows_the_wrapping_and_nothing_of_what_it_wraps(
    run: Callable[[Body], None],
) -> None:
    async def body(node: NodeUnderTest, log: Path) -> None:
        await node.ok("secret/data/app", {"data": {"name": "value"}})
        answer = await node.http("GET", "/v1/secret/data/app", headers={"X-Vault-Wrap-TTL": "60"})
        info = answer.json()["wrap_info"]
        record = of_path(log, "secret/data/app")[-1]
        assert record["request"]["wrap_ttl"] == 60
        assert "data" not in record["response"]
        wrap_info = record["response"]["wrap_info"]
        assert wrap_info["token"] == await hashed(node, info["token"])
        assert wrap_info["accessor"] == await hashed(node, info["accessor"])
        assert wrap_info["creation_path"] == "secret/data/app"

    run(body)


def test_mount_tuning_shows_named_fields(run: Callable[[Body], None]) -> None:
    async def body(node: NodeUnderTest, log: Path) -> None:
        config = {
            "audit_non_hmac_request_keys": ["name", "list"],
            "audit_non_hmac_response_keys": ["name"],
        }
        await node.ok("sys/mounts/kv", {"type": "kv", "config": config})
        data = {
            "name": "clear",
            "list": ["clear", {"deep": "b"}],
            "other": "c",
            "in": {"name": "d"},
        }
        await node.ok("kv/app", data)
        await node.read("kv/app")
        request, _, _, answer = of_path(log, "kv/app")
        other, deep = await hashed(node, "c"), await hashed(node, "b")
        assert request["request"]["data"] == {
            "name": "clear",
            "list": ["clear", {"deep": deep}],
            "other": other,
            "in": {"name": "d"},
        }
        clear = await hashed(node, "clear")
        assert answer["response"]["data"]["list"] == [clear, {"deep": deep}]
        assert answer["response"]["data"]["name"] == "clear"

    run(body)


def test_request_headers_are_shown_as_configured(run: Callable[[Body], None]) -> None:
    async def body(node: NodeUnderTest, log: Path) -> None:
        path = "sys/config/auditing/request-headers"
        await node.ok(f"{path}/X-Shown", {})
        await node.ok(f"{path}/X-Hashed", {"hmac": True})
        headers = {"X-Shown": "one", "X-Hashed": "two", "X-Other": "three"}
        await node.http("GET", "/v1/secret/data/x", headers=headers)
        request, _ = of_path(log, "secret/data/x")
        shown = {"x-shown": ["one"], "x-hashed": [await hashed(node, "two")]}
        assert request["request"]["headers"] == shown

    run(body)


def test_request_id_is_that_of_the_answer(run: Callable[[Body], None]) -> None:
    async def body(node: NodeUnderTest, log: Path) -> None:
        answer = await node.http("GET", "/v1/sys/mounts")
        for record in of_path(log, "sys/mounts"):
            assert record["request"]["id"] == answer.json()["request_id"]

    run(body)


def test_token_in_a_path_is_hashed(run: Callable[[Body], None]) -> None:
    async def body(node: NodeUnderTest, log: Path) -> None:
        token = (await node.token())["client_token"]
        shown = await hashed(node, token)
        for before in ("auth/token/lookup/", "nowhere/", ""):
            answer = await node.read(f"{before}{token}/x")
            assert answer.status == 404
            _, record = of_path(log, f"{before}{shown}/x")
            if before != "auth/token/lookup/":
                assert f'"{before}{shown}/x"' in record["error"], "the message names the path"
        assert token not in written(log)

    run(body)


def test_state_endpoints_are_not_recorded(run: Callable[[Body], None]) -> None:
    async def body(node: NodeUnderTest, log: Path) -> None:
        before = len(records(log))
        for path in ("sys/health", "sys/seal-status", "sys/leader", "sys/init"):
            assert (await node.read(path)).status == 200
        assert len(records(log)) == before

    run(body)


def test_request_above_a_rate_limit_is_recorded_where_that_is_wanted(
    run: Callable[[Body], None],
) -> None:
    async def body(node: NodeUnderTest, log: Path) -> None:
        await node.ok("sys/quotas/rate-limit/few", {"path": "secret/", "rate": 1})
        for wanted, expected in ((False, 0), (True, 2)):
            await node.ok("sys/quotas/config", {"enable_rate_limit_audit_logging": wanted})
            await node.read("secret/data/first")
            path = f"secret/data/{wanted}"
            assert (await node.read(path)).status == 429
            assert len(of_path(log, path)) == expected

    run(body)


def test_sealing_is_recorded(run: Callable[[Body], None]) -> None:
    async def body(node: NodeUnderTest, log: Path) -> None:
        await node.ok("sys/seal")
        request, answer = of_path(log, "sys/seal")
        assert (request["type"], answer["type"]) == ("request", "response")

    run(body)


def test_large_bodies_are_hashed_whole(run: Callable[[Body], None]) -> None:
    async def body(node: NodeUnderTest, log: Path) -> None:
        data = {f"name-{number}": f"value-{number}" for number in range(5000)}
        await node.ok("secret/data/big", {"data": data})
        await node.read("secret/data/big")
        text = written(log)
        assert "name-4999" in text
        assert "value-" not in text

    run(body)


def test_options_of_the_records(tmp_path: Path) -> None:
    """`log_raw`, `hmac_accessor`, `elide_list_responses` and `prefix` change the records of their
    own device only."""

    async def main() -> None:
        plain, log = tmp_path / "plain.log", tmp_path / "file.log"
        node = await audited_node(log)
        await enable(
            node, "plain", plain, log_raw="true", elide_list_responses="true", prefix="@cee: "
        )
        accessors = tmp_path / "accessors.log"
        await enable(node, "accessors", accessors, hmac_accessor="false")
        made = await node.token()
        await node.call(Operation.LIST, "auth/token/accessors")
        for file in (log, plain, accessors):
            await until_written(file, "auth/token/accessors/", 2)
        await node.node.stop()
        lines = plain.read_text().splitlines()
        assert all(line.startswith("@cee: {") for line in lines)
        assert made["client_token"] in plain.read_text()
        assert '"keys":2' in lines[-1]
        assert ROOT_TOKEN in plain.read_text()
        text = accessors.read_text()
        assert made["accessor"] in text
        assert made["client_token"] not in text
        assert len(records(log)[-1]["response"]["data"]["keys"]) == 2
        assert made["accessor"] not in log.read_text()

    asyncio.run(main())
