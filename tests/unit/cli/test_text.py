"""Values as one line of text."""

import pytest

from wardgate.cli.text import cell, plain, quoted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "<nil>"),
        (True, "true"),
        ("x y", "x y"),
        ([1, "", None, {"a": [True]}], "[1  <nil> map[a:[true]]]"),
        ({"b": 1, "a": ""}, "map[a: b:1]"),
        ([], "[]"),
        ({}, "map[]"),
    ],
)
def test_values_are_written_as_the_vault_cli_writes_them(value: object, text: str) -> None:
    assert plain(value) == text


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("ttl", 60, "1m"),
        ("token_max_ttl", 0, "0s"),
        ("period", 60, "1m"),
        ("lease_duration", 60, "1m"),
        ("ttl_x", 60, "60"),
        ("ttl", "60", "60"),
        ("creation_time", 60, "60"),
        ("ttl", True, "true"),
        ("anything", "", "n/a"),
    ],
)
def test_a_cell_shows_seconds_as_a_duration_by_the_name_of_the_key(
    key: str, value: object, text: str
) -> None:
    assert cell(key, value) == text


def test_policies_are_quoted() -> None:
    assert quoted(["default", "app"]) == '["default" "app"]'
    assert quoted(None) == "[]"
