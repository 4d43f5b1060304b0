"""Records under paths that clients choose."""

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wardgate.core.records import BytesCodec
from wardgate.core.storage import Storage, View
from wardgate.errors import InvalidRequest
from wardgate.secrets.tree import Tree
from wardgate.store.interface import MAX_KEY_BYTES
from wardgate.store.memory import MemoryStore

OUTER = "mount/x/"
TREE = Tree("s/", BytesCodec(), outer=OUTER)

PATHS = st.text(st.characters() | st.sampled_from("/.é %"), max_size=30)


async def stored_and_found(paths: list[str]) -> tuple[list[str], list[str]]:
    """Store under each path; the paths that were taken, and those that a scan finds."""
    storage = Storage(MemoryStore())
    transaction = await storage.begin()
    taken = []
    for path in paths:
        try:
            TREE.put(View(transaction, OUTER), path, path.encode("utf-8", "replace"))
        except InvalidRequest:
            assert not TREE.fits(path)
        else:
            taken.append(path)
    await transaction.commit()
    view = View(await storage.begin(), OUTER)
    for path in paths:
        assert await TREE.get(view, path) == (path.encode() if path in taken else None)
    return taken, await TREE.scan(view, "")


@given(st.lists(PATHS, unique=True, max_size=12))
@example(["a", "a/b", "a/b/c", "ab", "a b"])
@example(["", "/", "/a", "a/", "a//b", "a\x00b", "a\x85", "\ud800", "é/ü"])
def test_a_path_is_refused_or_comes_back_as_it_was(paths: list[str]) -> None:
    taken, found = asyncio.run(stored_and_found(paths))
    assert sorted(taken) == sorted(found)


@pytest.mark.parametrize("letter", ["a", "é", "漢"])
def test_the_longest_path_fills_the_longest_key(letter: str) -> None:
    longest = letter * (TREE.longest // len(letter.encode()))
    taken, found = asyncio.run(stored_and_found([longest, longest + letter]))
    assert taken == found == [longest]
    assert len((OUTER + "s/").encode()) + TREE.longest == MAX_KEY_BYTES


def test_a_refusal_names_the_rule_and_not_the_path() -> None:
    async def refused() -> str:
        view = View(await Storage(MemoryStore()).begin(), OUTER)
        with pytest.raises(InvalidRequest) as caught:
            TREE.put(view, "secret-name/", b"")
        return str(caught.value)

    text = asyncio.run(refused())
    assert "path" in text
    assert "secret-name" not in text
