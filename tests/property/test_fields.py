"""Whatever is sent for a field, it is read or refused by name, and never repeated."""

from decimal import Decimal
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.framework.test_fields import READER
from wardgate.errors import InvalidRequest

SECRET = "hunter2"

_leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.builds(
        lambda sign, exponent: Decimal(f"{sign}1e{exponent}"),
        st.sampled_from(["", "-"]),
        st.integers(-(10**9), 10**9),
    )
    | st.text()
    | st.sampled_from(["[", "{", "[1", '{"a":', '["a"]', '{"a":"b"}', "a=b", "0x", "1e5", "5s"])
)
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
_fields = st.sampled_from([field.name for field in READER.fields])


def _refusal(field: str, value: Any) -> InvalidRequest | None:
    warnings: list[str] = []
    try:
        READER.read({field: value}, warnings)
    except InvalidRequest as refused:
        return refused
    assert warnings == []
    return None


@given(_fields, _values)
@example("number", Decimal("1e3000000"))
def test_a_value_is_read_or_refused_by_the_name_of_its_field(field: str, value: Any) -> None:
    refused = _refusal(field, value)
    assert refused is None or f'"{field}"' in refused.messages[0]


def _marked(value: Any) -> Any:
    """The value with a secret in every text and key."""
    match value:
        case str():
            return value + SECRET
        case list():
            return [SECRET, *(_marked(item) for item in value)]
        case dict():
            return {SECRET + key: _marked(item) for key, item in value.items()}
        case _:
            return [value, SECRET]


@given(_fields, _values)
def test_no_refusal_repeats_what_was_sent(field: str, value: Any) -> None:
    refused = _refusal(field, _marked(value))
    if refused is not None:
        assert SECRET not in str(refused)
        assert refused.__cause__ is None
        assert refused.__suppress_context__
