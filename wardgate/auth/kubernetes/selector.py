"""Label selectors: which namespaces a role means, by their labels, as in Kubernetes.

A selector is written as JSON or YAML: ``{"matchLabels": {"team": "sales"}, "matchExpressions":
[{"key": "tier", "operator": "In", "values": ["web"]}]}``. All of it must hold; an empty one, ``{}``,
holds for all namespaces. It is read when a role is written, and checked more strictly than
Kubernetes does: a misspelt word must not become a selector that lets everybody in.
"""

import re
from typing import Any, Literal

import msgspec

LONGEST = 4096
"""Characters of a selector."""
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", re.ASCII)
_PREFIX = re.compile(
    r"(?=.{1,253}/)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*/", re.ASCII
)
Labels = dict[str, str]


class Requirement(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One expression about one label."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Whether it holds; a label that is not there is in no list of values."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels

    def is_possible(self) -> bool:
        """Whether key and values are such as labels can have."""
        return (
            _is_key(self.key)
            and all(map(_is_value, self.values))
            and bool(self.values) == (self.operator in ("In", "NotIn"))
        )


class Selector(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    rename="camel",
):
    """A selector that has been read."""

    match_labels: Labels = {}
    match_expressions: tuple[Requirement, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Whether something with these labels is meant."""
        return all(labels.get(key) == value for key, value in self.match_labels.items()) and all(
            each.matches(labels) for each in self.match_expressions
        )


def read_selector(text: str) -> Selector:
    """The selector in JSON or YAML; `ValueError` when it is none."""
    if len(text) > LONGEST:
        raise ValueError("too long")
    selector = msgspec.convert(_document(text), Selector)  # its ValidationError is a ValueError
    for key, value in selector.match_labels.items():
        if not (_is_key(key) and _is_value(value)):
            raise ValueError("no label")
    if not all(each.is_possible() for each in selector.match_expressions):
        raise ValueError("an impossible expression")
    return selector


def _document(text: str) -> Any:
    import yaml  # takes 10 ms, which servers without such roles need not spend

    class Loader(yaml.SafeLoader):
        """Without references, by which a small text could become a large document, and without
        keys that are there twice, of which one would be lost."""

        def compose_node(self, parent: Any, index: int) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise ValueError("a reference")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = [key.value for key, _ in node.value]
            if len(set(keys)) < len(keys):
                raise ValueError("a key twice")
            return super().construct_mapping(node, deep)

    if text.lstrip().startswith("{"):
        text = text.replace("\t", " ")  # white space in JSON, but not in YAML
    try:
        return Loader(text).get_single_data()
    except (  # what a document with tags of its own can end in, too
        yaml.YAMLError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError,
        ValueError,
    ):  # fmt: skip
        raise ValueError("neither JSON nor YAML") from None


def _is_key(key: str) -> bool:
    prefix = _PREFIX.match(key)
    return _NAME.fullmatch(key[prefix.end() :] if prefix else key) is not None


def _is_value(value: str) -> bool:
    return not value or _NAME.fullmatch(value) is not None
