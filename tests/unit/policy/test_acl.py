"""Which rule decides on a path, and what several rules for it come to."""

import math

import pytest

from wardgate.core.operation import Operation
from wardgate.core.policy import Acl, parse_policy

READ, LIST, SCAN = Operation.READ, Operation.LIST, Operation.SCAN


def acl(*policies: str) -> Acl:
    return Acl.compile([parse_policy(policy) for policy in policies])


def rule(path: str, *capabilities: str, more: str = "") -> str:
    words = ", ".join(f'"{word}"' for word in capabilities)
    return f'path "{path}" {{ capabilities = [{words}] {more} }}\n'


@pytest.mark.parametrize(
    ("pattern", "paths", "other_paths"),
    [
        ("a/b", ["a/b"], ["a", "a/b/", "a/b/c", "A/b", "a//b", "/a/b"]),
        ("/a/b", ["a/b"], ["/a/b"]),
        ("a/", ["a/"], ["a", "a/b"]),
        ("a/*", ["a/", "a/b", "a/b/c"], ["a", "ab"]),
        ("a*", ["a", "ab", "a/b"], ["b"]),
        ("*", ["a", "a/b", ""], []),
        ("a**", ["a*", "a*b"], ["ab"]),
        ("a/*/b", ["a/*/b"], ["a/x/b"]),
        ("+", ["a", ""], ["a/", "a/b"]),
        ("a/+/c", ["a/b/c", "a//c", "a/+/c"], ["a/b/c/", "a/c", "a/b/b/c", "a/b/cd"]),
        ("a/+", ["a/b", "a/"], ["a", "a/b/"]),
        ("+/b", ["a/b"], ["b", "a/a/b"]),
        ("a/+/", ["a/b/"], ["a/b", "a/b/c"]),
        ("a/+/c*", ["a/b/c", "a/b/cd", "a/b/cd/e", "a/b/c/d"], ["a/b/", "a/b/b/c"]),
        ("a/+/*", ["a/b/", "a/b/c", "a/b/c/d"], ["a/b"]),
        ("a/b+", ["a/b+"], ["a/bc"]),
        ("a/+b", ["a/+b"], ["a/cb"]),
        ("a+/+", ["a+/b"], ["ab/b"]),
        ("", [""], ["a"]),
    ],
)
def test_what_a_pattern_matches(pattern: str, paths: list[str], other_paths: list[str]) -> None:
    policy = acl(rule(pattern, "read"))
    assert [path for path in paths + other_paths if policy.allows(READ, path)] == paths


@pytest.mark.parametrize(
    ("specific", "general", "path"),
    [
        ("a/b", "a/*", "a/b"),
        ("a/b", "+/+", "a/b"),
        ("a/b/*", "a/*", "a/b/c"),
        ("a/b*", "a/+/c", "a/b/c"),
        ("a/+/c", "a/*", "a/b/c"),
        ("a/+/+", "a/+/c*", "a/b/c"),
        ("a/*", "a/+/c*", "a/b/c"),
        ("a/+/c/d", "a/+/+/d", "a/b/c/d"),
        ("a/+/bc*", "a/+/b*", "a/b/bcd"),
        ("a/+/c/+", "a/+/+/d", "a/b/c/d"),
        ("a/+/+", "+/b/c", "a/b/c"),
    ],
)
def test_the_more_specific_rule_decides_alone(specific: str, general: str, path: str) -> None:
    denied = acl(rule(specific, "deny"), rule(general, "read"))
    granted = acl(rule(general, "deny"), rule(specific, "read"))
    assert not denied.allows(READ, path)
    assert granted.allows(READ, path)


def test_a_specific_rule_takes_away_what_it_does_not_grant() -> None:
    policy = acl(rule("a/*", "read", "list"), rule("a/b", "update"))
    assert policy.capabilities("a/b") == ["update"]


def test_rules_for_one_path_add_up_whatever_policy_they_are_in() -> None:
    policy = acl(rule("a", "read") + rule("/a", "sudo"), rule("a", "list"))
    assert policy.capabilities("a") == ["list", "read", "sudo"]


def test_deny_takes_everything() -> None:
    assert acl(rule("a", "read", "deny")).capabilities("a") == ["deny"]
    policy = acl(rule("a", "read", "sudo"), rule("a", "deny"))
    assert policy.capabilities("a") == ["deny"]
    assert not policy.allows(READ, "a")


def test_what_no_rule_names_is_denied() -> None:
    assert acl().capabilities("a") == ["deny"]
    assert acl(rule("a")).capabilities("a") == ["deny"]
    assert not acl().allows(READ, "a")


def test_each_operation_needs_its_own_capability() -> None:
    operations = [operation for operation in Operation if operation is not Operation.HELP]
    for operation in operations:
        policy = acl(rule("a", operation.value))
        assert [other for other in operations if policy.allows(other, "a")] == [operation]


def test_sudo_is_asked_for_beside_the_capability() -> None:
    assert not acl(rule("a", "read")).allows(READ, "a", sudo=True)
    assert not acl(rule("a", "sudo")).allows(READ, "a", sudo=True)
    assert acl(rule("a", "sudo", "read")).allows(READ, "a", sudo=True)


def test_root_may_do_everything() -> None:
    root = Acl.compile([], root=True)
    assert root.allows(Operation.DELETE, "sys/anything", {"a": 1}, sudo=True)
    assert root.capabilities("a") == ["root"]


def test_help_is_open_to_every_token() -> None:
    assert acl(rule("a", "deny")).allows(Operation.HELP, "a")


class TestListing:
    """A folder is listed as `a/`, whether it was asked for with the slash or without."""

    @pytest.mark.parametrize("asked", ["a", "a/"])
    @pytest.mark.parametrize("operation", [LIST, SCAN])
    @pytest.mark.parametrize("pattern", ["a", "a/", "a/*", "a*", "+", "+/", "*"])
    def test_a_rule_with_or_without_the_slash(
        self, pattern: str, operation: Operation, asked: str
    ) -> None:
        assert acl(rule(pattern, "list", "scan")).allows(operation, asked)

    @pytest.mark.parametrize("asked", ["a", "a/"])
    @pytest.mark.parametrize("specific", ["a", "a/", "a/*"])
    def test_a_more_specific_deny_is_obeyed(self, specific: str, asked: str) -> None:
        assert not acl(rule("*", "list"), rule(specific, "deny")).allows(LIST, asked)

    @pytest.mark.parametrize("asked", ["a/b/c", "a/b/c/"])
    def test_a_more_specific_deny_with_plus_is_obeyed(self, asked: str) -> None:
        policy = acl(rule("a/*", "list"), rule("a/+/c", "deny"))
        assert not policy.allows(LIST, asked)
        assert policy.capabilities("a/b/c/") == ["deny"]

    def test_a_less_specific_deny_with_plus_is_not(self) -> None:
        assert acl(rule("a/b/*", "list"), rule("a/+/c", "deny")).allows(LIST, "a/b/c")

    def test_the_rule_with_the_slash_comes_first(self) -> None:
        assert acl(rule("a/", "list"), rule("a", "deny")).allows(LIST, "a")
        assert not acl(rule("a/", "deny"), rule("a", "list")).allows(LIST, "a")

    def test_other_operations_take_the_path_as_it_is(self) -> None:
        assert not acl(rule("a", "read")).allows(READ, "a/")
        assert not acl(rule("a/", "read")).allows(READ, "a")

    def test_a_read_and_a_listing_of_one_path_are_kept_apart(self) -> None:
        policy = acl(rule("+", "list"), rule("*", "read"))
        for _ in range(2):
            assert policy.allows(READ, "a/")
            assert not policy.allows(LIST, "a/")
            assert not policy.allows(READ, "a")


def test_answers_stay_the_same_when_many_paths_are_asked_for() -> None:
    policy = acl(rule("a/*", "read"), rule("a/+/x", "deny"))
    for _ in range(2):
        for number in range(2000):
            assert policy.allows(READ, f"a/{number}/y")
            assert not policy.allows(READ, f"a/{number}/x")
            assert policy.allows(READ, f"a/{'long' * 100}{number}")


class TestExpiration:
    POLICY = rule("a", "read", more="expiration = 1000") + rule("b", "read")
    LATER = rule("a", "list", more="expiration = 2000")

    def compiled(self, now: float) -> Acl:
        return Acl.compile([parse_policy(self.POLICY), parse_policy(self.LATER)], now=now)

    def test_a_rule_is_gone_when_it_expires(self) -> None:
        assert self.compiled(999).capabilities("a") == ["list", "read"]
        assert self.compiled(1000).capabilities("a") == ["list"]
        assert self.compiled(2000).capabilities("a") == ["deny"]
        assert self.compiled(2000).capabilities("b") == ["read"]

    def test_it_is_known_when_to_compile_anew(self) -> None:
        assert self.compiled(0).valid_until == 1000
        assert self.compiled(1000).valid_until == 2000
        assert self.compiled(2000).valid_until == math.inf

    def test_without_a_time_nothing_that_expires_is_granted(self) -> None:
        assert Acl.compile([parse_policy(self.POLICY)]).capabilities("a") == ["deny"]
