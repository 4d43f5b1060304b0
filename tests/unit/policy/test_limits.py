"""What a rule asks of a request beside the capability: parameters, wrapping, listings."""

from typing import Any

import pytest

from wardgate.core.operation import Operation
from wardgate.core.policy import Acl, parse_policy

UPDATE, READ, LIST = Operation.UPDATE, Operation.READ, Operation.LIST


def acl(*limits: str) -> Acl:
    """One rule for each, all for the path `a` with all capabilities."""
    words = '["create", "read", "update", "patch", "delete", "list", "scan"]'
    rules = [f'path "a" {{ capabilities = {words} {limit} }}' for limit in limits]
    return Acl.compile([parse_policy(text) for text in rules])


def passing(policy: Acl, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    return [data for data in requests if policy.allows(UPDATE, "a", data)]


class TestAllowedParameters:
    def test_only_what_is_named_may_be_there(self) -> None:
        policy = acl('allowed_parameters = { name = ["x", "y"] kind = [] }')
        good: list[dict[str, Any]] = [
            {"name": "x"},
            {"name": "y", "kind": {"any": 1}},
            {"NAME": "x"},
            {},
        ]
        assert passing(policy, *good, {"name": "z"}, {"other": 1}, {"name": "x", "b": 1}) == good

    def test_star_allows_the_others(self) -> None:
        policy = acl('allowed_parameters = { name = ["x"] "*" = ["ignored"] }')
        assert passing(policy, {"b": 1}, {"name": "x"}, {"name": "z"}) == [{"b": 1}, {"name": "x"}]

    @pytest.mark.parametrize(
        ("glob", "good", "bad"),
        [
            ("pre*", ["pre", "prefix"], ["xpre", "PRE"]),
            ("*fix", ["fix", "suffix"], ["fixed"]),
            ("*mid*", ["mid", "amidst"], ["mi"]),
            ("a*c", ["a*c"], ["abc"]),
            ("**", ["", "x"], []),
            ("*", ["*"], ["x"]),
            ("", [""], ["x"]),
        ],
    )
    def test_globs_at_the_ends_of_a_value(self, glob: str, good: list[str], bad: list[str]) -> None:
        policy = acl(f'allowed_parameters = {{ p = ["{glob}"] }}')
        assert [v for v in good + bad if policy.allows(UPDATE, "a", {"p": v})] == good

    @pytest.mark.parametrize(
        ("written", "good", "bad"),
        [
            ("1", [1, 1.0], ["1", True, 2]),
            ("true", [True], ["true", 1, False]),
            ('"1"', ["1"], [1]),
            ('["x", "y"]', [["x", "y"]], [["y", "x"], ["x"], "x"]),
            ("{ k = 1 }", [{"k": 1}], [{"k": True}, {"k": 1, "j": 2}, {}]),
            ('"x"', ["x"], [["x"], None, {"x": 1}]),
        ],
    )
    def test_a_value_is_compared_with_its_type(
        self, written: str, good: list[Any], bad: list[Any]
    ) -> None:
        policy = acl(f"allowed_parameters = {{ p = [{written}] }}")
        assert all(policy.allows(UPDATE, "a", {"p": value}) for value in good)
        assert not any(policy.allows(UPDATE, "a", {"p": value}) for value in bad)


class TestDeniedParameters:
    def test_a_name_or_some_of_its_values(self) -> None:
        policy = acl('denied_parameters = { name = ["x"] kind = [] }')
        good = [{"name": "y"}, {"other": "x"}, {}]
        assert passing(policy, *good, {"name": "x"}, {"Kind": None}, {"NAME": "x"}) == good

    def test_star_denies_everything(self) -> None:
        assert passing(acl('denied_parameters = { "*" = [] }'), {"b": 1}, {}) == [{}]

    def test_denied_comes_before_allowed(self) -> None:
        policy = acl('allowed_parameters = { "*" = [] } denied_parameters = { b = ["1*"] }')
        assert passing(policy, {"b": "12"}, {"b": "2"}) == [{"b": "2"}]

    @pytest.mark.parametrize(
        ("written", "values"),
        [
            ('"x"', ["x", ["y", "x"], "y, x", [["x"]]]),
            ('"adm*"', ["admin", ["user", "admin"], "user,admin"]),
            ('"*"', ["anything", "", 5]),
            ("1", [1, 1.0, "1", [1]]),
            ('"1"', [1, "1"]),
            ("true", [True, "true", "T", "1", 1]),
            ("false", [False, "FALSE", "0"]),
            ('["x", "y"]', [["x", "y"]]),
        ],
    )
    def test_no_other_way_to_write_a_value_gets_round(
        self, written: str, values: list[Any]
    ) -> None:
        policy = acl(f"denied_parameters = {{ p = [{written}] }}")
        assert not any(policy.allows(UPDATE, "a", {"p": value}) for value in values)
        assert policy.allows(UPDATE, "a", {"p": "other"}) is (written != '"*"')


def test_required_parameters_must_all_be_there() -> None:
    policy = acl('required_parameters = ["a", "B"]')
    good: list[dict[str, Any]] = [{"a": 1, "b": None}, {"a": 1, "b": 2, "c": 3}]
    assert passing(policy, *good, {"a": 1}, {}, {"A": 1, "B": 1}) == good


@pytest.mark.parametrize("operation", [Operation.DELETE, Operation.LIST, Operation.SCAN])
def test_parameters_do_not_count_for_deleting_and_listing(operation: Operation) -> None:
    assert acl('denied_parameters = { "*" = [] }').allows(operation, "a", {"b": 1})


@pytest.mark.parametrize("operation", ["read", "create", "update", "patch"])
def test_parameters_count_for_reading_and_writing(operation: str) -> None:
    assert not acl('required_parameters = ["b"]').allows(Operation(operation), "a")


class TestMergedParameters:
    """Rules for the same path in several policies."""

    def test_values_add_up(self) -> None:
        policy = acl('allowed_parameters = { p = ["x"] }', 'allowed_parameters = { p = ["y"] }')
        assert passing(policy, {"p": "x"}, {"p": "y"}, {"p": "z"}) == [{"p": "x"}, {"p": "y"}]

    @pytest.mark.parametrize("order", [1, -1])
    def test_no_values_means_all_values(self, order: int) -> None:
        allowed = ['allowed_parameters = { p = ["x"] }', "allowed_parameters = { p = [] }"]
        denied = ['denied_parameters = { p = ["x"] }', "denied_parameters = { p = [] }"]
        assert passing(acl(*allowed[::order]), {"p": "z"}, {"q": 1}) == [{"p": "z"}]
        assert passing(acl(*denied[::order]), {"p": "z"}, {"q": 1}) == [{"q": 1}]

    def test_a_rule_without_limits_lifts_none(self) -> None:
        assert passing(acl('allowed_parameters = { p = ["x"] }', ""), {"p": "z"}) == []
        assert passing(acl('denied_parameters = { p = ["x"] }', ""), {"p": "x"}) == []
        assert (
            passing(acl('required_parameters = ["p"]', 'required_parameters = ["q"]'), {"p": 1})
            == []
        )


class TestWrapping:
    @pytest.mark.parametrize(
        ("limits", "good"),
        [
            (["min_wrapping_ttl = 60"], [60, 120, 200]),
            (["max_wrapping_ttl = 120"], [30, 60, 120]),
            (['min_wrapping_ttl = "1m" max_wrapping_ttl = "2m"'], [60, 120]),
            (["min_wrapping_ttl = 60", "min_wrapping_ttl = 100"], [60, 120, 200]),
            (["max_wrapping_ttl = 60", "max_wrapping_ttl = 120"], [30, 60]),
            (["max_wrapping_ttl = 60", ""], [30, 60]),
            (["min_wrapping_ttl = 100", "max_wrapping_ttl = 50"], []),
            ([""], [None, 0, 30, 60, 120, 200]),
        ],
    )
    def test_the_ttl_asked_for(self, limits: list[str], good: list[int | None]) -> None:
        policy = acl(*limits)
        asked = [None, 0, 30, 60, 120, 200]
        for operation in (READ, UPDATE, LIST, Operation.DELETE):
            assert [ttl for ttl in asked if policy.allows(operation, "a", {}, ttl)] == good


class TestPaginationLimit:
    @pytest.mark.parametrize("asked", [{}, {"limit": 0}, {"limit": "0"}, {"limit": ""},
                                       {"limit": "max"}, {"limit": 3}, {"limit": "3"}])  # fmt: skip
    @pytest.mark.parametrize("operation", [LIST, Operation.SCAN])
    def test_the_most_that_is_allowed(self, operation: Operation, asked: dict[str, Any]) -> None:
        decision = acl("pagination_limit = 3").decide(operation, "a", asked)
        assert (decision.allowed, decision.limit) == (True, 3)

    def test_less_may_be_asked_for(self) -> None:
        assert acl("pagination_limit = 3").decide(LIST, "a", {"limit": "2"}).limit == 2

    @pytest.mark.parametrize(
        "limit", [4, "4", -1, "-1", "MAX", "2.5", 2.5, " 2", True, [1], "9" * 5000, "\u0662"]
    )
    def test_no_way_round(self, limit: object) -> None:
        assert not acl("pagination_limit = 3").allows(LIST, "a", {"limit": limit})

    def test_the_limit_may_be_required(self) -> None:
        policy = acl('pagination_limit = 3 required_parameters = ["limit"]')
        assert not policy.allows(LIST, "a")
        assert policy.allows(LIST, "a", {"limit": 1})

    def test_the_smaller_of_two_limits_counts(self) -> None:
        assert acl("pagination_limit = 5", "pagination_limit = 3", "").decide(LIST, "a").limit == 3

    @pytest.mark.parametrize("limit", ["", "pagination_limit = 0", "pagination_limit = -1"])
    def test_without_a_limit_the_request_decides(self, limit: str) -> None:
        decision = acl(limit).decide(LIST, "a", {"limit": -1})
        assert (decision.allowed, decision.limit) == (True, None)


class TestListFilter:
    KEYS = ["1", "2", "3", "sub/", "other/"]

    def shown(self, *templates: str) -> list[str]:
        rules = [
            f'path "kv" {{ capabilities = ["list"] '
            f'list_scan_response_keys_filter_path = "{template}" }}'
            for template in templates
        ]
        rules.append("""
            path "kv/1" { capabilities = ["read"] }
            path "kv/2" { capabilities = ["list", "update", "sudo"] }
            path "kv/3" { capabilities = ["read"] min_wrapping_ttl = 60 }
            path "kv/sub" { capabilities = ["list"] }
            path "kv/other/" { capabilities = ["read"] }
            path "data/1" { capabilities = ["read"] }
        """)
        policy = Acl.compile([parse_policy(text) for text in rules])
        return policy.shown_keys(policy.decide(LIST, "kv"), "kv", self.KEYS)

    def test_keys_that_may_be_read_and_folders_that_may_be_listed_are_shown(self) -> None:
        assert self.shown("kv/{{ .key }}") == ["1", "sub/"]
        assert self.shown("{{.path}}{{.key}}") == ["1", "sub/"]

    def test_another_place_may_decide(self) -> None:
        assert self.shown("data/{{ .key }}") == ["1"]
        assert self.shown("elsewhere/{{ .key }}") == []

    def test_two_filters_both_count(self) -> None:
        assert self.shown("kv/{{ .key }}", "data/{{ .key }}") == ["1"]

    def test_without_a_filter_all_keys_are_shown(self) -> None:
        assert self.shown("") == self.KEYS
        root = Acl.compile([], root=True)
        assert root.shown_keys(root.decide(LIST, "kv"), "kv", self.KEYS) == self.KEYS
