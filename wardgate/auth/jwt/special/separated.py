"""Providers that put all groups into one text, with a sign between them (IBM ISAM, SecureAuth)."""

from wardgate.auth.jwt.claims import claim_of
from wardgate.auth.jwt.roles import Role
from wardgate.framework.jws import Claims

SEPARATORS = {"ibmisam": " ", "secureauth": ","}
"""By the provider's name in provider_config."""


def separated_groups(separator: str, role: Role, claims: Claims) -> tuple[str, ...] | None:
    """The groups, when the claim is a text."""
    groups = claim_of(claims, role.groups_claim)
    return tuple(groups.split(separator)) if isinstance(groups, str) else None
