"""A role as a write makes it, or the reason why it cannot be so."""

from collections.abc import Mapping
from typing import Any

import msgspec

from wardgate.auth.jwt.policy_templates import checked_template
from wardgate.auth.jwt.role_fields import RoleBody
from wardgate.auth.jwt.roles import Role
from wardgate.core import json
from wardgate.errors import InvalidRequest
from wardgate.framework.token_fields import OLD_NAMES, changed_settings

ROLE_METADATA = "role"
"""The metadata field that always has the role's name."""
_KEPT = (
    "bound_audiences", "bound_subject", "claim_mappings", "clock_skew_leeway", "expiration_leeway",
    "not_before_leeway", "user_claim", "user_claim_json_pointer", "groups_claim", "max_age",
    "oidc_scopes", "allowed_redirect_uris", "verbose_oidc_logging", "poll_interval",
    "oauth2_metadata", "token_policies_template_claims",
)  # fmt: skip
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "role_type": ("jwt", "oidc"),
    "bound_claims_type": ("string", "glob"),
    "callback_mode": ("client", "direct", "device"),
}
_LONGEST_INTERVAL = 600  # seconds; a login is over by then
_OAUTH2_METADATA = ("access_token", "id_token", "refresh_token")


def changed_role(role: Role, body: RoleBody) -> Role:
    """`role` with what `body` sets. The fields in `_KEPT`, bound_claims and the token's settings
    stay when they are not given, all others get their default again.

    Raises `InvalidRequest`.
    """
    chosen: dict[str, Any] = {
        "role_type": body.role_type or "oidc",
        "bound_claims_type": body.bound_claims_type,
        "callback_mode": body.callback_mode,
    }
    for field, options in _CHOICES.items():
        if chosen[field] not in options:
            raise InvalidRequest(f"invalid '{field}': use one of {', '.join(options)}")
    given = {field: value for field in _KEPT if (value := getattr(body, field)) is not None}
    if body.bound_claims is not None:
        given["bound_claims_json"] = json.encode(body.bound_claims)
    policies = body.policies if body.token_policies is None else body.token_policies
    if policies is not None:
        given["policy_templates"] = policies
    changed = msgspec.structs.replace(
        role,
        **chosen,
        **given,
        oidc_disable_confirmation=body.oidc_disable_confirmation,
        settings=changed_settings(role.settings, body, OLD_NAMES),
    )
    _check_claims(changed)
    _check_metadata(changed)
    _check_interval(changed)
    _check_bounds(changed)
    return changed


def _check_claims(role: Role) -> None:
    if not role.user_claim:
        raise InvalidRequest("a user claim must be defined on the role")
    if role.bound_claims_type != "glob":
        return
    for value in (role.bound_claims or {}).values():
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str) for each in values):
            raise InvalidRequest(
                "bound_claims: with bound_claims_type glob each must be a string or a list of them"
            )


def _check_metadata(role: Role) -> None:
    targets: set[str] = set()
    for target in (role.claim_mappings or {}).values():
        if target == ROLE_METADATA:
            raise InvalidRequest(
                f'metadata key "{ROLE_METADATA}" is reserved and may not be a mapping destination'
            )
        if target in targets:
            raise InvalidRequest("claim_mappings: multiple keys are mapped to one metadata key")
        targets.add(target)
    if not set(role.oauth2_metadata or ()) <= set(_OAUTH2_METADATA):
        raise InvalidRequest(f"oauth2_metadata: use {', '.join(_OAUTH2_METADATA)}")


def _check_interval(role: Role) -> None:
    if not 0 <= role.poll_interval <= _LONGEST_INTERVAL:
        raise InvalidRequest(
            f"poll_interval: use seconds from 1 to {_LONGEST_INTERVAL}, or 0 for the usual ones"
        )


def _check_bounds(role: Role) -> None:
    if role.role_type == "oidc" and not role.allowed_redirect_uris:
        raise InvalidRequest(
            "'allowed_redirect_uris' must be set if 'role_type' is 'oidc' or unspecified."
        )
    bound = (
        role.bound_audiences,
        role.settings.bound_cidrs,
        role.bound_subject,
        role.bound_claims,
    )
    if role.role_type == "jwt" and not any(bound):
        raise InvalidRequest(
            "must have at least one bound constraint when creating/updating a role"
        )
    if role.token_policies_template_claims:
        for policy in role.policy_templates:
            checked_template(policy)


def notes_on(role: Role, mount_max_ttl: int) -> list[str]:
    """Warnings for whoever writes `role`; the mount's longest TTL is in seconds."""
    notes = []
    if role.settings.max_ttl > mount_max_ttl:
        notes.append(
            "token max ttl is greater than the system or backend mount's maximum TTL value; issued"
            " tokens' max TTL value will be truncated"
        )
    if role.verbose_oidc_logging:
        notes.append(
            "verbose_oidc_logging has been enabled for this role. This is not recommended in"
            " production since sensitive information may be present in OIDC responses."
        )
    return notes
