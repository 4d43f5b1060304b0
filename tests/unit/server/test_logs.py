"""What is logged about the server and its requests, and what never is."""

import asyncio
import json
import logging
import re
from collections.abc import Iterator

import pytest

from tests.clock import ManualClock
from tests.node import ROOT_TOKEN, NodeUnderTest, share, with_node
from wardgate.core.settings import Settings
from wardgate.server.config import LogFormat, LogLevel
from wardgate.server.logs import set_up_logs
from wardgate.server.node import Node
from wardgate.store.memory import MemoryStore

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def logger_as_it_was() -> Iterator[None]:
    logger = logging.getLogger("wardgate")
    before = (logger.handlers, logger.level, logger.propagate)
    yield
    logger.handlers, logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


def _lines_of_requests(text: str) -> list[str]:
    return [line for line in text.splitlines() if " request id=" in line]


@pytest.mark.parametrize("level", [LogLevel.DEBUG, LogLevel.TRACE])
def test_each_request_is_a_line_without_its_secrets(
    level: LogLevel, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(level, LogFormat.STANDARD)

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.user("ada", SECRET)
        login = "/v1/auth/userpass/login/ada"
        good = await node.http("PUT", login, {"password": SECRET}, token=None, query="q=" + SECRET)
        bad = await node.http("PUT", login, {"password": SECRET + "x"}, token=None)
        token = good.json()["auth"]["client_token"]
        looked = await node.http("GET", "/v1/auth/token/lookup-self", token=token)
        odd = await node.http("GET", f"/v1/auth/token/lookup/{token}")
        await node.http("GET", "/v1/a\nb", token=None)
        written = capsys.readouterr().err
        lines = _lines_of_requests(written)
        assert (good.status, bad.status, looked.status, odd.status) == (200, 400, 200, 404)
        for line, (method, path, status) in zip(
            lines,
            [
                ("PUT", "/v1/auth/userpass/login/ada", 200),
                ("PUT", "/v1/auth/userpass/login/ada", 400),
                ("GET", "/v1/auth/token/lookup-self", 200),
                ("GET", "/v1/auth/token/lookup/(token)", 404),
                ("GET", r"/v1/a\nb", 400),
            ],
            strict=True,
        ):
            assert f"method='{method}' path='{path}' status={status} ms=0.000" in line
        assert f"id={good.json()['request_id']} " in lines[0]
        assert "id=- " in lines[-1]
        for secret in (SECRET, token, ROOT_TOKEN + " "):
            assert secret not in written

    body()


def test_no_request_is_logged_at_info_level(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(LogLevel.INFO, LogFormat.STANDARD)

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.http("GET", "/v1/sys/health")
        assert capsys.readouterr().err == ""

    body()


def test_what_changes_the_server_is_logged_with_who_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logs(LogLevel.INFO, LogFormat.STANDARD)

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.ok("sys/rotate", peer="192.0.2.1:1")
        await node.ok("sys/seal", peer="[2001:db8::1]:1")
        refused = await node.write("sys/unseal", {"key": share(bytes(32))}, peer="192.0.2.2:1")
        assert refused.status == 400
        for _ in range(2):  # opened by the first, told by the second
            await node.ok("sys/unseal", {"key": share(node.keys[0])}, peer="")
        lines = [line.split(" ", 1)[1] for line in capsys.readouterr().err.splitlines()]
        assert lines == [
            "[INFO] wardgate.seal: keyring rotated: term 2 is in use now; requested from 192.0.2.1",
            "[INFO] wardgate.seal: sealed; requested from 2001:db8::1",
            "[INFO] wardgate.seal: an unseal key was refused; it came from 192.0.2.2",
            "[INFO] wardgate.seal: unsealed; the last key came from a unix socket",
        ]

    body()


def test_initialising_and_unsealing_are_logged_step_by_step(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logs(LogLevel.INFO, LogFormat.STANDARD)

    async def run() -> None:
        store, clock = MemoryStore(), ManualClock()
        node = NodeUnderTest(Node(store, Settings(), clock), store, clock, [])
        made = await node.ok("sys/init", {"secret_shares": 2, "secret_threshold": 2}, token="")
        await node.ok("sys/unseal", {"key": made.data["keys"][0]}, token="")
        await node.ok("sys/unseal", {"reset": True}, token="")
        for key in made.data["keys"]:
            await node.ok("sys/unseal", {"key": key}, token="")
        written = capsys.readouterr().err
        assert [line.partition("wardgate.seal: ")[2] for line in written.splitlines()] == [
            "initialised; requested from 127.0.0.1",
            "unsealing: keys given so far: 1; the last one came from 127.0.0.1",
            "unsealing starts again; requested from 127.0.0.1",
            "unsealing: keys given so far: 1; the last one came from 127.0.0.1",
            "unsealed; the last key came from 127.0.0.1",
        ]
        for secret in (*made.data["keys"], *made.data["keys_base64"], made.data["root_token"]):
            assert secret not in written
        await node.node.stop()

    asyncio.run(run())


@pytest.mark.parametrize("created", [1_700_000_000.0, 1_700_000_000.5, 1_700_000_000.123456])
def test_times_have_a_fixed_width(created: float, capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.makeLogRecord(
        {"name": "wardgate.x", "levelno": 20, "levelname": "INFO", "msg": "m", "created": created}
    )
    micros = f"{created:.6f}"[-6:]
    for form in LogFormat:
        set_up_logs(LogLevel.INFO, form)
        logging.getLogger("wardgate").handle(record)
    text, as_json = capsys.readouterr().err.splitlines()
    time = f"2023-11-14T22:13:20.{micros}Z"
    assert text == f"{time} [INFO] wardgate.x: m"
    assert json.loads(as_json)["@timestamp"] == time
    assert re.fullmatch(r".{19}\.[0-9]{6}Z", time)
