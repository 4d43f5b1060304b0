"""The ldap auth method."""

from tests.conformance.wordings.wording import Wording

_VERSIONS = "expected one of tls10, tls11, tls12, tls13"
_CLIENT = "client_tls_cert, client_tls_key: expected a certificate and its key in PEM"
_BRACES = "may stand between braces; Go's functions and conditions are not known"
_ALIAS = (
    "the directory has no single value of userattr for this user that is text; set userattr to an"
    " attribute that everybody has once, or username_as_alias"
)
_NOT_CONFIGURED = (
    "the mount is not configured: write url, and userdn, upndomain, or binddn with bindpass, to its"
    " config"
)

ERRORS = [
    Wording(
        r"failed to parse server tls cert: .*",
        "certificate: expected one or more certificates in PEM, and nothing else",
    ),
    Wording(r"failed to parse client X509 key pair: .*", _CLIENT),
    Wording(
        r"invalid '(?P<field>tls_m(?:in|ax)_version)'",
        f'Field validation failed: error converting input for field "{{field}}": {_VERSIONS}',
    ),
    Wording(
        r"invalid userfilter: template: .*",
        f"invalid userfilter: only {{{{{{{{.UserAttr}}}}}}}} and {{{{{{{{.Username}}}}}}}} {_BRACES}",
    ),
    Wording(
        r"invalid groupfilter: template: .*",
        f"invalid groupfilter: only {{{{{{{{.UserDN}}}}}}}} and {{{{{{{{.Username}}}}}}}} {_BRACES}",
    ),
    Wording(r"LDAP attribute missing for entity alias mapping", _ALIAS),
    Wording(
        r"LDAP entity alias attribute \w+ empty or not unique for entity alias mapping", _ALIAS
    ),
    Wording(r"ldap operation failed: failed to bind as user", _NOT_CONFIGURED),
    Wording(
        r"failed to renew entry: invalid credentials",
        "the user no longer exists in the directory, or has another password: the token is not"
        " renewed",
    ),
]
