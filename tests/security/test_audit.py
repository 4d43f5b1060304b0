"""The audit log tells everything but secrets, and cannot be bent into something else (security
cases 38, 39, 42, 44 and 52)."""

import asyncio
import json
import logging
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.audit import ANYWHERE, SOON, audited_node, enable, of_path, records, written
from tests.node import NodeUnderTest, errors
from wardgate.core.audit.hashing import Hasher
from wardgate.core.audit.rules import AuditRules
from wardgate.core.audit.table import Device
from wardgate.core.operation import Operation
from wardgate.core.settings import Settings

SECRET = "hunter2-Zq9"


def test_38_42_no_secret_of_a_long_session_is_in_the_audit_file_or_a_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Passwords, tokens, accessors, secrets, raw answers, wrapped answers: none is shown."""
    caplog.set_level(logging.DEBUG)
    secrets = [SECRET]

    async def main() -> None:
        log = tmp_path / "audit.log"
        node = await audited_node(log)
        secrets.extend(key.hex() for key in node.keys)
        await node.ok("sys/mounts/one", {"type": "kv"})
        await node.ok("sys/mounts/two", {"type": "kv", "options": {"version": "2"}})
        await node.user("ada", SECRET)
        auth = (await node.login("ada", SECRET)).auth
        assert auth is not None
        secrets.extend((auth["client_token"], auth["accessor"]))
        for fields in ({}, {"type": "batch"}, {"num_uses": 2}, {"period": "1h"}):
            made = await node.token(policies=["default"], **fields)
            secrets.extend(text for text in (made["client_token"], made["accessor"]) if text)
            for path in ("auth/token/lookup-self", "one/a", f"one/{made['client_token']}"):
                await node.read(path, token=made["client_token"])
        value = {"a": SECRET, "b": [SECRET, {"c": SECRET}]}
        for path, body in (
            ("one/a", value),
            ("two/data/a", {"data": value}),
            ("two/metadata/a", {"custom_metadata": {"a": SECRET}}),
            ("cubbyhole/a", value),
            ("auth/token/lookup", {"token": auth["client_token"]}),
            ("auth/token/lookup-accessor", {"accessor": auth["accessor"]}),
            ("auth/token/create", {"id": SECRET}),
            ("auth/token/create", {"ttl": SECRET}),
            ("auth/userpass/users/ada/password", {"password": SECRET}),
            ("sys/audit-hash/file", {"input": SECRET}),
            ("sys/audit/other", {"type": SECRET, "options": {"file_path": SECRET}}),
            ("sys/nothing", value),
            ("nowhere", value),
        ):
            await node.write(path, body)
            await node.write(path, body, token=auth["client_token"])
            await node.read(path, query={"q": SECRET})
            await node.call(Operation.LIST, path)
            await node.delete(path, token="s." + SECRET)
        for path in ("two/data/a", "one/a", "auth/token/lookup-self"):
            answer = await node.http("GET", f"/v1/{path}", headers={"X-Vault-Wrap-TTL": "60"})
            wrapping = answer.json()["wrap_info"]
            secrets.extend((wrapping["token"], wrapping["accessor"]))
            await node.write("sys/wrapping/lookup", {"token": wrapping["token"]}, token="")
            await node.write("sys/wrapping/unwrap", token=wrapping["token"])
        await node.http("GET", "/v1/one/a", headers={"X-Vault-Token": SECRET})
        await node.http("POST", "/v1/one/b", f"a={SECRET}".encode(), headers={"Content-Type": FORM})
        await node.http("POST", "/v1/one/b", f'{{"a": "{SECRET}"'.encode())
        await node.node.stop()
        text = written(log)
        shown = [secret for secret in secrets if secret in text or secret in caplog.text]
        assert shown == []
        assert len(records(log)) > 100

    asyncio.run(main())


FORM = "application/x-www-form-urlencoded"


def test_38_credentials_in_headers_are_never_shown(tmp_path: Path) -> None:
    async def main() -> None:
        log = tmp_path / "audit.log"
        node = await audited_node(log)
        for header in ("X-Vault-Token", "Authorization", "Cookie"):
            path = f"sys/config/auditing/request-headers/{header}"
            assert (await node.write(path, {"hmac": False})).status == 400
            await node.ok(path, {"hmac": True})
        await node.http(
            "GET", "/v1/sys/mounts", headers={"Cookie": SECRET, "Authorization": SECRET}
        )
        assert SECRET not in written(log)
        assert "cookie" in of_path(log, "sys/mounts")[0]["request"]["headers"]
        await node.node.stop()

    asyncio.run(main())


def test_39_no_way_out_of_the_audit_directory_and_no_program(tmp_path: Path) -> None:
    """Whoever may enable devices cannot write a program, over a foreign file, or elsewhere."""
    inside, plugins = tmp_path / "inside", tmp_path / "plugins"
    inside.mkdir()
    plugins.mkdir()
    (inside / "link").symlink_to(plugins)
    (inside / "file-link").symlink_to(plugins / "plugin")
    (inside / "script").write_text("#!/bin/sh\n")
    (inside / "program").touch(0o755)

    async def main() -> None:
        settings = Settings(audit=AuditRules(directory=str(inside)))
        node = await NodeUnderTest.start(settings=settings)
        for options in (
            {"file_path": f"{plugins}/plugin"},
            {"file_path": f"{inside}/../plugins/plugin"},
            {"file_path": f"{inside}/link/plugin"},
            {"file_path": f"{inside}/file-link"},
            {"file_path": f"{inside}/script"},
            {"file_path": f"{inside}/program"},
            {"file_path": f"{inside}/new", "mode": "0755"},
            {"file_path": f"{inside}/new", "mode": "4755"},
            {"file_path": f"{inside}/new", "prefix": "#!/bin/sh\n", "log_raw": "true"},
            {"file_path": f"{inside}/new", "prefix": "#!/bin/sh"},
            {"file_path": "/proc/self/mem"},
            {"file_path": "/dev/tty"},
        ):
            response = await node.write("sys/audit/bad", {"type": "file", "options": options})
            assert response.status == 400, options
            assert not any(str(value) in errors(response)[0] for value in options.values())
        assert os.listdir(plugins) == []
        assert written(inside / "script") == "#!/bin/sh\n"
        assert not (inside / "new").exists()
        await enable(node, "good", inside / "audit.log")
        assert stat.S_IMODE(os.stat(inside / "audit.log").st_mode) == 0o600
        await node.node.stop()

    asyncio.run(main())


def test_44_what_is_too_much_never_reaches_the_audit_log(tmp_path: Path) -> None:
    async def main() -> None:
        log = tmp_path / "audit.log"
        node = await audited_node(log)
        before = os.stat(log).st_size
        for body in (
            b'{"a":' * 101 + b"1" + b"}" * 101,
            json.dumps({"a": ["b"] * 200_000}).encode(),
            b'{"a":"' + b"b" * (33 * 1024 * 1024) + b'"}',
        ):
            answer = await node.http("POST", "/v1/cubbyhole/a", body)
            assert answer.status in (400, 413)
        assert os.stat(log).st_size == before
        await node.node.stop()

    asyncio.run(main())


def test_44_the_largest_body_that_is_taken_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its texts are hashed on a thread: meanwhile others are answered."""
    others_are_answered = threading.Event()
    tree = Hasher.tree

    def slow(self: Hasher, value: Any, clear: frozenset[str] = frozenset()) -> Any:
        if "large" in value:
            assert others_are_answered.wait(SOON)
        return tree(self, value, clear)

    monkeypatch.setattr(Hasher, "tree", slow)

    async def main() -> None:
        log = tmp_path / "audit.log"
        node = await audited_node(log)
        body = {"large": [f"text {number}" for number in range(100_000)]}
        large = asyncio.create_task(node.write("cubbyhole/a", body))
        for _ in range(5):
            assert (await node.read("sys/mounts")).status == 200
        assert not large.done()
        others_are_answered.set()
        assert (await large).status == 204
        await node.node.stop()

    asyncio.run(main())


def test_52_when_no_device_can_write_nothing_happens_and_nothing_is_told() -> None:
    async def main() -> None:
        node = await NodeUnderTest.start(settings=ANYWHERE)
        await node.ok("sys/mounts/one", {"type": "kv"})
        await node.ok("one/a", {"b": SECRET})
        await node.user("ada", SECRET)
        device = Device(
            path="full/",
            type="file",
            uuid="",
            salt=b"",
            options={"file_path": "/dev/full"},
            configured=True,
        )
        node.core.audit.configure([device], node.core.audit.rules)
        before = await node.keys_below("")
        for method, path, body in (
            ("GET", "one/a", b""),
            ("POST", "one/c", b'{"d":"e"}'),
            ("DELETE", "one/a", b""),
            ("POST", "auth/userpass/login/ada", json.dumps({"password": SECRET}).encode()),
            ("POST", "auth/token/create", b""),
            ("POST", "sys/seal", b""),
            ("POST", "sys/rotate", b""),
            ("DELETE", "sys/audit/full", b""),
        ):
            answer = await node.http(method, f"/v1/{path}", body)
            assert answer.status == 500, path
            assert SECRET.encode() not in answer.body
            assert "audit" in answer.json()["errors"][0]
        assert (await node.http("GET", "/v1/sys/health", token=None)).status == 200
        after = set(await node.keys_below(""))
        assert after - set(before) == set()
        assert set(before) - after == set()
        await node.node.stop()

    asyncio.run(main())
