"""What audit devices record: the same requests to both servers, their files compared field by field.

Hashes are turned back into texts first, by asking each server for the hash of every text that went
back and forth (`sys/audit-hash`): so they are the hashes of the right texts.
"""

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.audit import records
from tests.conformance.conftest import TARGET
from tests.conformance.exchange import Client, Json
from tests.conformance.opaque import Correspondence
from tests.servers import ROOT_TOKEN, Server, openbao_dev, wardgate_dev

JsonMap = dict[str, Any]

_SECONDS = ("/ttl", "/creation_time")
_HASH = re.compile("hmac-sha256:[0-9a-f]{64}")

POLICY = 'path "kv/data/*" { capabilities = ["read", "list"] }'
OTHER = 'path "kv/data/*" { capabilities = ["read", "update"] }'
VALUE = {"text": "value", "list": ["a", {"deep": "b"}], "number": 5, "half": 1.5, "no": None}

REQUESTS: list[tuple[str, str, JsonMap | None, str, dict[str, str]]] = [
    ("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}}, "root", {}),
    ("POST", "sys/policies/acl/one", {"policy": POLICY}, "root", {}),
    ("POST", "sys/policies/acl/two", {"policy": OTHER}, "root", {}),
    ("POST", "sys/auth/userpass", {"type": "userpass"}, "root", {}),
    (
        "POST",
        "auth/userpass/users/ada",
        {"password": "secret word", "token_policies": "one,two", "token_ttl": "1h"},
        "root",
        {},
    ),
    ("POST", "auth/userpass/login/ada", {"password": "secret word"}, "nobody", {}),
    ("GET", "auth/token/lookup-self", None, "login", {}),
    ("GET", "kv/data/app", None, "login", {}),
    ("POST", "auth/userpass/login/ada", {"password": "wrong word"}, "nobody", {}),
    ("POST", "kv/data/app", {"data": VALUE, "options": {"cas": 0}}, "root", {}),
    ("POST", "kv/data/app", {"data": VALUE}, "root", {}),
    ("GET", "kv/data/app?version=2", None, "root", {}),
    ("GET", "kv/data/app", None, "login", {}),
    ("POST", "kv/data/new", {"data": VALUE}, "login", {}),
    ("GET", "kv/metadata/app", None, "login", {}),
    ("LIST", "kv/metadata", None, "root", {}),
    ("LIST", "kv/metadata/", None, "root", {}),
    ("DELETE", "kv/data/app", None, "root", {}),
    ("GET", "kv/data/nothing", None, "root", {}),
    ("GET", "kv/data/app", None, "unknown", {}),
    ("GET", "kv/data/app", None, "nobody", {}),
    ("GET", "kv/metadata/app", None, "root", {"X-Vault-Wrap-TTL": "60"}),
    ("POST", "sys/wrapping/lookup", None, "wrapping", {}),
    ("GET", "nowhere/at/all", None, "root", {}),
    ("GET", "nowhere/at/all", None, "login", {}),
    ("POST", "cubbyhole/mine", {"a": "b", "c": ["d"]}, "root", {}),
    ("GET", "cubbyhole/mine", None, "root", {}),
    ("LIST", "cubbyhole", None, "root", {}),
    ("DELETE", "cubbyhole/mine", None, "root", {}),
    (
        "POST",
        "auth/token/create",
        {"policies": ["one"], "meta": {"k": "v"}, "ttl": "30m", "num_uses": 3, "display_name": "x"},
        "root",
        {},
    ),
    ("GET", "auth/token/lookup-self", None, "created", {}),
    ("GET", "sys/mounts", None, "created", {}),
    ("POST", "auth/token/create", {"policies": ["one"], "type": "batch"}, "root", {}),
    ("GET", "kv/data/app", None, "created", {}),
    ("POST", "auth/token/create", {"policies": ["two"]}, "root", {}),
    ("POST", "auth/token/renew-self", {"increment": "10m"}, "created", {}),
    ("POST", "auth/token/revoke-self", None, "created", {}),
    ("GET", "auth/token/lookup-self", None, "created", {}),
    ("POST", "auth/token/lookup-accessor", {"accessor": "none of them"}, "root", {}),
    ("GET", "sys/policies/acl/one", None, "root", {}),
    ("GET", "sys/internal/ui/mounts", None, "nobody", {}),
    ("POST", "sys/capabilities-self", {"paths": ["kv/data/app"]}, "login", {}),
    ("POST", "sys/config/auditing/request-headers/X-Clear", {}, "root", {}),
    ("POST", "sys/config/auditing/request-headers/x-hashed", {"hmac": True}, "root", {}),
    ("GET", "sys/policies/acl", None, "root", {"X-Clear": "one", "X-Hashed": "two", "X-No": "3"}),
    (
        "POST",
        "sys/mounts/kv/tune",
        {"audit_non_hmac_request_keys": ["list"], "audit_non_hmac_response_keys": ["text"]},
        "root",
        {},
    ),
    ("POST", "kv/data/app", {"data": VALUE}, "root", {}),
    ("GET", "kv/data/app", None, "root", {}),
    ("GET", "sys/health", None, "nobody", {}),
    ("GET", "sys/seal-status", None, "nobody", {}),
    ("GET", "sys/config/auditing/request-headers", None, "root", {}),
]


@dataclass
class Audited:
    """A server with a file device, and every text that went to it or came from it."""

    client: Client
    log: Path
    texts: set[str] = field(default_factory=set)
    tokens: dict[str, str] = field(default_factory=lambda: {"root": ROOT_TOKEN, "unknown": "none"})
    skipped: int = 0

    def send(
        self,
        method: str,
        path: str,
        body: JsonMap | None,
        token: str = "root",
        headers: dict[str, str] | None = None,
    ) -> Json:
        """Send one request; tokens that come back are kept by what they are."""
        given = [*(headers or {}).items()]
        if token != "nobody":
            given.append(("X-Vault-Token", self.tokens[token]))
        raw = None if body is None else json.dumps(body).encode()
        answer = self.client.send(method, f"/v1/{path}", given, raw)
        self.texts |= {*_texts(body), *_texts(answer.body), *(headers or {}).values()}
        self.texts |= set(path.partition("?")[2].partition("=")[2:])
        if isinstance(answer.body, dict):
            self._keep("login" if "login" in path else "created", answer.body.get("auth"))
            self._keep("wrapping", answer.body.get("wrap_info"))
        return answer.body

    def _keep(self, name: str, part: Any) -> None:
        if isinstance(part, dict):
            self.tokens[name] = part.get("client_token") or part.get("token") or ""

    def records(self) -> list[JsonMap]:
        """What was recorded of the requests, with texts in the place of their hashes."""
        texts = sorted(self.texts | set(self.tokens.values()) - {""})
        found = records(self.log)[self.skipped :]
        known = {self._hash(text): text for text in texts if text}
        return [_unhashed(record, known) for record in found]

    def _hash(self, text: str) -> str:
        body = self.send("POST", "sys/audit-hash/file", {"input": text})
        assert isinstance(body, dict)
        return str(body["hash"])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _unhashed(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _unhashed(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [_unhashed(inner, known) for inner in value]
    if isinstance(value, str) and _HASH.fullmatch(value):
        return known.get(value, "(hashed)")
    return value


@dataclass
class Both:
    """Our records and theirs, and within how many seconds the requests were sent."""

    ours: list[JsonMap]
    theirs: list[JsonMap]
    passed: float


def _audited(server: Server, client: Client, log: Path) -> Audited:
    made = Audited(client, log)
    made.send("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": str(log)}})
    made.skipped = len(records(log))
    return made


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Our records of the requests, and theirs."""
    if TARGET != "wardgate":
        pytest.skip("the records of a server that was started here are compared")
    folder = tmp_path_factory.mktemp("audit")
    with (
        wardgate_dev() as our_server,
        openbao_dev() as their_server,
        closing(Client(our_server)) as our_client,
        closing(Client(their_server)) as their_client,
    ):
        ours = _audited(our_server, our_client, folder / "ours.log")
        theirs = _audited(their_server, their_client, folder / "theirs.log")
        began = time.monotonic()
        for request in REQUESTS:
            ours.send(*request)
            theirs.send(*request)
        passed = time.monotonic() - began
        yield Both(ours.records(), theirs.records(), passed)


def test_every_request_makes_the_same_records(both: Both) -> None:
    ours, theirs = ([_what(record) for record in records] for records in (both.ours, both.theirs))
    assert ours == theirs
    assert len(ours) > 80


def _what(record: JsonMap) -> tuple[str, str, str]:
    return record["type"], record["request"]["operation"], record["request"]["path"]


KNOWN = [
    # the entries of docs/compatibility.md under "Audit", each with the fields where it shows
    ("audit-mount-accessor", re.compile("/(request|response)/mount_accessor")),
    ("audit-errors", re.compile("/error|/response/data/error|/auth/policy_results(/.*)?")),
    ("audit-who-unwraps", re.compile("/auth/.*|/request/client_(id|token_accessor)")),
    ("audit-new-entities", re.compile("/auth/entity_created")),
    ("audit-bodies", re.compile("/response/data/(http_.*|data|metadata/.*|metadata|version)")),
    ("first-root-token", re.compile("/auth/display_name|/response/data/(display_name|path)")),
]


def test_records_are_the_same_field_by_field(both: Both) -> None:
    ids = Correspondence(both.passed)
    found = []
    shown: set[str] = set()
    for ours, theirs in zip(both.ours, both.theirs, strict=True):
        for pointer, our_value, their_value in _differences(ours, theirs, ids):
            entry = _known(pointer, ours)
            if entry is None:
                found.append((_what(ours), pointer, our_value, their_value))
            else:
                shown.add(entry)
    assert found == [], "\n".join(map(str, found))
    assert sorted(shown) == sorted(entry for entry, _ in KNOWN)


def _known(pointer: str, ours: JsonMap) -> str | None:
    for entry, pattern in KNOWN:
        if not pattern.fullmatch(pointer):
            continue
        if entry == "audit-who-unwraps" and "wrapping" not in ours["request"]["path"]:
            continue
        if entry == "audit-bodies" and "error" in ours:
            continue
        return entry
    return None


def _differences(
    ours: JsonMap, theirs: JsonMap, ids: Correspondence
) -> Iterator[tuple[str, Any, Any]]:
    left, right = dict(_leaves(ours)), dict(_leaves(theirs))
    for pointer in sorted({*left, *right}):
        if pointer in ("/time", "/request/remote_port"):
            assert pointer in left
            continue
        mine, other = left.get(pointer, "(absent)"), right.get(pointer, "(absent)")
        both_texts = isinstance(mine, str) and isinstance(other, str)
        if mine == other or (both_texts and ids.holds(mine, other)):
            continue
        if not (pointer.endswith(_SECONDS) and abs(mine - other) <= 2 + ids.passed):
            yield pointer, mine, other


def _leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{pointer}/{name}")
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{pointer}/{index}")
    elif value != {}:
        yield pointer, value
