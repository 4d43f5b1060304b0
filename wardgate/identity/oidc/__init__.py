"""``identity/oidc``: tokens that prove to others who somebody is.

A role says what such a token tells and for how long it holds; a named key signs it; anybody can
check it with the public keys at ``identity/oidc/.well-known/keys``.
"""

from wardgate.core.core import Core
from wardgate.identity.oidc.discovery import DiscoveryEndpoints
from wardgate.identity.oidc.introspection import IntrospectionEndpoints
from wardgate.identity.oidc.keys import KeyEndpoints
from wardgate.identity.oidc.roles import RoleEndpoints
from wardgate.identity.oidc.rotation import KeyRotation
from wardgate.identity.oidc.tokens import TokenEndpoints


def oidc_endpoints(core: Core) -> tuple[object, ...]:
    """The endpoint groups of identity tokens."""
    issuer = core.settings.api_addr
    return (
        DiscoveryEndpoints(issuer),
        IntrospectionEndpoints(issuer),
        KeyEndpoints(),
        RoleEndpoints(),
        TokenEndpoints(core.standings, issuer),
    )


__all__ = ["KeyRotation", "oidc_endpoints"]
