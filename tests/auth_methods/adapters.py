"""The adapters of all auth methods."""

from tests.auth_methods.approle import AppRoleMethod
from tests.auth_methods.jwt import JwtMethod, OidcMethod
from tests.auth_methods.kubernetes import KubernetesMethod
from tests.auth_methods.ldap import LdapMethod
from tests.auth_methods.method import Method
from tests.auth_methods.saml import SamlMethod
from tests.auth_methods.userpass import UserpassMethod
from tests.auth_methods.webauthn import WebauthnMethod

METHODS: list[type[Method]] = [
    AppRoleMethod,
    JwtMethod,
    KubernetesMethod,
    LdapMethod,
    OidcMethod,
    SamlMethod,
    UserpassMethod,
    WebauthnMethod,
]
