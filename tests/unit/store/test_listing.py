"""Listing one level, the same on every engine."""

from bisect import bisect_left

from tests.unit.store.engines import on_every_engine
from wardgate.store.interface import Delete, Put, Store
from wardgate.store.listing import level


async def fill(store: Store, *keys: str) -> None:
    await store.commit({}, [Put(key, b"") for key in keys])


@on_every_engine
async def test_names_on_one_level_are_sorted_by_their_bytes(store: Store) -> None:
    await fill(store, "a0", "b", "a/y", "a", "a!b", "a/x/deep", "é", "z", "a!/c", "\U0001f600")
    names = ["a", "a!/", "a!b", "a/", "a0", "b", "z", "é", "\U0001f600"]
    assert await store.list("") == names
    assert names == sorted(names, key=str.encode)


@on_every_engine
async def test_a_name_can_be_both_key_and_folder(store: Store) -> None:
    await fill(store, "x/a", "x/a/b", "x/a/c")
    assert await store.list("x/") == ["a", "a/"]
    assert await store.list("x/a/") == ["b", "c"]
    await store.commit({}, [Delete("x/a")])
    assert await store.list("x/") == ["a/"]


@on_every_engine
async def test_a_folder_is_gone_with_its_last_key(store: Store) -> None:
    await fill(store, "x/a/b/c", "y")
    await store.commit({}, [Delete("x/a/b/c")])
    assert await store.list("") == ["y"]
    assert await store.list("x/") == []


@on_every_engine
async def test_neighbours_of_a_prefix_are_not_below_it(store: Store) -> None:
    await fill(store, "a", "a!/x", "a/b", "a0/x", "aa/x", "A/x")
    assert await store.list("a/") == ["b"]


@on_every_engine
async def test_names_after_any_text(store: Store) -> None:
    await fill(store, "a", "a!b", "a/b", "a/c", "a0", "b")
    for after, names in {
        "a": ["a!b", "a/", "a0", "b"],
        "a!": ["a!b", "a/", "a0", "b"],
        "a!b": ["a/", "a0", "b"],
        "a/": ["a0", "b"],
        "a/b": ["a0", "b"],
        "a/zzz": ["a0", "b"],
        "a/" + "z" * 1000: ["a0", "b"],
        "a" + "z" * 1000: ["b"],
        "/": ["a", "a!b", "a/", "a0", "b"],
        "\0": ["a", "a!b", "a/", "a0", "b"],
        "b": [],
        "\U0010ffff": [],
    }.items():
        assert await store.list("", after=after) == names, after


@on_every_engine
async def test_pages_add_up_to_the_whole(store: Store) -> None:
    keys = ["a", "a!b", "a/b", "a/c", "a0", "b", "b/c/d", "c"]
    for prefix in "", "x/", "x/y/":
        await fill(store, *(prefix + key for key in keys))
    for prefix in "", "x/", "x/y/":
        whole = await store.list(prefix)
        for limit in 1, 2, 3, 20:
            pages: list[str] = []
            while page := await store.list(prefix, after=pages[-1] if pages else "", limit=limit):
                assert len(page) <= limit
                pages += page
            assert pages == whole
    assert whole == ["a", "a!b", "a/", "a0", "b", "b/", "c"]


@on_every_engine
async def test_a_limit_of_nothing_gives_nothing(store: Store) -> None:
    await fill(store, "a")
    assert await store.list("", limit=0) == []


@on_every_engine
async def test_below_what_cannot_be_a_folder_there_is_nothing(store: Store) -> None:
    await fill(store, "a", "a/b")
    for prefix in "/", "a//", "/a/", "\0/", "z" * 1000 + "/":
        assert await store.list(prefix) == []


def test_a_folder_is_one_step_however_much_is_in_it() -> None:
    keys = sorted(f"{folder}/{i}".encode() for folder in "abc" for i in range(10_000))
    seeks = 0

    def seek(start: bytes) -> bytes | None:
        nonlocal seeks
        seeks += 1
        at = bisect_left(keys, start)
        return keys[at] if at < len(keys) else None

    assert level(seek, b"", b"", None) == ["a/", "b/", "c/"]
    assert seeks == 4  # one for each name, one to find the end
