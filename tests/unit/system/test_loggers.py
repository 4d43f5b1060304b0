"""``sys/loggers``."""

import logging
from collections.abc import Iterator

import pytest

from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.log_levels import level_name, name_of
from wardgate.server.config import LogFormat, LogLevel
from wardgate.server.logs import set_up_logs


@pytest.fixture(autouse=True)
def loggers_as_they_were() -> Iterator[None]:
    root = logging.getLogger("wardgate")
    before = (root.handlers, root.level, root.propagate)
    yield
    root.handlers, root.propagate = before[0], before[2]
    root.setLevel(before[1])
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("wardgate.") and isinstance(logger, logging.Logger):
            logger.setLevel(logging.NOTSET)


def test_one_logger_is_set_and_reverted(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(LogLevel.INFO, LogFormat.STANDARD)

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.http("GET", "/v1/sys/health")
        assert capsys.readouterr().err == ""
        await node.ok("sys/loggers/http", {"level": "debug"})
        assert (await node.read("sys/loggers/http")).data == {"http": "debug"}
        assert (await node.read("sys/loggers")).data["core"] == "info"
        await node.http("GET", "/v1/sys/health")
        assert "path='/v1/sys/health'" in capsys.readouterr().err
        assert (await node.delete("sys/loggers/http")).status == 204
        await node.http("GET", "/v1/sys/health")
        assert capsys.readouterr().err == ""

    body()


def test_all_loggers_are_set_and_reverted() -> None:
    set_up_logs(LogLevel.WARN, LogFormat.STANDARD)

    @with_node
    async def body(node: NodeUnderTest) -> None:
        await node.ok("sys/loggers/seal", {"level": "trace"})
        await node.ok("sys/loggers", {"level": "error"})
        levels = (await node.read("sys/loggers")).data
        assert {"core", "http", "seal", "server", "storage"} <= set(levels)
        assert set(levels.values()) == {"error"}
        assert (await node.delete("sys/loggers")).status == 204
        assert set((await node.read("sys/loggers")).data.values()) == {"warn"}

    body()


@with_node
async def test_mistakes_change_nothing(node: NodeUnderTest) -> None:
    before = (await node.read("sys/loggers")).data
    for path, level, problem in (
        ("sys/loggers", "hunter2", "invalid level provided"),
        ("sys/loggers", None, "level is required"),
        ("sys/loggers/core", "", "level is empty"),
        ("sys/loggers/hunter2", "info", "logger not found"),
    ):
        (message,) = errors(await node.write(path, {"level": level}))
        assert message.startswith(problem)
        assert "hunter2" not in message
    assert (await node.read("sys/loggers")).data == before


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("trace", "trace"),
        (" DEBUG ", "debug"),
        ("notice", "info"),
        ("Warning", "warn"),
        ("err", "error"),
        ("off", None),
        ("", None),
    ],
)
def test_levels_have_vaults_names(text: str, name: str | None) -> None:
    assert level_name(text) == name


@pytest.mark.parametrize(
    ("level", "name"),
    [(0, "trace"), (5, "trace"), (10, "debug"), (25, "info"), (30, "warn"), (50, "error")],
)
def test_every_level_has_a_name(level: int, name: str) -> None:
    assert name_of(level) == name
