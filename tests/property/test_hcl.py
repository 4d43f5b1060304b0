"""HCL of any shape: what is written is read, and nothing breaks the reader."""

import json
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.hcl_spelling import NODES, SPELLED_DOCUMENTS, TREES, Node, Tree, as_json, plain
from wardgate.hcl import HclError, Limits, Table, read

LIMITS = Limits(256 * 1024)


def exact(node: Node) -> str:
    """Told apart even where Python finds them equal: 1, 1.0 and true, 0.0 and -0.0."""
    return repr(node)


@given(SPELLED_DOCUMENTS)
def test_a_tree_is_read_again_however_it_is_spelled(written: tuple[str, Tree]) -> None:
    text, tree = written
    assert exact(plain(read(text, LIMITS))) == exact(tree)


@given(TREES)
def test_a_tree_is_read_again_from_json(tree: Tree) -> None:
    assert exact(plain(read(as_json(tree), LIMITS))) == exact(tree)


@given(SPELLED_DOCUMENTS)
def test_windows_line_ends_mean_the_same(written: tuple[str, Tree]) -> None:
    text, tree = written
    windows = text.replace("\r\n", "\n").replace("\n", "\r\n")
    assert exact(plain(read(windows, LIMITS))) == exact(tree)


@given(SPELLED_DOCUMENTS, st.integers(0, 50))
def test_places_move_with_the_text(written: tuple[str, Tree], lines: int) -> None:
    text, _ = written
    before, after = read(text, LIMITS), read("\n" * lines + text, LIMITS)
    assert [line + lines for line in key_lines(before)] == key_lines(after)
    assert sorted(key_lines(before)) == key_lines(before)


def key_lines(value: object) -> list[int]:
    """The lines of all keys, in order."""
    if isinstance(value, Table):
        return [n for item in value for n in [item.place.line or 0, *key_lines(item.value)]]
    return [n for each in value for n in key_lines(each)] if isinstance(value, tuple) else []


PIECES = [
    *'{}[]()=,:"\\\n $#<-/*.+1;', "a", "é", "true", "null", '"b"', "${", "$${", "}", "0x", "010",
    "08", "1e9", "1.5", "//", "/*", "*/", "<<E\n", "<<-E\n", "\nE\n", "\n E\n", "\r\n", "\\x", "\\u",
    "\0", "\u2028", "\ud800", "\ufeff", "9" * 400, "hunter2", '"hunter2"', "hunter2 = ", "[[[[",
    "{{{{", "a {", "a = ",
]  # fmt: skip
SOUP = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


def error_of(text: str) -> str:
    """What is said about the text, if it cannot be read."""
    try:
        read(text, LIMITS)
    except HclError as error:
        return str(error)
    return ""


@given(st.text() | SOUP | SOUP.map(lambda soup: "{" + soup))
@example('{"a": ' + "[" * 100_000)
@example("a = " + "[" * 100_000)
@example('{"a": ' + "9" * 5000 + "}")
@example("a = " + "9" * 5000)
def test_any_text_is_read_or_an_hcl_error_that_repeats_nothing(text: str) -> None:
    message = error_of(text)
    assert message.isprintable()
    assert "hunter2" not in message


@given(SPELLED_DOCUMENTS, SOUP, st.data())
def test_a_damaged_document_is_read_or_an_hcl_error(
    written: tuple[str, Tree], soup: str, data: st.DataObject
) -> None:
    text, _ = written
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    assert "hunter2" not in error_of(text[:start] + soup + text[end:])


@given(NODES)
def test_a_damaged_json_document_is_read_or_an_hcl_error(node: Node) -> None:
    text = as_json((("a", node),))
    for end in range(0, len(text), 7):
        error_of(text[:end])
    assert plain(read(text, LIMITS)) == (("a", node),)


@pytest.mark.parametrize(
    "piece",
    ['"', "/*", "/**/", "<<A\n", "<<-A\n", "<<A\nA\n", "<<-A\n A\n", "A\n", " A\n", "${", '"${', "{",
     "%{", "$", "a ", "a=1\n", "\\", '\\"', "#", "#\n", "\n", "\r", " ", "a=<<A\nA\n", 'a="" ',
     "a{}", "a=[],", "[1,", ",", "1", "1.", "1e", "0x", "-", "é", "$${", '"${}"', "a={}\n",
     "a=<<B%d\nB%d\n"],
)  # fmt: skip
@pytest.mark.parametrize("start", ["", "a = ", 'a = "', 'a = "${', "a = [", "a = <<A\n", '{"a":'])
def test_repetition_does_not_make_reading_slow(start: str, piece: str) -> None:
    # Were reading quadratic in the length, many of these would take minutes.
    count = LIMITS.size // (len(piece.encode()) + 6)
    pieces = (piece.replace("%d", f"{n:06}") for n in range(count))
    with suppress(HclError):
        read((start + "".join(pieces))[: LIMITS.size], LIMITS)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_text_means_what_json_says(text: str) -> None:
    (item,) = read(json.dumps({text: text}), LIMITS)
    assert (item.key, item.value) == (text, text)
