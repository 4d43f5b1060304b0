"""Claims: patterns, pointers, bound values and times, against slow references and for all values."""

import json
import re
import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from wardgate.auth.jwt.claims import check_bound_claims, claim_of, matches, with_claim
from wardgate.auth.jwt.validity import Expected, check_validity
from wardgate.core.globs import glob_matches
from wardgate.core.json import decode
from wardgate.errors import InvalidRequest

LETTERS = st.text("ab*", max_size=8)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(-1e6, 1e6)
SCALARS = st.text(max_size=5) | st.booleans() | NUMBERS
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab/~01", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
CLAIMS = st.dictionaries(st.text("ab/~", max_size=3), VALUES, max_size=4)


def kind_of(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


def refused(bound: dict[str, Any], claims: dict[str, Any], kind: str = "string") -> bool:
    try:
        check_bound_claims(bound, kind, claims)
    except InvalidRequest:
        return True
    return False


@given(LETTERS, LETTERS)
def test_a_pattern_fits_what_the_regular_expression_for_it_fits(pattern: str, text: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert glob_matches(pattern, text) == bool(re.fullmatch(expression, text, re.DOTALL))


@given(st.text(), st.lists(st.text(), max_size=4))
def test_a_pattern_fits_the_texts_that_it_is_made_of(first: str, rest: list[str]) -> None:
    pieces = [piece.replace("*", "") for piece in (first, *rest)]
    assert glob_matches("*".join(pieces), "#".join(pieces))


@given(SCALARS, SCALARS)
def test_single_values_match_when_they_are_of_one_kind_and_equal(one: Any, other: Any) -> None:
    assert matches(one, other, glob=False) == (kind_of(one) == kind_of(other) and one == other)
    assert matches(one, one, glob=False)


@given(CLAIMS)
def test_claims_pass_where_their_own_single_values_are_bound(claims: dict[str, Any]) -> None:
    bound = {
        name: value
        for name, value in claims.items()
        if isinstance(value, str | bool | int | float) and not name.startswith("/")
    }
    stored = decode(json.dumps(bound).encode())  # as a role that was read from the storage has it
    assert not refused(stored, claims)


@given(CLAIMS, st.text("ab", min_size=1, max_size=3), SCALARS)
def test_a_missing_claim_never_passes(claims: dict[str, Any], name: str, value: Any) -> None:
    claims.pop(name, None)
    for kind in ("string", "glob"):
        assert refused({name: value}, claims, kind)
        assert refused({name: [value, "*"]}, claims, kind)


def test_many_values_are_not_compared_with_each_of_many_bound_ones() -> None:
    steps = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal steps
        steps += 1

    bound, there = {"a": list(range(500))}, {"a": [each + 0.5 for each in range(500)]}
    sys.setprofile(count)
    try:
        passes = not refused(bound, there)
    finally:
        sys.setprofile(None)
    assert not passes
    assert steps < 50_000  # of 250,000 pairs


@given(VALUES)
def test_an_empty_list_of_bound_values_passes_nobody(value: Any) -> None:
    assert refused({"a": []}, {"a": value})


@given(CLAIMS)
def test_a_pointer_leads_to_every_part_of_the_claims(claims: dict[str, Any]) -> None:
    def walk(value: Any, pointer: str) -> None:
        if pointer:
            found = claim_of(claims, pointer)
            assert found is value or found == value
        if isinstance(value, dict):
            for name, inner in value.items():
                walk(inner, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
        if isinstance(value, list):
            for index, inner in enumerate(value):
                walk(inner, f"{pointer}/{index}")

    walk(claims, "")


@given(CLAIMS, st.text(max_size=12))
def test_any_text_is_a_name_that_leads_somewhere_or_nowhere(
    claims: dict[str, Any], name: str
) -> None:
    claim_of(claims, name)
    claim_of(claims, "/" + name)


@given(CLAIMS, st.sampled_from(["a", "/a", "/a/b", "/a~1b"]), VALUES)
def test_a_claim_that_is_put_in_is_found_and_nothing_else_changes(
    claims: dict[str, Any], name: str, value: Any
) -> None:
    before = json.dumps(claims)
    changed = with_claim(claims, name, value)
    assert json.dumps(claims) == before
    if name != "/a/b" or isinstance(claims.get("a"), dict):
        assert claim_of(changed, name) == value


TIMES = st.integers(1, 10_000) | st.none()


@given(TIMES, TIMES, TIMES, st.integers(-1, 200), st.integers(1, 20_000))
def test_a_token_is_good_between_its_beginning_and_its_end(
    issued: int | None, begin: int | None, end: int | None, skew: int, now: int
) -> None:
    given = {"iat": issued, "nbf": begin, "exp": end}
    claims = {name: value for name, value in given.items() if value is not None}
    expected = Expected(clock_skew_leeway=skew, expiration_leeway=-1, not_before_leeway=-1)
    leeway = {-1: 0, 0: 60}.get(skew, skew)
    last = end or max(issued or 0, begin or 0)
    first = begin or issued or last
    good = bool(claims) and max(first, issued or 0) - leeway <= now <= last + leeway
    try:
        check_validity(claims, expected, float(now))
    except InvalidRequest:
        assert not good
    else:
        assert good


@given(VALUES, VALUES, VALUES, VALUES, VALUES)
def test_claims_of_any_kind_are_checked_or_refused(
    issued: Any, begin: Any, end: Any, audience: Any, issuer: Any
) -> None:
    claims = {"iat": issued, "nbf": begin, "exp": end, "aud": audience, "iss": issuer}
    try:
        check_validity(claims, Expected(audiences=("us",)), 1000.0)
    except InvalidRequest:
        return
    assert audience == "us" or "us" in audience
