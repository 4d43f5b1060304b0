"""The comparison sees every difference that a scenario does not excuse, and nothing else."""

import copy
from collections.abc import Iterator
from typing import cast

import pytest

from tests.conformance.comparison import compare
from tests.conformance.exchange import Answer, Json
from tests.conformance.opaque import Correspondence
from tests.conformance.pointers import escape
from tests.conformance.rewordings import (
    ERROR_WORDING,
    ERRORS,
    FRAMING,
    NO_ECHO,
    WARNING_WORDING,
    WARNINGS,
    Rewordings,
)
from tests.conformance.scenario import Difference, Step

BODY: dict[str, Json] = {
    "request_id": "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f",
    "lease_duration": 3600,
    "renewable": True,
    "warnings": None,
    "data": {
        "id": "s.AbCdEfGhIjKlMnOpQrStUvWx",
        "accessor": "AbCdEfGhIjKlMnOpQrStUvWx",
        "issue_time": "2030-01-02T03:04:05.678901234Z",
        "ttl": 3600,
        "policies": ["default", "web"],
        "a/b~c": 1.5,
        "empty": {},
    },
}


REPLACEMENTS: list[Json] = ["other", "", None, 0, -77, False, True, 2.5, [], ["x"], {}, {"x": 1}]


def step(**options: object) -> Step:
    made = Step(1, "GET", "path", None, 200)
    for name, value in options.items():
        setattr(made, name, value)
    return made


def answer(body: Json = None, status: int = 200, content_type: str = "application/json") -> Answer:
    return Answer(status, {"Content-Type": content_type}, copy.deepcopy(body))


def pointers(ours: Answer, theirs: Answer, made: Step | None = None) -> list[str]:
    found = compare(made or step(), ours, theirs, Correspondence(), Rewordings())
    return [mismatch.pointer for mismatch in found]


def mutations(body: dict[str, Json]) -> Iterator[tuple[str, dict[str, Json]]]:
    """Every body that differs from `body` in one place, with the pointer of the place."""
    for keys in places(body):
        pointer = "/body" + "".join(f"/{escape(str(key))}" for key in keys)
        for replacement in REPLACEMENTS:
            mutated, parent = copy_and_parent(body, keys)
            if parent[keys[-1]] != replacement or type(parent[keys[-1]]) is not type(replacement):
                parent[keys[-1]] = replacement
                yield pointer, mutated
        mutated, parent = copy_and_parent(body, keys)
        del parent[keys[-1]]
        yield pointer, mutated


def places(value: Json) -> Iterator[tuple[str | int, ...]]:
    items: list[tuple[str | int, Json]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, below in items:
        yield (key,)
        for rest in places(below):
            yield (key, *rest)


def copy_and_parent(
    body: dict[str, Json], keys: tuple[str | int, ...]
) -> tuple[dict[str, Json], dict[str | int, Json]]:
    mutated = copy.deepcopy(body)
    parent: Json = mutated
    for key in keys[:-1]:
        parent = cast("dict[str | int, Json]", parent)[key]
    return mutated, cast("dict[str | int, Json]", parent)


def test_an_answer_equals_itself() -> None:
    assert pointers(answer(BODY), answer(BODY)) == []


def test_every_mutation_is_seen_where_it_is() -> None:
    for pointer, mutated in mutations(BODY):
        for ours, theirs in ((mutated, BODY), (BODY, mutated)):
            found = pointers(answer(ours), answer(theirs))
            assert found, pointer
            assert all(seen.startswith(pointer.rpartition("/")[0]) for seen in found), pointer


def test_an_added_key_is_seen() -> None:
    assert pointers(answer({**BODY, "more": None}), answer(BODY)) == ["/body/more"]


def test_status_headers_and_kind_of_body_are_compared() -> None:
    assert pointers(answer(status=204), answer()) == ["/status"]
    assert pointers(answer(content_type="text/html"), answer()) == ["/headers/Content-Type"]
    assert pointers(answer("text"), answer({})) == ["/body"]
    assert pointers(answer(), answer({})) == ["/body"]


@pytest.mark.parametrize(
    ("ours", "theirs"), [(1, 1.0), (1, True), (0, False), ("1", 1), ("", None), ([], {})]
)
def test_types_are_compared(ours: Json, theirs: Json) -> None:
    assert pointers(answer({"x": ours}), answer({"x": theirs})) == ["/body/x"]


def test_ids_and_times_may_differ_if_they_are_of_the_same_kind() -> None:
    ours = copy.deepcopy(BODY)
    ours["request_id"] = "ffffffff-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
    cast("dict[str, Json]", ours["data"]).update(
        id="s.ZZCdEfGhIjKlMnOpQrStUvWxZZZZ",
        accessor="ZZCdEfGhIjKlMnOpQrStUvWx",
        issue_time="2030-01-02T03:04:04.1Z",
        ttl=3599,
    )
    assert pointers(answer(ours), answer(BODY)) == []


@pytest.mark.parametrize(
    "ours",
    [
        "2030-01-02T03:04:15.6Z",  # too late
        "2030-01-02T03:04:05Z",  # no fraction
        "2030-01-02T03:04:05.678901+00:00",  # the zone in another form
        "0001-01-01T00:00:00Z",  # no time at all
    ],
)
def test_times_must_be_close_and_of_the_same_form(ours: str) -> None:
    theirs = "2030-01-02T03:04:05.678901234Z"
    assert pointers(answer({"x": ours}), answer({"x": theirs})) == ["/body/x"]


@pytest.mark.parametrize(("ours", "theirs"), [(3597, 3600), (0, 1), (-1, 1)])
def test_remaining_seconds_must_be_close_and_zero_is_no_time(ours: int, theirs: int) -> None:
    assert pointers(answer({"ttl": ours}), answer({"ttl": theirs})) == ["/body/ttl"]
    assert pointers(answer({"max_ttl": 3600}), answer({"max_ttl": 3599})) == ["/body/max_ttl"]


def test_each_product_has_its_own_version() -> None:
    assert pointers(answer({"version": "1.0.0-dev"}), answer({"version": "2.7.2"})) == []
    assert pointers(answer({"version": "1"}), answer({"version": "2"})) == ["/body/version"]


def test_order_matters_unless_the_list_is_a_set() -> None:
    ours, theirs = answer({"keys": ["b", "a"]}), answer({"keys": ["a", "b"]})
    assert pointers(ours, theirs) == ["/body/keys/0", "/body/keys/1"]
    assert pointers(ours, theirs, step(unordered=["/body/keys"])) == []
    assert pointers(answer({"keys": ["a"]}), theirs, step(unordered=["/body/keys"]))


def test_ids_in_a_set_are_found_whatever_their_order() -> None:
    made, ids = step(unordered=["/body/keys"]), Correspondence()
    (a, b), (x, y) = [
        [f"{digit * 8}-0000-0000-0000-{digit * 12}" for digit in d] for d in ("12", "34")
    ]
    known = answer({"one": a, "two": b}), answer({"one": y, "two": x})
    assert compare(made, *known, ids, None) == []
    assert compare(made, answer({"keys": [a, b]}), answer({"keys": [x, y]}), ids, None) == []
    assert compare(made, answer({"keys": [a, a]}), answer({"keys": [x, y]}), ids, None)


def test_what_is_ignored_does_not_hide_what_stands_beside_it() -> None:
    made = step(ignore=["/body/a/*/b"])
    ours = answer({"a": {"k": {"b": 1, "bb": 1}, "c": 1}})
    theirs = answer({"a": {"k": {"b": 2, "bb": 2}, "c": 2}})
    assert pointers(ours, theirs, made) == ["/body/a/k/bb", "/body/a/c"]


def test_only_a_part_may_be_compared_but_always_with_the_status() -> None:
    made = step(only=["/body/data/x"])
    ours = answer({"data": {"x": 1, "y": 1}}, status=200)
    assert pointers(ours, answer({"data": {"x": 2, "y": 2}}), made) == ["/body/data/x"]
    assert pointers(ours, answer({"data": {"x": 1}}, status=201), made) == ["/status"]
    assert pointers(ours, answer({"data": None}), made) == ["/body/data"]
    assert pointers(ours, answer({}), made) == ["/body/data"]


def test_a_known_difference_excuses_its_part_and_must_exist() -> None:
    made = step(differences=[Difference("entry", ("/body/x", "/status"))])
    theirs = answer({"x": 1, "y": 1}, status=200)
    assert pointers(answer({"x": 2, "y": 1}, status=400), theirs, made) == []
    assert pointers(answer({"x": 2, "y": 2}, status=400), theirs, made) == ["/body/y"]
    assert pointers(answer({"x": 1, "y": 1}, status=400), theirs, made) == ["/body/x"]


def test_between_servers_of_the_same_product_nothing_is_excused() -> None:
    made = step(differences=[Difference("entry", ("/body/x",))])
    ours, theirs = answer({"x": 1}), answer({"x": 2})
    assert len(compare(made, ours, theirs, Correspondence(), None)) == 1
    assert compare(made, ours, ours, Correspondence(), None) == []


def test_an_id_must_stay_the_same_from_answer_to_answer() -> None:
    ids = Correspondence()
    first, second = "0a1b2c3d-0000-0000-0000-00000000000", "ffffffff-0000-0000-0000-00000000000"
    assert ids.holds(first + "1", second + "1")
    assert ids.holds(f"the id {first}1 again", f"the id {second}1 again")
    assert not ids.holds(first + "1", second + "2")  # ours stayed, theirs is new
    assert not ids.holds(first + "2", second + "1")  # ours is new, theirs stayed
    assert ids.holds(first + "2", second + "2")


def errors(ours: str, theirs: str, rewordings: Rewordings) -> bool:
    found = compare(
        step(),
        answer({"errors": [ours]}),
        answer({"errors": [theirs]}),
        Correspondence(),
        rewordings,
    )
    return found == []


def test_messages_may_lack_the_frame_or_the_value_that_was_sent() -> None:
    rewordings = Rewordings()
    assert errors("no", "1 error occurred:\n\t* no\n\n", rewordings)
    assert rewordings.used == {FRAMING}
    assert errors("ttl: expected a duration", 'time: invalid duration "soon"', rewordings)
    assert rewordings.used == {FRAMING, NO_ECHO}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("permission denied", "bad token"),
        ("yes", "1 error occurred:\n\t* no\n\n"),
        ("", 'time: invalid duration "soon"'),
        ("soon is no duration", 'time: invalid duration "soon"'),
        ("ttl: expected text", 'error converting input for field "num_uses": ...'),
    ],
)
def test_other_messages_must_be_the_same(ours: str, theirs: str) -> None:
    rewordings = Rewordings()
    assert not errors(ours, theirs, rewordings)
    assert rewordings.used == set()


def test_a_message_may_have_the_words_of_the_table() -> None:
    rewordings = Rewordings()
    theirs = 'tune of path "x/" failed: no mount entry found'
    assert errors("No secret engine mount at x/", theirs, rewordings)
    assert rewordings.used == {ERROR_WORDING}
    assert not errors("No secret engine mount at y/", theirs, rewordings)
    assert not errors("something else", theirs, rewordings)
    assert errors("no", "1 error occurred:\n\t* failed to renew entry: no\n\n", rewordings)
    assert rewordings.used == {ERROR_WORDING, FRAMING}


def test_a_message_where_openbao_has_none_must_be_in_the_table() -> None:
    theirs = answer({"errors": []}, status=405)
    assert pointers(answer({"errors": ["unsupported operation"]}, status=405), theirs) == []
    assert pointers(answer({"errors": ["another"]}, status=405), theirs) == ["/body/errors/0"]
    assert pointers(answer({"errors": ["unsupported operation", "another"]}, status=405), theirs)


def test_a_warning_may_have_the_words_of_the_table() -> None:
    theirs = "Non-listing operations on the root of a K/V v2 mount are not supported."
    ours = "The path 'data' needs the name of a secret behind it."
    assert pointers(answer({"warnings": [ours]}), answer({"warnings": [theirs]})) == []
    assert pointers(answer({"warnings": ["x"]}), answer({"warnings": [theirs]}))
    assert pointers(answer({"warnings": None}), answer({"warnings": [theirs]}))
    assert pointers(answer({"errors": [ours]}), answer({"errors": [theirs]}))


def test_a_line_of_the_table_that_nothing_needs_is_told() -> None:
    rewordings = Rewordings()
    assert len(rewordings.unused()) == 5 + len(ERRORS) + len(WARNINGS)
    errors("token: must be given", "no token found", rewordings)
    assert "no token found -> token: must be given" not in rewordings.unused()
    assert ERROR_WORDING not in rewordings.unused()
    assert WARNING_WORDING in rewordings.unused()
