"""Policies decided slowly and obviously, to check the fast way against.

Written from the documented rules alone, with nothing shared: every rule is looked at for every
question, patterns are matched letter by letter, and the order of patterns is a comparison of two.
"""

from dataclasses import dataclass
from functools import cmp_to_key


@dataclass(frozen=True)
class Rule:
    """A `path` block."""

    pattern: str
    capabilities: tuple[str, ...]
    min_wrapping_ttl: int = 0
    max_wrapping_ttl: int = 0


def matches(pattern: str, path: str) -> bool:
    """Whether the pattern fits the whole path."""
    if pattern == "*":
        return True
    if not pattern:
        return not path
    if plus_segment_at_start(pattern):
        rest = path[path.index("/") :] if "/" in path else ""
        return matches_after_segment(pattern[1:], rest)
    return bool(path) and pattern[0] == path[0] and matches_within(pattern, path)


def plus_segment_at_start(pattern: str) -> bool:
    return pattern == "+" or pattern.startswith("+/")


def matches_within(pattern: str, path: str) -> bool:
    """Go on after one equal letter; a new segment may begin with `+` only after a slash."""
    if pattern[0] == "/":
        return matches(pattern[1:], path[1:])
    return matches_after_segment(pattern[1:], path[1:])


def matches_after_segment(pattern: str, path: str) -> bool:
    """Go on inside a segment, where `+` is a letter like any other."""
    if pattern == "*":
        return True
    if not pattern or not path:
        return pattern == path
    return pattern[0] == path[0] and matches_within(pattern, path)


def has_wildcard(pattern: str) -> bool:
    return pattern.endswith("*") or "+" in pattern.split("/")


def first_wildcard(pattern: str) -> int:
    places = [len(pattern) - 1] if pattern.endswith("*") else []
    for place, letter in enumerate(pattern):
        before = "/" if place == 0 else pattern[place - 1]
        after = "/" if place == len(pattern) - 1 else pattern[place + 1]
        if letter == "+" and before == after == "/":
            places.append(place)
    return min(places)


def compare(one: str, other: str) -> int:
    """Negative when `one` is the less specific of two patterns with wildcards."""
    if first_wildcard(one) != first_wildcard(other):
        return -1 if first_wildcard(one) < first_wildcard(other) else 1
    if one.endswith("*") != other.endswith("*"):
        return -1 if one.endswith("*") else 1
    if one.split("/").count("+") != other.split("/").count("+"):
        return -1 if one.split("/").count("+") > other.split("/").count("+") else 1
    if len(one) != len(other):
        return -1 if len(one) < len(other) else 1
    return -1 if one < other else int(one > other)


def most_specific(patterns: list[str]) -> str | None:
    if not patterns:
        return None
    return sorted(patterns, key=cmp_to_key(compare))[-1]


def deciding_pattern(rules: list[Rule], path: str) -> str | None:
    patterns = [rule.pattern for rule in rules]
    if path in patterns and not has_wildcard(path):
        return path
    return most_specific([p for p in patterns if has_wildcard(p) and matches(p, path)])


def deciding_pattern_for_folder(rules: list[Rule], folder: str) -> str | None:
    """Who decides on listing `folder`, which ends in a slash."""
    plain = folder[:-1]
    for exact in (folder, plain):
        if any(rule.pattern == exact and not has_wildcard(exact) for rule in rules):
            return exact
    decides = most_specific(
        [r.pattern for r in rules if has_wildcard(r.pattern) and matches(r.pattern, folder)]
    )
    speaks_too = most_specific(
        [
            rule.pattern
            for rule in rules
            if "+" in rule.pattern.removesuffix("*").split("/") and matches(rule.pattern, plain)
        ]
    )
    if speaks_too is None:
        return decides
    if decides is None:
        return speaks_too
    if "deny" in words_for(rules, speaks_too) and compare(decides, speaks_too) < 0:
        return speaks_too
    return decides


def words_for(rules: list[Rule], pattern: str | None) -> set[str]:
    return {word for rule in rules if rule.pattern == pattern for word in rule.capabilities}


def capabilities(rules: list[Rule], path: str) -> list[str]:
    """What `sys/capabilities` answers."""
    decide = deciding_pattern_for_folder if path.endswith("/") else deciding_pattern
    words = words_for(rules, decide(rules, path))
    return ["deny"] if not words or "deny" in words else sorted(words)


def allows(rules: list[Rule], operation: str, path: str, wrap_ttl: int | None, sudo: bool) -> bool:
    """Whether a request may go on."""
    if operation in ("list", "scan"):
        folder = path if path.endswith("/") else path + "/"
        pattern = deciding_pattern_for_folder(rules, folder)
    else:
        pattern = deciding_pattern(rules, path)
    words = words_for(rules, pattern)
    if "deny" in words or operation not in words or (sudo and "sudo" not in words):
        return False
    same = [rule for rule in rules if rule.pattern == pattern]
    shortest = [rule.min_wrapping_ttl for rule in same if rule.min_wrapping_ttl > 0]
    longest = [rule.max_wrapping_ttl for rule in same if rule.max_wrapping_ttl > 0]
    if shortest and (not wrap_ttl or wrap_ttl < min(shortest)):
        return False
    return not longest or (bool(wrap_ttl) and wrap_ttl is not None and wrap_ttl <= min(longest))
