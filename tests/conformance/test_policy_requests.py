"""Policies let the same requests pass as in a real OpenBao: limits beside the capability."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.policy_oracle import Oracle, running_oracle
from wardgate.core.operation import Operation
from wardgate.core.policy import Acl, parse_policy

ALL = '["create", "read", "update", "patch", "delete", "list", "scan"]'

# The limits of one rule, or of several for the same path; then bodies to write.
WRITES: list[tuple[list[str], list[dict[str, Any]]]] = [
    (['allowed_parameters = {"a" = ["x"]}'],
     [{"a": "x"}, {"a": "y"}, {"b": "x"}, {"a": "x", "b": "x"}, {"A": "x"}, {"a": 1}, {"a": None},
      {"a": ["x"]}]),
    (['allowed_parameters = {"a" = []}'], [{"a": "x"}, {"a": None}, {"a": {"z": 1}}, {"b": 1}]),
    (['allowed_parameters = {"*" = ["x"]}'], [{"a": "x"}, {"a": "y"}, {"*": "x"}]),
    (['allowed_parameters = {"*" = ["q"] "a" = ["x"]}'],
     [{"a": "x"}, {"a": "q"}, {"b": "q"}, {"a": "x", "b": 1}]),
    (['allowed_parameters = {"Abc" = ["x"]}'], [{"abc": "x"}, {"ABC": "x"}, {"abc": "X"}]),
    (['allowed_parameters = {a = ["p*"] b = ["*s"] c = ["*m*"] d = ["x*y"] e = ["*"] f = ["**"]}'],
     [{"a": "pre"}, {"a": "xp"}, {"b": "as"}, {"b": "sa"}, {"c": "amb"}, {"c": "n"}, {"d": "xzy"},
      {"d": "x*y"}, {"e": "x"}, {"e": "*"}, {"f": "x"}, {"f": ""}, {"a": ["pre"]}]),
    (['allowed_parameters = {"pre*" = []}'], [{"prefix": 1}, {"pre*": 1}]),
    (['allowed_parameters = {a = ["1"] d = [true] e = ["true"]}'],
     [{"a": 1}, {"a": "1"}, {"d": True}, {"d": "true"}, {"e": True}, {"e": "true"}, {"d": 1}]),
    (['allowed_parameters = {a = ["x", "y"] b = [["x", "y"]] c = [{"k" = "v"}] d = [{}]}'],
     [{"a": ["x"]}, {"a": "x,y"}, {"b": ["x", "y"]}, {"b": ["y", "x"]}, {"b": "x"},
      {"c": {"k": "v"}}, {"c": {"k": "w"}}, {"c": [{"k": "v"}]}, {"d": {}}, {"d": {"k": 1}}]),
    (["allowed_parameters = {}"], [{"a": 1}]),
    (['denied_parameters = {"a" = ["x"]}'],
     [{"a": "x"}, {"a": "y"}, {"b": "x"}, {"A": "x"}, {"a": "X"}]),
    (['denied_parameters = {"a" = []}'], [{"a": "x"}, {"b": 1}, {"A": 1}, {"a": None}]),
    (['denied_parameters = {"*" = ["x"]}'], [{"a": "x"}, {"a": "y"}]),
    (['denied_parameters = {"a" = ["pre*"]}'], [{"a": "prefix"}, {"a": "x"}, {"a": 5}]),
    (['denied_parameters = {b = [["x", "y"]]}'], [{"b": ["x", "y"]}, {"b": ["y", "x"]}]),
    (['allowed_parameters = {a = []} denied_parameters = {a = ["x"]}'],
     [{"a": "x"}, {"a": "y"}, {"b": 1}]),
    (['required_parameters = ["a", "B"]'],
     [{"a": 1}, {"a": 1, "b": 2}, {"A": 1, "B": 1}, {"a": 1, "b": 1, "c": 1}]),
    (['required_parameters = ["*"]'], [{"a": 1}, {"*": 1}]),
    (['allowed_parameters = {a = ["x"]}', 'allowed_parameters = {a = ["y"]}'],
     [{"a": "x"}, {"a": "y"}, {"a": "z"}, {"b": "x"}]),
    (['allowed_parameters = {a = ["x"]}', "allowed_parameters = {a = []}"],
     [{"a": "x"}, {"a": "y"}, {"b": "x"}]),
    (['allowed_parameters = {a = ["x"]}', ""], [{"a": "x"}, {"a": "y"}, {"b": "x"}]),
    (['denied_parameters = {a = ["x"]}', 'denied_parameters = {a = ["y"]}'],
     [{"a": "x"}, {"a": "y"}, {"a": "z"}]),
    (["denied_parameters = {a = []}", 'denied_parameters = {a = ["x"]}'],
     [{"a": "x"}, {"a": "y"}, {"b": "x"}]),
    (['denied_parameters = {a = ["x"]}', ""], [{"a": "x"}, {"a": "y"}]),
    (['required_parameters = ["a"]', 'required_parameters = ["b"]'],
     [{"a": 1}, {"b": 1}, {"a": 1, "b": 1}]),
    (['required_parameters = ["a"] required_parameters = ["b"]'], [{"a": 1}, {"a": 1, "b": 1}]),
    (['allowed_parameters = {a = ["x"] a = ["y"]}'], [{"a": "x"}, {"a": "y"}, {"a": "z"}]),
    (["min_wrapping_ttl = 60"], [{"a": 1}]),
]  # fmt: skip

# Where OpenBao lets pass what the policy plainly denies, or refuses what it plainly allows.
ONLY_HERE_REFUSED: list[tuple[str, dict[str, Any]]] = [
    ('denied_parameters = {"a" = ["x"]}', {"a": ["y", "x"]}),
    ('denied_parameters = {"a" = ["x"]}', {"a": "y,x"}),
    ('denied_parameters = {"a" = ["*"]}', {"a": "x"}),
    ('denied_parameters = {"a" = [1]}', {"a": 1}),
    ('denied_parameters = {"a" = [true]}', {"a": "true"}),
]
ONLY_HERE_ALLOWED: list[tuple[str, dict[str, Any]]] = [
    ('allowed_parameters = {"a" = [1]}', {"a": 1}),
]

WRAPPING: list[list[str]] = [
    ["min_wrapping_ttl = 60"],
    ["max_wrapping_ttl = 120"],
    ['min_wrapping_ttl = "60" max_wrapping_ttl = "2m"'],
    ["min_wrapping_ttl = 60", "min_wrapping_ttl = 100"],
    ["min_wrapping_ttl = 100", "min_wrapping_ttl = 60"],
    ["max_wrapping_ttl = 120", "max_wrapping_ttl = 60"],
    ["max_wrapping_ttl = 60", ""],
    ["min_wrapping_ttl = 100", "max_wrapping_ttl = 50"],
    ['min_wrapping_ttl = "1ms"'],
    ['max_wrapping_ttl = "60500ms"'],
]

LISTINGS: list[tuple[str, list[str]]] = [
    (f'path "k/a" {{ capabilities = {ALL} {limits} }}', limited)
    for limits, limited in [
        ("pagination_limit = 3", ["", "0", "1", "3", "4", "-1", "max", "MAX", "x", "2.5", " 2"]),
        ("pagination_limit = 0", ["", "0", "9", "-1"]),
        ('pagination_limit = 3 required_parameters = ["limit"]', ["", "0", "3", "4", "max"]),
        ('required_parameters = ["limit"]', ["0", "5"]),
        ('denied_parameters = {"limit" = []}', ["5"]),
    ]
]

PATHS: list[str] = [
    'path "k/a" { capabilities = ["list", "scan"] }',
    'path "k/a/" { capabilities = ["list", "scan", "read"] }',
    'path "k/a*" { capabilities = ["list", "read"] } path "k/a/" { capabilities = ["deny"] }',
    'path "k/a" { capabilities = ["list", "read"] } path "k/a/*" { capabilities = ["deny"] }',
    'path "k/*" { capabilities = ["list", "read"] } path "k/a" { capabilities = ["deny"] }',
    'path "k/+" { capabilities = ["list", "scan", "read", "delete"] }',
    'path "k/+/" { capabilities = ["list", "scan"] }',
    'path "k/a" { capabilities = ["read"] } path "k/*" { capabilities = ["list", "delete"] }',
]


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with running_oracle() as running:
        assert running.send("POST", "sys/mounts/k", {"type": "kv"})[0] == 204
        for path in ("k/a", "k/a/b", "k/w"):
            assert running.send("PUT", path, {"v": "1"})[0] == 204
        yield running


def prepared(oracle: Oracle, text: str) -> tuple[Acl, str]:
    """The policy here, and a token with it there."""
    assert oracle.write_policy("tried", text) == 204, text
    return Acl.compile([parse_policy(text)]), oracle.token("tried")


def rules(limits: list[str]) -> str:
    return "\n".join(f'path "k/w" {{ capabilities = {ALL} {limit} }}' for limit in limits)


@pytest.mark.parametrize(("limits", "bodies"), WRITES)
def test_parameters(oracle: Oracle, limits: list[str], bodies: list[dict[str, Any]]) -> None:
    acl, token = prepared(oracle, rules(limits))
    for body in bodies:
        theirs = oracle.send("PUT", "k/w", body, token=token)[0]
        assert theirs in (204, 403)
        assert acl.allows(Operation.UPDATE, "k/w", body) == (theirs == 204), body


@pytest.mark.parametrize(("limits", "body"), ONLY_HERE_REFUSED + ONLY_HERE_ALLOWED)
def test_known_differences_in_parameters(oracle: Oracle, limits: str, body: dict[str, Any]) -> None:
    acl, token = prepared(oracle, rules([limits]))
    theirs = oracle.send("PUT", "k/w", body, token=token)[0] == 204
    assert acl.allows(Operation.UPDATE, "k/w", body) is not theirs
    assert theirs is ((limits, body) in ONLY_HERE_REFUSED)


@pytest.mark.parametrize("limits", WRAPPING)
def test_wrapping(oracle: Oracle, limits: list[str]) -> None:
    acl, token = prepared(oracle, rules(limits))
    assert oracle.send("PUT", "k/w", {"v": "1"})[0] == 204
    for ttl in (None, 30, 60, 61, 100, 120, 200):
        headers = {} if ttl is None else {"X-Vault-Wrap-TTL": str(ttl)}
        theirs = oracle.send("GET", "k/w", token=token, headers=headers)[0]
        assert acl.allows(Operation.READ, "k/w", {}, ttl) == (theirs == 200), ttl


def test_a_wrapping_ttl_of_0_is_not_wrapping(oracle: Oracle) -> None:
    """OpenBao answers in the clear, although the policy demands wrapping."""
    acl, token = prepared(oracle, rules(["max_wrapping_ttl = 120"]))
    headers = {"X-Vault-Wrap-TTL": "0"}
    assert oracle.send("GET", "k/w", token=token, headers=headers)[0] == 200
    assert not acl.allows(Operation.READ, "k/w", {}, 0)


@pytest.mark.parametrize(("text", "limits"), LISTINGS)
def test_pagination_limits(oracle: Oracle, text: str, limits: list[str]) -> None:
    acl, token = prepared(oracle, text)
    assert acl.allows(Operation.LIST, "k/a") == (oracle.send("LIST", "k/a", token=token)[0] == 200)
    for limit in limits:
        asked = limit.replace(" ", "%20")
        theirs = oracle.send("LIST", f"k/a?limit={asked}", token=token)[0]
        assert acl.allows(Operation.LIST, "k/a", {"limit": limit}) == (theirs == 200), limit


@pytest.mark.parametrize("text", PATHS)
def test_paths_with_and_without_a_slash(oracle: Oracle, text: str) -> None:
    acl, token = prepared(oracle, text)
    for path in ("k/a", "k/a/"):
        for method, operation in (
            ("LIST", Operation.LIST),
            ("SCAN", Operation.SCAN),
            ("GET", Operation.READ),
        ):
            theirs = oracle.send(method, path, token=token)[0]
            assert theirs in (200, 403, 404)
            assert acl.allows(operation, path) == (theirs != 403), (method, path)


def test_a_filter_on_listed_keys(oracle: Oracle) -> None:
    text = """
        path "k/f" {
          capabilities = ["list", "scan"]
          list_scan_response_keys_filter_path = "{{ .path }}{{ .key }}"
        }
        path "k/f/1" { capabilities = ["read"] }
        path "k/f/2" { capabilities = ["list", "update", "sudo"] }
        path "k/f/3" { capabilities = ["deny"] }
        path "k/f/4" { capabilities = ["read"] min_wrapping_ttl = 60 }
        path "k/f/sub" { capabilities = ["list"] }
        path "k/f/more/*" { capabilities = ["list"] }
        path "k/f/rest/" { capabilities = ["read"] }
    """
    for key in ("1", "2", "3", "4", "5", "sub/x", "more/x", "rest/x"):
        assert oracle.send("PUT", f"k/f/{key}", {"v": "1"})[0] == 204
    acl, token = prepared(oracle, text)
    for method, operation in (("LIST", Operation.LIST), ("SCAN", Operation.SCAN)):
        everything = oracle.send(method, "k/f")[1]["data"]["keys"]
        theirs = oracle.send(method, "k/f", token=token)[1]["data"]["keys"]
        decision = acl.decide(operation, "k/f")
        assert acl.shown_keys(decision, "k/f", everything) == theirs


def test_two_filters_on_listed_keys_both_count(oracle: Oracle) -> None:
    """OpenBao takes the first one alone."""
    text = "".join(
        f'path "k/g" {{ capabilities = ["list"] '
        f'list_scan_response_keys_filter_path = "{template}" }}\n'
        for template in ("k/g/{{ .key }}", "k/h/{{ .key }}")
    )
    text += 'path "k/g/1" { policy = "read" } path "k/h/2" { policy = "read" }'
    for key in ("1", "2"):
        assert oracle.send("PUT", f"k/g/{key}", {"v": "1"})[0] == 204
    acl, token = prepared(oracle, text)
    assert oracle.send("LIST", "k/g", token=token)[1]["data"]["keys"] == ["1"]
    assert acl.shown_keys(acl.decide(Operation.LIST, "k/g"), "k/g", ["1", "2"]) == []
