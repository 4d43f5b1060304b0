"""Kubernetes: selectors mean what Kubernetes says they mean, globs what shells say; nothing that is
sent breaks a reader."""

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from wardgate.auth.kubernetes import claims
from wardgate.auth.kubernetes.roles import Role, role_key
from wardgate.auth.kubernetes.selector import LONGEST, read_selector
from wardgate.errors import PermissionDenied

KEYS = st.sampled_from(["team", "tier", "example.com/team", "kubernetes.io/metadata.name"])
VALUES = st.sampled_from(["", "sales", "ops", "web", "a.b-c_d"])
LABELS = st.dictionaries(KEYS, VALUES, max_size=4)


def _expression(operator: str) -> st.SearchStrategy[dict[str, Any]]:
    listed = operator in ("In", "NotIn")
    values = st.lists(VALUES, min_size=1, max_size=3) if listed else st.just([])
    return st.builds(
        lambda key, found: {
            "key": key,
            "operator": operator,
            **({"values": found} if found else {}),
        },
        KEYS,
        values,
    )


EXPRESSIONS = st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]).flatmap(_expression)
SELECTORS = st.fixed_dictionaries(
    {}, optional={"matchLabels": LABELS, "matchExpressions": st.lists(EXPRESSIONS, max_size=3)}
)


def _means(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """What Kubernetes' documentation says a selector means."""
    for key, value in selector.get("matchLabels", {}).items():
        if key not in labels or labels[key] != value:
            return False
    for each in selector.get("matchExpressions", []):
        key, there = each["key"], each["key"] in labels
        held = {
            "In": there and labels.get(key) in each.get("values", []),
            "NotIn": not there or labels[key] not in each.get("values", []),
            "Exists": there,
            "DoesNotExist": not there,
        }[each["operator"]]
        if not held:
            return False
    return True


def _yaml(selector: dict[str, Any]) -> str:
    """The selector in YAML's own form, with every text in quotes."""
    lines = []
    for key, value in selector.get("matchLabels", {}).items():
        lines.append(f'  "{key}": "{value}"')
    text = "matchLabels:\n" + "\n".join(lines) + "\n" if lines else ""
    if selector.get("matchExpressions"):
        text += "matchExpressions:\n"
        for each in selector["matchExpressions"]:
            text += f'- key: "{each["key"]}"\n  operator: {each["operator"]}\n'
            if "values" in each:
                text += "  values:\n" + "".join(f'  - "{value}"\n' for value in each["values"])
    return text or "{}"


@given(SELECTORS, LABELS)
def test_a_selector_means_what_kubernetes_says(
    selector: dict[str, Any], labels: dict[str, str]
) -> None:
    read = read_selector(json.dumps(selector))
    assert read.matches(labels) == _means(selector, labels)


@given(SELECTORS)
def test_json_and_yaml_are_the_same_selector(selector: dict[str, Any]) -> None:
    assert (
        read_selector(json.dumps(selector))
        == read_selector(json.dumps(selector, indent=1))
        == (read_selector(_yaml(selector)))
    )


PIECES = st.sampled_from(
    ["matchLabels", "matchExpressions", ":", " ", "\n", "  ", "- ", "{", "}", "[", "]", ",", '"', "'",
     "&a", "*a", "!!", "key", "operator", "In", "values", "a", "true", "1", "2024-01-01", "---", "#",
     "|", ">", "<<", "\t", "\0", "é", "~", "null"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=60).map("".join)))
def test_any_text_is_a_selector_or_is_refused(text: str) -> None:
    try:
        selector = read_selector(text)
    except ValueError:
        return
    assert len(text) <= LONGEST
    for key, value in selector.match_labels.items():
        assert key.isprintable()
        assert value.isprintable()


@given(
    st.lists(st.text("ab*-", max_size=6), min_size=1, max_size=3),
    st.text("ab-", max_size=8),
)
def test_globs_are_those_of_shells_with_stars_alone(globs: list[str], name: str) -> None:
    forms = [".*".join(map(re.escape, glob.split("*"))) for glob in globs]
    wanted = any(re.fullmatch(form, name) for form in forms)
    assert Role(names=tuple(globs)).allows_name(name) == wanted
    assert Role(namespaces=tuple(globs)).allows_namespace(name) == wanted


@given(st.text(max_size=40))
def test_all_spellings_of_a_role_are_one_key(name: str) -> None:
    key = role_key(name)
    if key is None:
        return
    assert key.isascii()
    assert "/" not in key
    assert {role_key(name.upper()), role_key(name.lower()), role_key(key)} == {key}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = ["iss", "aud", "exp", "iat", "nbf", "kubernetes.io"] + [
    f"kubernetes.io/serviceaccount/{name}"
    for name in ("namespace", "secret.name", "service-account.name", "service-account.uid")
]


@given(st.dictionaries(st.sampled_from(NAMES), JSON), st.sampled_from(["", "a"]))
def test_any_claims_are_somebodys_or_are_refused(said: dict[str, Any], wanted: str) -> None:
    try:
        claims.check(said, issuer=wanted, audience=wanted, now=1_700_000_000.0)
        account = claims.account(said)
    except PermissionDenied:
        return
    assert re.fullmatch(r"[a-z0-9-]{1,63}", account.namespace)
    assert re.fullmatch(r"[a-z0-9.-]{1,253}", account.name)
    assert ".." not in account.name


@given(st.one_of(st.text(max_size=100), st.text("eyJhbGciOiJSUzI1NiJ9.-_=", max_size=60)))
def test_any_text_is_a_token_or_is_refused(token: str) -> None:
    try:
        said = claims.read(token, ())
    except PermissionDenied:
        return
    assert isinstance(said, dict)
