"""A node with audit devices, and what it has written to them."""

import json
from pathlib import Path
from typing import Any

from tests.node import NodeUnderTest
from wardgate.core.audit.rules import AuditRules
from wardgate.core.settings import Settings

JsonMap = dict[str, Any]

ANYWHERE = Settings(audit=AuditRules(anywhere=True, prefixes=True))


async def audited_node(path: Path, **options: str) -> NodeUnderTest:
    """A node with a file device at ``file/`` that writes to `path`."""
    node = await NodeUnderTest.start(settings=ANYWHERE)
    await enable(node, "file", path, **options)
    return node


async def enable(node: NodeUnderTest, name: str, path: Path, **options: str) -> None:
    """Enable a file device."""
    given = {"file_path": str(path), **options}
    await node.ok(f"sys/audit/{name}", {"type": "file", "options": given})


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
