"""Data for a write, as words of the command line."""

import io
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.cli.failure import UsageError
from wardgate.cli.keyvalue import parse_data, parse_texts

KEYS = st.text(min_size=1).filter(lambda key: "=" not in key and key[0] not in "-@")
PLAIN = st.text().filter(lambda value: value != "-" and not value.startswith(("@", "\\@")))


@given(st.dictionaries(KEYS, PLAIN))
def test_any_text_comes_through_as_it_stands(data: dict[str, str]) -> None:
    assert parse_data(f"{key}={value}" for key, value in data.items()) == data


@given(st.text())
def test_a_text_that_starts_with_an_at_sign_is_written_with_a_backslash(text: str) -> None:
    assert parse_data([f"a=\\@{text}"]) == {"a": f"@{text}"}


@given(KEYS, st.lists(PLAIN, min_size=2))
def test_a_key_that_is_given_again_collects_its_values(key: str, values: list[str]) -> None:
    assert parse_data(f"{key}={value}" for value in values) == {key: values}


def test_a_value_comes_from_a_file_with_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "value"
    file.write_text("one\ntwo\n")
    assert parse_data([f"a=@{file}"]) == {"a": "one\ntwo\n"}


def test_a_value_comes_from_stdin() -> None:
    assert parse_data(["a=-", "b=1"], io.StringIO("from stdin\n")) == {
        "a": "from stdin\n",
        "b": "1",
    }


def test_a_whole_object_comes_from_stdin_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "data.json"
    file.write_text('{"b": [1], "c": 1.50}')
    data = parse_data(["-", f"@{file}", "b=x"], io.StringIO('{"a": null}'))
    assert data == {"a": None, "b": [1, "x"], "c": Decimal("1.50")}


@pytest.mark.parametrize("text", ["[1]", "1", "", "{", "nul"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="word 1 must lead to a JSON object"):
        parse_data(["-"], io.StringIO(text))


@pytest.mark.parametrize("word", ["s.secret", "", "a=@/no/such/s.secret", "@/no/such/s.secret"])
def test_an_error_names_the_place_and_never_the_word(word: str) -> None:
    with pytest.raises(UsageError, match="data word 2") as caught:
        parse_data(["a=1", word])
    assert "s.secret" not in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "value"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        parse_data([f"a=@{file}"])


def test_the_pairs_of_an_option_are_texts_as_they_stand() -> None:
    assert parse_texts(["a=@x", "b=-", "a=2=3"], "metadata") == {"a": "2=3", "b": "-"}
    with pytest.raises(UsageError, match="-metadata=KEY=VALUE"):
        parse_texts(["a"], "metadata")
