"""JSON documents make the same tree as HCL."""

import pytest

from wardgate.hcl import HclError, Limits, Number, Place, Table, read

LIMITS = Limits(1000)


def test_json_says_the_same_as_hcl() -> None:
    json = read('{"a": {"b": [1, "x", {"c": true}]}, "a": 2.5}', LIMITS)
    hcl = read('a { b = [1, "x", { c = true }] } a = 2.5', LIMITS)
    assert without_places(json) == without_places(hcl)


def without_places(value: object) -> object:
    if isinstance(value, Table):
        return [(item.key, without_places(item.value)) for item in value]
    if isinstance(value, tuple):
        return tuple(map(without_places, value))
    return value


def test_null_is_none_and_numbers_keep_their_spelling() -> None:
    table = read('\n {"a": null, "b": -1e2, "c": [7]}', LIMITS)
    assert [item.value for item in table] == [None, Number("-1e2", -100.0), (Number("7", 7),)]


def test_text_means_itself() -> None:
    (item,) = read(r'{"${a\n": "${ \" \u00e9\ud83d\udd11"}', LIMITS)
    assert (item.key, item.value) == ("${a\n", '${ " é🔑')


def test_a_key_has_a_line_where_it_is_certain() -> None:
    text = '{"a": 1,\n"b": {"c": "\\"d\\": "},\n"again": 2,\n"again": 3}'
    a, b, again, more = read(text, LIMITS)
    assert [item.place.line for item in (a, b, again, more)] == [1, 2, None, None]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{\n"a": }', 2),
        ('{"a": 1,}', 1),
        ('{"a": 1}\nx', 2),
        ('{"a": 010}', 1),
        ("{a = 1}", 1),
        ('{"a": "\n"}', 1),
        ('{"a": NaN}', None),
        ('{"a": -Infinity}', None),
        ('{"a": 1e400}', None),
        ('{"a": 9223372036854775808}', None),
        ('{"a": 1' + "0" * 900 + "}", None),
        (r'{"a": "\ud800"}', None),
        (r'{"\udc00": 1}', None),
        ('{"a": ' + "[" * 33 + "]" * 33 + "}", None),
        ('{"a": ' * 34 + "1" + "}" * 34, None),
    ],
)
def test_what_is_no_json_is_an_error(text: str, line: int | None) -> None:
    with pytest.raises(HclError) as error:
        read(text, LIMITS, "w.json")
    assert error.value.place == Place("w.json", line)


def test_nesting_beyond_what_the_parser_can_do_is_an_error_too() -> None:
    with pytest.raises(HclError, match="nested deeper than 32 levels"):
        read('{"a": ' + "[" * 100_000, Limits(10**6))


def test_nesting_counts_as_in_hcl() -> None:
    read('{"a": ' + "[" * 32 + "]" * 32 + "}", LIMITS)
    read("a = " + "[" * 32 + "]" * 32, LIMITS)
