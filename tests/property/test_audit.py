"""Whatever JSON goes through the server, no text of it stands in the audit log as it is."""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit import audited_node, hashed, records
from wardgate.core.audit.hashing import Hasher
from wardgate.core.json import decode

MARK = "\u2603"
"""Begins every generated text, and stands in no other part of a record."""
CLEAR = "clear"

_names = st.text(st.characters(codec="ascii", exclude_characters=MARK), max_size=8)
_texts = st.text(st.characters(codec="utf-8"), max_size=20).map(lambda text: MARK + text)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=15,
)
_bodies = st.dictionaries(_names | st.just(CLEAR), _values, max_size=5)


@settings(max_examples=40)
@given(st.lists(_bodies, min_size=1, max_size=5))
def test_no_text_of_a_body_or_an_answer_is_shown(bodies: list[dict[str, Any]]) -> None:
    async def run(log: Path) -> None:
        node = await audited_node(log)
        await node.ok("sys/mounts/one", {"type": "kv"})
        await node.ok("sys/mounts/two", {"type": "kv", "options": {"version": "2"}})
        for number, body in enumerate(bodies):
            raw = json.dumps({"data": body}).encode()
            for path in (f"one/{number}", f"two/data/{number}", "sys/wrapping/wrap"):
                await node.http("POST", f"/v1/{path}", raw, headers={"X-Vault-Wrap-TTL": ""})
                await node.http("GET", f"/v1/{path}")
        await node.node.stop()

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "audit.log")
        asyncio.run(run(log))
        assert len(records(log)) > 6 * len(bodies)
        assert MARK not in json.dumps(records(log), ensure_ascii=False)


@given(_values)
def test_only_texts_change(value: Any) -> None:
    value = decode(json.dumps(value).encode())
    shown = Hasher(b"salt").tree({"value": value})["value"]
    assert _shape(shown) == _shape(value)
    assert MARK not in "".join(_texts_of(shown))


@given(_bodies)
def test_named_fields_are_shown_and_nothing_else(body: dict[str, Any]) -> None:
    shown = Hasher(b"salt").tree(body, frozenset({CLEAR}))
    assert sorted(text for text in _texts_of(shown) if MARK in text) == sorted(_clear_texts(body))


def test_hash_is_that_of_the_api() -> None:
    async def run(log: Path) -> None:
        node = await audited_node(log)
        await node.ok("cubbyhole/a", {"field": "text"})
        shown = records(log)[-1]["request"]["data"]["field"]
        assert shown == await hashed(node, "text")
        await node.node.stop()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder, "audit.log")))


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner) for inner in value]
    return "text" if isinstance(value, str) else value


def _texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_of(inner)


def _clear_texts(value: Any, clear: bool = False) -> Iterator[str]:
    """The texts below a field that is named, in lists too but not in further objects."""
    if isinstance(value, str) and clear:
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _clear_texts(inner, name == CLEAR)
    elif isinstance(value, list):
        for inner in value:
            yield from _clear_texts(inner, clear)
