"""From a path to its mount."""

from typing import Any, cast

import pytest

from wardgate.core.mounts import MountTable, check_path, new_mount
from wardgate.errors import InvalidRequest

PATHS = ("sys/", "kv/", "kv2/", "team/a/", "team/a-b/", "auth/token/", "auth/x/y/")
TABLE = MountTable(tuple(new_mount(path, "kind") for path in PATHS), cast(Any, None))


@pytest.mark.parametrize(
    ("path", "mount"),
    [
        ("kv/a/b", "kv/"),
        ("kv/", "kv/"),
        ("kv", "kv/"),
        ("kv2/a", "kv2/"),
        ("kv3/a", None),
        ("k", None),
        ("team/a/b", "team/a/"),
        ("team/a", "team/a/"),
        ("team/a-b", "team/a-b/"),
        ("team/ab", None),
        ("team", None),
        ("team/", None),
        ("auth/token/lookup", "auth/token/"),
        ("auth/x/y/login", "auth/x/y/"),
        ("auth/x", None),
        ("auth/", None),
        ("", None),
        ("/kv/a", None),
        ("KV/a", None),
    ],
)
def test_a_path_belongs_to_the_mount_it_lies_under(path: str, mount: str | None) -> None:
    found = TABLE.find(path)
    assert (found.path if found else None) == mount


def test_the_longest_path_wins() -> None:
    mounts = tuple(new_mount(path, "kind") for path in ("a/", "a/b/c/", "a/b/"))
    table = MountTable(mounts, cast(Any, None))
    for path, mount in {"a/x": "a/", "a/b": "a/b/", "a/b/c": "a/b/c/", "a/b/cc": "a/b/"}.items():
        found = table.find(path)
        assert found is not None
        assert found.path == mount


@pytest.mark.parametrize(
    ("path", "taken_by"),
    [
        ("kv/", "kv/"),
        ("kv/below/", "kv/"),
        ("team/", "team/a/"),
        ("team/b/", None),
        ("auth/", "auth/token/"),
        ("kv3/", None),
    ],
)
def test_a_mount_neither_shadows_nor_is_shadowed(path: str, taken_by: str | None) -> None:
    found = TABLE.conflict(path)
    assert (found.path if found else None) == taken_by


@pytest.mark.parametrize(("given", "path"), [("a", "a/"), ("/a/b/", "a/b/"), ("é x", "é x/")])
def test_a_mounts_path_ends_in_one_slash(given: str, path: str) -> None:
    assert check_path(given) == path


@pytest.mark.parametrize(
    "path", ["", "/", "a//b", ".", "a/..", "a/./b", "a*", "+", "{a}", "a\0", "a\n", "a\x7f"]
)
def test_odd_paths_are_no_mounts(path: str) -> None:
    with pytest.raises(InvalidRequest):
        check_path(path)


def test_no_two_mounts_share_an_identity() -> None:
    assert len(TABLE.by_uuid) == len(TABLE.by_accessor) == len(PATHS)
    assert TABLE.by_path["auth/token/"].accessor.startswith("auth_kind_")
    assert TABLE.by_path["kv/"].accessor.startswith("kind_")
