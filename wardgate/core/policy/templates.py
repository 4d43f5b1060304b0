"""Paths that name the subject: `secret/data/{{identity.entity.name}}/*`.

Filling in can never widen a rule. A reference that cannot be resolved drops its rule, and so does a
value that is empty or holds `*`, `+`, `/` or `,`, which could turn a name into a pattern or into
another path (GHSA-59w7-v8rr-pr4p).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_REFERENCE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_UNSAFE = re.compile(r"[*+/,]")


@dataclass(frozen=True, slots=True)
class TemplateAlias:
    """The subject's alias on one auth mount."""

    id: str
    name: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    custom_metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TemplateGroup:
    """A group that the subject is in, directly or through another group."""

    id: str
    name: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TemplateSubject:
    """Whoever a token stands for, as far as templates may ask about it."""

    entity_id: str
    entity_name: str
    entity_metadata: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, TemplateAlias] = field(default_factory=dict)
    """By the accessor of their mount."""
    groups: tuple[TemplateGroup, ...] = ()


class UnsafeValue(Exception):
    """A value that must not become part of a path."""


def check_template(path: str) -> str | None:
    """What is wrong with the templates of a path, or None."""
    rest = _REFERENCE.sub("", path)
    if "{{" in rest or "}}" in rest:
        return "has a template that is not closed, or not opened: write {{identity.entity.id}}"
    return None


def is_templated(path: str) -> bool:
    """Whether the path holds anything to fill in."""
    return "{{" in path


def fill_in(path: str, subject: TemplateSubject | None) -> str | None:
    """The path with its references replaced; None when one of them cannot be resolved.

    Raises UnsafeValue when a value is empty or could change the shape of the path.
    """
    if subject is None:
        return None
    pieces = _REFERENCE.split(path)
    for place in range(1, len(pieces), 2):
        value = _resolve(pieces[place].strip(), subject)
        if value is None:
            return None
        if not value or _UNSAFE.search(value):
            raise UnsafeValue
        pieces[place] = value
    return "".join(pieces)


def _resolve(reference: str, subject: TemplateSubject) -> str | None:
    match reference.split("."):
        case ["identity", "entity", *what]:
            return _of_entity(what, subject)
        case ["identity", "groups", "ids", group_id, *what]:
            return _of_group(what, (g for g in subject.groups if g.id == group_id))
        case ["identity", "groups", "names", name, *what]:
            return _of_group(what, (g for g in subject.groups if g.name == name))
    return None


def _of_entity(what: list[str], subject: TemplateSubject) -> str | None:
    match what:
        case ["id"]:
            return subject.entity_id
        case ["name"]:
            return subject.entity_name
        case ["metadata", *key] if key:
            return subject.entity_metadata.get(".".join(key))
        case ["aliases", accessor, *of_alias]:
            alias = subject.aliases.get(accessor)
            return None if alias is None else _of_alias(of_alias, alias)
    return None


def _of_alias(what: list[str], alias: TemplateAlias) -> str | None:
    match what:
        case ["id"]:
            return alias.id
        case ["name"]:
            return alias.name
        case ["metadata", *key] if key:
            return alias.metadata.get(".".join(key))
        case ["custom_metadata", *key] if key:
            return alias.custom_metadata.get(".".join(key))
    return None


def _of_group(what: list[str], groups: Iterator[TemplateGroup]) -> str | None:
    group = next(groups, None)
    match what:
        case _ if group is None:
            return None
        case ["id"]:
            return group.id
        case ["name"]:
            return group.name
        case ["metadata", *key] if key:
            return group.metadata.get(".".join(key))
    return None
