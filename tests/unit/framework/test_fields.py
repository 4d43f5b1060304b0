"""Which forms of a value each kind of field takes, and what is said of those it does not."""

from decimal import Decimal
from typing import Annotated, Any

import pytest

from wardgate.errors import InvalidRequest
from wardgate.framework.fields import (
    Body,
    BodyReader,
    Doc,
    Duration,
    DurationText,
    JsonObject,
    JsonValue,
    StringList,
    StringMap,
    Strings,
)


class Everything(Body, rename={"from_": "from"}):
    """One field of each kind."""

    text: str = "unset"
    number: int = 7
    flag: bool | None = None
    ttl: Annotated[Duration | None, Doc("How long.")] = None
    period: DurationText = 0
    names: StringList = ()
    uncut: Strings = ()
    meta: StringMap | None = None
    config: JsonObject | None = None
    anything: JsonValue = None
    from_: Annotated[str, Doc("A name that Python keeps for itself.")] = ""


READER = BodyReader(Everything)


def read(**given: Any) -> Everything:
    return READER.read(given, [])


@pytest.mark.parametrize(
    ("field", "given", "expected"),
    [
        ("text", "as it is ", "as it is "),
        ("text", 12, "12"),
        ("text", Decimal("1.50"), "1.50"),
        ("text", True, "1"),
        ("text", False, "0"),
        ("number", 5, 5),
        ("number", "5", 5),
        ("number", "0x10", 16),
        ("number", "", 0),
        ("number", True, 1),
        ("number", -(2**63), -(2**63)),
        ("flag", True, True),
        ("flag", "true", True),
        ("flag", "T", True),
        ("flag", "0", False),
        ("flag", "", False),
        ("flag", 0, False),
        ("ttl", 90, 90),
        ("ttl", "90", 90),
        ("ttl", "1h30m", 5400),
        ("ttl", "7d", 604_800),
        ("ttl", "", 0),
        ("period", "1m", 60),
        ("names", ["a", " b ", ""], ("a", "b")),
        ("names", "a, b,,c", ("a", "b", "c")),
        ("names", '["a"]', ('["a"]',)),
        ("names", ["a", 1, True], ("a", "1", "1")),
        ("names", 5, ("5",)),
        ("names", [], ()),
        ("uncut", "a,b", ("a,b",)),
        ("uncut", ["a,b", "c"], ("a,b", "c")),
        ("meta", {"a": "b", "n": 1}, {"a": "b", "n": "1"}),
        ("meta", ["a=b", "c=d=e"], {"a": "b", "c": "d=e"}),
        ("meta", "a=b", {"a": "b"}),
        ("meta", '{"a": "b=c"}', {"a": "b=c"}),
        ("meta", "", {}),
        ("config", {"deep": {"er": [1]}}, {"deep": {"er": [1]}}),
        ("config", '{"a": 1}', {"a": 1}),
        ("config", " ", {}),
        ("anything", [1, {"a": None}], [1, {"a": None}]),
    ],
)
def test_a_field_takes_every_form_that_vault_takes(field: str, given: Any, expected: Any) -> None:
    assert getattr(read(**{field: given}), field) == expected


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("text", ["a"]),
        ("text", {"a": 1}),
        ("number", "five"),
        ("number", "5.5"),
        ("number", Decimal("5.0")),
        ("number", Decimal("5.5")),
        ("ttl", Decimal("90.5")),
        ("ttl", Decimal("90.0")),
        ("number", [5]),
        ("number", 2**63),
        ("number", str(2**63)),
        ("number", "0x" + "f" * 1000),
        ("flag", "yes"),
        ("flag", "tRuE"),
        ("flag", [True]),
        ("flag", 2),
        ("ttl", "soon"),
        ("ttl", -1),
        ("ttl", "-1h"),
        ("ttl", True),
        ("ttl", 10**30),
        ("ttl", Decimal("1e400")),
        ("names", [["a"]]),
        ("meta", ["no equals sign"]),
        ("meta", "no equals sign"),
        ("meta", {"a": {"b": "c"}}),
        ("meta", 5),
        ("config", "[1]"),
        ("config", [1]),
        ("config", "{"),
    ],
)
def test_what_a_field_cannot_take_is_refused_by_name(field: str, given: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(**{field: given})
    assert f'"{field}"' in refused.value.messages[0]


def test_a_number_with_a_huge_exponent_is_refused_at_once() -> None:
    """Working it out would take minutes; and `sys/init` takes numbers from anybody."""
    for text in ("1e3000000", "-1e999999999", "1e-999999999"):
        with pytest.raises(InvalidRequest):
            read(number=Decimal(text))


@pytest.mark.parametrize(
    ("field", "opening"), [("meta", '{"a":'), ("config", "["), ("config", '{"a":')]
)
def test_json_text_that_is_nested_without_end_is_refused(field: str, opening: str) -> None:
    with pytest.raises(InvalidRequest):
        read(**{field: opening * 100_000})


@pytest.mark.parametrize("field", ["meta", "config"])
def test_json_text_that_is_larger_than_a_mebibyte_is_refused(field: str) -> None:
    assert read(**{field: '{"a": "%s"}' % ("x" * 1000)})
    with pytest.raises(InvalidRequest, match=f'field "{field}"'):
        read(**{field: '{"a": "%s"}' % ("x" * 2**20)})


def test_null_is_not_given() -> None:
    body = read(text=None, number=None, names=None, ttl=None, anything=None)
    assert body == Everything()


@pytest.mark.parametrize("given", [None, {}])
def test_no_body_is_a_body_without_fields(given: dict[str, Any] | None) -> None:
    warnings: list[str] = []
    assert READER.read(given, warnings) == Everything()
    assert warnings == []


def test_unknown_fields_are_named_in_one_warning_and_the_rest_counts() -> None:
    warnings: list[str] = []
    body = READER.read({"zeal": 1, "text": "t", "ardour": 2}, warnings)
    assert body.text == "t"
    assert warnings == ["Endpoint ignored these unrecognized parameters: [ardour zeal]"]


def test_a_field_may_be_called_as_a_keyword_of_python() -> None:
    assert READER.read({"from": "here"}, []).from_ == "here"
    warnings: list[str] = []
    assert READER.read({"from_": "here"}, warnings).from_ == ""
    assert warnings == ["Endpoint ignored these unrecognized parameters: [from_]"]


def test_each_field_knows_its_name_kind_and_documentation() -> None:
    by_name = {field.name: field for field in READER.fields}
    assert by_name["ttl"].doc.text == "How long."
    assert by_name["ttl"].kind.openapi == {"type": "integer", "format": "seconds"}
    assert by_name["period"].kind.openapi == {"type": "string"}
    assert by_name["from"].attribute == "from_"
