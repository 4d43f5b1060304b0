"""A node with audit devices, and what it has written to them."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.node import NodeUnderTest
from wardgate.core.audit.rules import AuditRules
from wardgate.core.settings import Settings

JsonMap = dict[str, Any]

ANYWHERE = Settings(audit=AuditRules(anywhere=True, prefixes=True))
SOON = 60.0
"""Seconds within which a thread does what is waited for, however busy the machine is. Devices that
work get as long, so that a machine that stands still for a moment refuses no request."""


async def audited_node(path: Path, **options: str) -> NodeUnderTest:
    """A node with a file device at ``file/`` that writes to `path`."""
    node = await NodeUnderTest.start(settings=ANYWHERE)
    node.core.audit.patience = SOON
    await enable(node, "file", path, **options)
    return node


async def enable(node: NodeUnderTest, name: str, path: Path, **options: str) -> None:
    """Enable a file device."""
    given = {"file_path": str(path), **options}
    await node.ok(f"sys/audit/{name}", {"type": "file", "options": given})


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that a thread does."""
    deadline = time.monotonic() + SOON
    while not await happened():
        assert time.monotonic() < deadline, "it does not happen"
        await asyncio.sleep(0.01)


async def until_written(path: Path, requested: str, number: int) -> None:
    """Wait until a file has so many records about requests to one path.

    An answer waits until one device has its records. So a file can be read at once where it is the
    only device that works; the others write in their own time.
    """

    async def there() -> bool:
        return _count(path, requested) >= number

    await until(there)


def _count(path: Path, requested: str) -> int:
    return written(path).count(f'"path":"{requested}"') if path.exists() else 0


def written(path: Path) -> str:
    """Everything in an audit file."""
    return path.read_text()


def records(path: Path) -> list[JsonMap]:
    """Every record in an audit file, oldest first; each line must be whole."""
    text = written(path)
    assert text.endswith("\n") or not text
    return [json.loads(line) for line in text.splitlines()]


def of_path(path: Path, requested: str) -> list[JsonMap]:
    """The records about requests to one path."""
    return [record for record in records(path) if record["request"]["path"] == requested]


async def hashed(node: NodeUnderTest, text: str, device: str = "file") -> str:
    """The hash of a text, as the API tells it."""
    response = await node.ok(f"sys/audit-hash/{device}", {"input": text})
    found: str = response.data["hash"]
    return found
