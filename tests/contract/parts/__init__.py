"""The auth methods of the seed that are built, and how their operations are called: one file each."""

from tests.contract.parts import approle, jwt, kubernetes, ldap, saml, token, userpass, webauthn
from tests.contract.parts.part import Part

PARTS: tuple[Part, ...] = (
    token.PART,
    userpass.PART,
    approle.PART,
    jwt.PART,
    kubernetes.PART,
    webauthn.PART,
    ldap.PART,
    saml.PART,
)
