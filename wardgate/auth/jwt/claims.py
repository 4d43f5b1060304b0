"""From the claims of a token that somebody trusted has signed to a person or machine.

`checked` says who logs in by a role, or why not. Claims are named as they are in the token, or by a
JSON pointer (RFC 6901) that begins with a slash.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from wardgate.auth.jwt.policy_templates import filled_in
from wardgate.auth.jwt.roles import Role
from wardgate.core.globs import glob_matches
from wardgate.errors import InvalidRequest
from wardgate.framework.jws import Claims

Scalar: TypeAlias = str | bool | Decimal
_DEEPEST = 32  # steps of a pointer


class Identified(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever logs in. `policies` is None where the role's own are meant."""

    alias: str
    alias_metadata: dict[str, str]
    metadata: dict[str, str]
    groups: tuple[str, ...] = ()
    policies: tuple[str, ...] | None = None


def checked(
    role: Role, claims: Claims, *, extra_groups: tuple[str, ...] | None = None
) -> Identified:
    """Whom the claims are about, when they have all that `role` binds a login to.

    Signature, times, issuer, subject and audience are checked by then. `extra_groups` are those that
    the provider was asked for; they take the place of the role's groups_claim. Raises
    `InvalidRequest`.
    """
    if role.groups_claim and extra_groups is not None:
        claims = with_claim(claims, role.groups_claim, list(extra_groups))
    alias = _alias(role, claims)
    metadata = {**_mapped(role, claims), "role": role.name}
    groups = _groups(role, claims)
    check_bound_claims(role.bound_claims or {}, role.bound_claims_type, claims)
    policies = None
    if role.token_policies_template_claims:
        policies = filled_in(role.policy_templates, claims)
    return Identified(
        alias=alias,
        alias_metadata=metadata,
        metadata=metadata,
        groups=groups,
        policies=policies,
    )


def claim_of(claims: Claims, name: str) -> Any:
    """The claim called `name`, or where the pointer `name` leads; None when there is none.

    A single audience comes as a list of one.
    """
    value = _at(claims, name) if name.startswith("/") else claims.get(name)
    return [value] if name == "aud" and isinstance(value, str) else value


def with_claim(claims: Claims, name: str, value: Any) -> Claims:
    """`claims` with another one, by its name or by a pointer to an object that is there."""
    if not name.startswith("/"):
        return {**claims, name: value}
    first, _, rest = name[1:].partition("/")
    first = _unescaped(first)
    if not rest:
        return {**claims, first: value}
    inner = claims.get(first)
    if not isinstance(inner, dict):
        return claims
    return {**claims, first: with_claim(inner, f"/{rest}", value)}


def check_bound_claims(bound: Mapping[str, Any], kind: str, claims: Claims) -> None:
    """Raises `InvalidRequest` unless each bound claim has one of its values.

    `kind` is ``string``, or ``glob``, where a ``*`` in a value stands for any characters.
    """
    for name, expected in bound.items():
        actual = claim_of(claims, name)
        if actual is None:
            raise InvalidRequest(f'error validating claims: claim "{name}" is missing')
        there, wanted = _as_list(actual), _as_list(expected)
        if there is None:
            raise InvalidRequest(
                f'error validating claims: claim "{name}" is not a string, bool, int or list'
            )
        if wanted is None:
            raise InvalidRequest(
                f'error validating claims: bound claim "{name}" is not a string, bool, int or list'
            )
        if not _meet(wanted, there, glob=kind == "glob"):
            raise InvalidRequest(
                f'error validating claims: claim "{name}" does not match any associated bound'
                " claim values"
            )


def matches(expected: Any, actual: Any, *, glob: bool) -> bool:
    """Whether a claim's value is the bound one: of the same kind, and equal. Numbers are compared by
    value. With `glob`, both have to be texts."""
    return _meet([expected], [actual], glob=glob)


def _meet(expected: list[Any], actual: list[Any], *, glob: bool) -> bool:
    """Whether one of the values matches one of the bound ones. Both may be thousands, so each is
    looked at once, except that a glob is tried with each."""
    if glob:
        texts = [each for each in actual if isinstance(each, str)]
        globs = [each for each in expected if isinstance(each, str)]
        return any(glob_matches(one, other) for one in globs for other in texts)
    return not _by_kind(expected).isdisjoint(_by_kind(actual))


def _by_kind(values: list[Any]) -> set[tuple[type, Scalar]]:
    """The single values among `values`; true is not 1, and 1 is 1.0."""
    singles = map(_scalar, values)
    return {(type(single), single) for single in singles if single is not None}


def _alias(role: Role, claims: Claims) -> str:
    name = role.user_claim
    alias = claim_of(claims, name) if role.user_claim_json_pointer else claims.get(name)
    if alias is None:
        raise InvalidRequest(f'claim "{name}" not found in token')
    if not isinstance(alias, str):
        raise InvalidRequest(f'claim "{name}" could not be converted to string')
    if not alias:
        raise InvalidRequest(f'claim "{name}" is empty: it has to name whoever logs in')
    return alias


def _mapped(role: Role, claims: Claims) -> dict[str, str]:
    metadata = {}
    for source, target in (role.claim_mappings or {}).items():
        value = claim_of(claims, source)
        if value is None:
            continue
        if not isinstance(value, str):
            raise InvalidRequest(f"error converting claim '{source}' to string")
        metadata[target] = value
    return metadata


def _groups(role: Role, claims: Claims) -> tuple[str, ...]:
    name = role.groups_claim
    if not name:
        return ()
    value = claim_of(claims, name)
    if value is None:
        raise InvalidRequest(f'failed to fetch groups: "{name}" claim not found in token')
    listed = _as_list(value)
    if listed is None:
        raise InvalidRequest(f'"{name}" claim could not be converted to string list')
    if not all(isinstance(group, str) for group in listed):
        raise InvalidRequest(f'a value in the "{name}" claim could not be parsed as string')
    return tuple(group for group in listed if group)


def _as_list(value: Any) -> list[Any] | None:
    """What may be a list, or a single value in the place of one."""
    if isinstance(value, list):
        return value
    return None if _scalar(value) is None else [value]


def _scalar(value: Any) -> Scalar | None:
    """The value in a form that is equal for equal values; None for what is no single one."""
    match value:
        case bool() | str():
            return value
        case int() | Decimal():
            return Decimal(value)
        case float():
            return Decimal(repr(value))
        case _:
            return None


def _at(claims: Claims, pointer: str) -> Any:
    steps = pointer.split("/")[1:]
    if len(steps) > _DEEPEST:
        return None
    value: Any = claims
    for step in map(_unescaped, steps):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isascii() and step.isdigit() and len(step) < 10:
            value = value[int(step)] if int(step) < len(value) else None
        else:
            return None
    return value


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")
