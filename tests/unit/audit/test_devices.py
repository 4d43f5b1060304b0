"""Enabling and disabling devices, and what they may write to."""

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.audit import (
    ANYWHERE,
    SOON,
    audited_node,
    enable,
    of_path,
    records,
    until_written,
    written,
)
from tests.node import NodeUnderTest, errors
from wardgate.core.audit.rules import AuditRules
from wardgate.core.audit.table import Device
from wardgate.core.settings import Settings


def run(body: Callable[[NodeUnderTest], Awaitable[None]], settings: Settings = ANYWHERE) -> None:
    """Run `body` with a node of its own."""

    async def main() -> None:
        node = await NodeUnderTest.start(settings=settings)
        node.core.audit.patience = SOON
        try:
            await body(node)
        finally:
            await node.node.stop()

    asyncio.run(main())


async def refused(node: NodeUnderTest, path: str | Path, **options: str) -> str:
    """Why a file device cannot be enabled."""
    body = {"type": "file", "options": {"file_path": str(path), **options}}
    response = await node.write("sys/audit/refused", body)
    assert response.status == 400
    return errors(response)[0]


def test_file_is_made_with_mode_0600_and_a_test_record(tmp_path: Path) -> None:
    async def body(node: NodeUnderTest) -> None:
        log = tmp_path / "new" / "audit.log"
        await enable(node, "file", log)
        assert stat.S_IMODE(os.stat(log).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(log.parent).st_mode) == 0o700
        assert records(log)[0]["request"]["path"] == "sys/audit/test"
        assert of_path(log, "sys/audit/file")[-1]["type"] == "response"

    run(body)


def test_mode_is_kept_or_set(tmp_path: Path) -> None:
    async def body(node: NodeUnderTest) -> None:
        shared = tmp_path / "shared.log"
        await enable(node, "shared", shared, mode="0640")
        assert stat.S_IMODE(os.stat(shared).st_mode) == 0o640
        kept = tmp_path / "kept.log"
        os.close(os.open(kept, os.O_CREAT, 0o644))
        os.chmod(kept, 0o644)
        await enable(node, "kept", kept, mode="0000")
        assert stat.S_IMODE(os.stat(kept).st_mode) == 0o644

    run(body)


@pytest.mark.parametrize("mode", ["0755", "0601", "4600", "9999", "rw", "00600"])
def test_modes_that_execute_or_make_no_sense_are_refused(tmp_path: Path, mode: str) -> None:
    async def body(node: NodeUnderTest) -> None:
        assert (await refused(node, tmp_path / "a.log", mode=mode)).startswith("mode: ")
        assert not os.listdir(tmp_path)

    run(body)


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    async def body(node: NodeUnderTest) -> None:
        for number, content in enumerate(
            [b"#!/bin/sh\n", b"root:x:0:0\n", b'{"time":1}\n', b"\x7fELF", b"{}", b"\n\n", b"a"]
        ):
            foreign = tmp_path / f"foreign-{number}"
            foreign.write_bytes(content)
            assert "audit records" in await refused(node, foreign)
            assert foreign.read_bytes() == content

    run(body)


def test_executables_links_folders_and_devices_are_refused(tmp_path: Path) -> None:
    async def body(node: NodeUnderTest) -> None:
        program = tmp_path / "program"
        program.touch(0o700)
        assert "executable" in await refused(node, program)
        (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
        assert "symbolic link" in await refused(node, tmp_path / "link")
        assert "directory" in await refused(node, tmp_path)
        assert "plain file" in await refused(node, "/dev/zero")
        assert "No space left" in await refused(node, "/dev/full")
        assert "nobody reads" in await refused(node, _fifo(tmp_path))
        assert not (tmp_path / "elsewhere").exists()

    run(body)


def _fifo(folder: Path) -> Path:
    path = folder / "fifo"
    os.mkfifo(path, 0o600)
    return path


def test_log_of_another_server_is_continued(tmp_path: Path) -> None:
    async def body(node: NodeUnderTest) -> None:
        log = tmp_path / "audit.log"
        line = (
            '{"time":"2026-11-21T23:32:47.7Z","type":"request","auth":{"token_type":"default"},'
            '"request":{"id":"1","path":"sys/audit/test"}}\n'
        )
        log.write_text(line + line.rstrip() + line[:50])  # the last one was cut off
        os.chmod(log, 0o600)
        await enable(node, "file", log)
        assert written(log).startswith(line)
        assert '{"time"' in written(log).splitlines()[2][:10]

    run(body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "unknown backend type"),
        ({"type": "nothing"}, "unknown backend type"),
        ({"type": "file"}, "file_path is required"),
        ({"type": "file", "options": {"file_path": "discard", "format": "jsonx"}}, "format: "),
        ({"type": "file", "options": {"file_path": "discard", "log_raw": "so"}}, "log_raw: "),
        ({"type": "file", "options": {"file_path": "discard", "prefix": "a\nb"}}, "prefix: "),
        ({"type": "file", "options": 5}, "Field validation failed"),
        ({"type": "socket"}, "address is required"),
        ({"type": "socket", "options": {"address": "nowhere"}}, "address: "),
        ({"type": "socket", "options": {"address": "a:1", "socket_type": "x"}}, "socket_type: "),
        ({"type": "socket", "options": {"address": "a:1", "write_timeout": "x"}}, "write_timeout"),
        ({"type": "syslog", "options": {"facility": "x"}}, "facility: "),
        ({"type": "syslog", "options": {"tag": "a b"}}, "tag: "),
    ],
)
def test_mistakes_are_named(body: dict[str, object], message: str) -> None:
    async def check(node: NodeUnderTest) -> None:
        response = await node.write("sys/audit/wrong", body)
        assert response.status == 400
        assert message in errors(response)[0]
        assert (await node.read("sys/audit")).data == {}

    run(check)


def test_paths_do_not_overlap() -> None:
    async def body(node: NodeUnderTest) -> None:
        discard = {"type": "file", "options": {"file_path": "discard"}}
        await node.ok("sys/audit/one/two", discard)
        for path in ("one", "one/two", "one/two/three"):
            response = await node.write(f"sys/audit/{path}", discard)
            assert errors(response) == ["path already in use"]
        await node.delete("sys/audit/one")
        assert list((await node.read("sys/audit")).data) == ["one/two/"]
        await node.delete("sys/audit/one/two/")
        assert (await node.read("sys/audit")).data == {}

    run(body)


def test_api_enables_nothing_unless_it_is_allowed_to() -> None:
    async def body(node: NodeUnderTest) -> None:
        response = await node.write(
            "sys/audit/any", {"type": "file", "options": {"file_path": "discard"}}
        )
        assert response.status == 400
        assert errors(response)[0].startswith("cannot enable audit device via API")

    run(body, Settings())


def test_api_keeps_to_the_audit_directory(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "way-out").symlink_to(outside)

    async def body(node: NodeUnderTest) -> None:
        for path in (
            outside / "a.log",
            f"{inside}/../outside/a.log",
            f"{inside}-not/a.log",
            inside / "way-out" / "a.log",
            "inside/a.log",
            "discard",
            "stdout",
            "/dev/null",
        ):
            assert "audit_directory" in await refused(node, path)
        response = await node.write(
            "sys/audit/socket", {"type": "socket", "options": {"address": "127.0.0.1:1"}}
        )
        assert "audit_directory" in errors(response)[0]
        assert not os.listdir(outside)
        prefix = await refused(node, inside / "a.log", prefix="#!/bin/sh ")
        assert "prefixing is not allowed" in prefix
        await enable(node, "file", inside / "deeper" / "a.log")
        assert records(inside / "deeper" / "a.log")

    run(body, Settings(audit=AuditRules(directory=str(inside))))


def test_disabled_device_gets_nothing_more_and_keeps_what_it_has(tmp_path: Path) -> None:
    async def main() -> None:
        log = tmp_path / "audit.log"
        node = await audited_node(log)
        await node.delete("sys/audit/file")
        before = written(log)
        await node.read("sys/mounts")
        assert written(log) == before
        assert of_path(log, "sys/audit/file")[-1]["type"] == "response"
        await node.node.stop()

    asyncio.run(main())


def test_another_node_sees_the_device_at_its_next_request(tmp_path: Path) -> None:
    async def main() -> None:
        log = tmp_path / "audit.log"
        node = await NodeUnderTest.start(settings=ANYWHERE)
        other = await node.another()
        await other.read("sys/mounts")
        await enable(node, "file", log)
        await other.read("sys/auth")
        assert len(of_path(log, "sys/auth")) == 2
        await node.delete("sys/audit/file")
        await other.read("sys/mounts")
        assert of_path(log, "sys/mounts") == []
        await other.node.stop()
        await node.node.stop()

    asyncio.run(main())


def _configured(name: str, path: Path, **more: str) -> Device:
    return Device(
        path=f"{name}/",
        type="file",
        uuid="",
        salt=b"",
        options={"file_path": str(path), **more},
        configured=True,
    )


def test_configuration_is_what_the_table_becomes(tmp_path: Path) -> None:
    async def body(node: NodeUnderTest) -> None:
        audit = node.core.audit
        await enable(node, "by-api", tmp_path / "api.log")
        one, two = _configured("one", tmp_path / "1.log"), _configured("two", tmp_path / "2.log")
        audit.configure([one, two], audit.rules)
        assert list((await node.read("sys/audit")).data) == ["by-api/", "one/", "two/"]
        hash_before = await _hash(node, "one")
        refusal = await node.delete("sys/audit/one")
        assert errors(refusal) == ["cannot disable configuration-managed audit device"]
        changed = _configured("one", tmp_path / "3.log", elide_list_responses="true")
        audit.configure([changed], audit.rules)
        shown = (await node.read("sys/audit")).data
        assert list(shown) == ["by-api/", "one/"]
        assert shown["one/"]["options"]["file_path"] == str(tmp_path / "3.log")
        assert await _hash(node, "one") == hash_before
        await until_written(tmp_path / "3.log", "sys/audit", 2)
        audit.configure([], audit.rules)
        assert list((await node.read("sys/audit")).data) == ["by-api/"]

    run(body)


async def _hash(node: NodeUnderTest, device: str) -> str:
    response = await node.ok(f"sys/audit-hash/{device}", {"input": "text"})
    found: str = response.data["hash"]
    return found


def test_configuration_holds_from_the_first_request_after_unsealing(tmp_path: Path) -> None:
    async def body(node: NodeUnderTest) -> None:
        other = await node.another()
        log = tmp_path / "audit.log"
        other.core.audit.configure([_configured("one", log)], node.core.audit.rules)
        await other.read("sys/mounts")
        assert len(of_path(log, "sys/mounts")) == 2
        await other.node.stop()

    run(body)


def test_request_headers_are_configured() -> None:
    async def body(node: NodeUnderTest) -> None:
        path = "sys/config/auditing/request-headers"
        assert (await node.read(path)).data == {"headers": {}}
        await node.ok(f"{path}/X-One", {"hmac": "true"})
        await node.ok(f"{path}/x-two")
        assert (await node.read(f"{path}/x-ONE")).data == {"x-ONE": {"hmac": True}}
        shown = {"x-one": {"hmac": True}, "x-two": {"hmac": False}}
        assert (await node.read(path)).data == {"headers": shown}
        await node.delete(f"{path}/X-Two")
        await node.delete(f"{path}/never-there")
        assert (await node.read(path)).data == {"headers": {"x-one": {"hmac": True}}}
        assert (await node.read(f"{path}/x-two")).status == 400
        assert "hmac" in errors(await node.write(f"{path}/X-Vault-Token"))[0]
        assert "header" in errors(await node.write(f"{path}/a b"))[0]
        await node.ok(f"{path}/Authorization", {"hmac": True})

    run(body)
