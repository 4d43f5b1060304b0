"""Tokens, roles and users, leases, identity tokens, rate limits and user lockout."""

from tests.conformance.wordings.wording import Wording

_PATH_SUFFIX = (
    "path_suffix: use letters, digits, '_', '-' and '.', at least three of them, and neither '-' nor"
    " '.' at either end"
)
_NEVER_BATCH = "'token_type' cannot be 'batch' or 'default-batch' when tokens "
_NOT_NEGATIVE = (
    'Field validation failed: error converting input for field "{field}": expected a duration such'
    " as 90, '90s' or '1h30m', not negative"
)
_MOUNT_PATH = (
    "path: must be one or more names separated by '/', without '.', '..', '*', '+', '{{', '}}' or"
    " control characters"
)
_ALGORITHMS = "algorithm: use one of RS256, RS384, RS512, ES256, ES384, ES512, EdDSA"
_NO_KEY = "key: there is no key of this name; write it to identity/oidc/key"
_ROLES_LIVE_LONGER = "verification_ttl: cannot be shorter than the ttl of a role that uses the key"
_LEASE_ID = 'Field validation failed: error converting input for field "lease_id": '
_LOCKOUT = "user_lockout_config: lockout_"

ERRORS = [
    # tokens, roles and users
    Wording(r"no token found", "token: must be given"),
    Wording(r"invalid token", "bad token"),
    Wording(r"(?P<field>ttl|explicit_max_ttl|period) must be positive", _NOT_NEGATIVE),
    Wording(r"given role path suffix contains invalid characters; must match .*", _PATH_SUFFIX),
    Wording(r"error parsing role fields: (?P<message>.*)", "{message}"),
    Wording(
        r"'token_type' .* when set to generate tokens with limited use count",
        f"{_NEVER_BATCH}have a limited number of uses ('token_num_uses')",
    ),
    Wording(
        r"'token_type' .* when set to generate periodic tokens",
        f"{_NEVER_BATCH}are periodic ('token_period')",
    ),
    Wording(r"failed to renew entry: (?P<message>.*)", "{message}"),
    Wording(r"bcrypt: password length exceeds 72 bytes", "password: at most 72 bytes"),
    Wording(r"invalid destination mount: path .* does not match cleaned path .*", _MOUNT_PATH),
    Wording(
        r'version "" is not a valid semantic version: .*',
        "plugin not found in the catalog: plugin_version: all backends are built in, in one version",
    ),
    # leases
    Wording(r"failed to read lease entry .*: relative paths not supported", "invalid lease"),
    Wording(r"invalid lease ID", "invalid lease"),
    Wording(r"invalid lease ID", f"{_LEASE_ID}expected text"),
    Wording(r"invalid 'limit' provided: .*", "limit must be 'none' or a positive integer"),
    # identity tokens
    Wording(r'unknown signing algorithm ".*"', _ALGORITHMS),
    Wording(r"deletion of key \"default\" not allowed", "the default key cannot be deleted"),
    Wording(r'cannot find key ".*"', _NO_KEY),
    Wording(r'no named key found at ".*"', "there is no key of this name"),
    Wording(r'role ".*" not found', "there is no role of this name"),
    Wording(
        r'unable to delete key ".*" because .* referenced by these roles: (?P<roles>.*)',
        "the key cannot be deleted while these roles use it: {roles}",
    ),
    Wording(
        r'unable to update key ".*" because .* a token ttl greater than .*', _ROLES_LIVE_LONGER
    ),
    Wording(
        r'the key ".*" does not list the client ID of the role .* as an allowed client ID',
        "the role's client_id is not among the key's allowed_client_ids",
    ),
    Wording(
        r'top level key ".*" not allowed\. Restricted keys: (?P<reserved>.*)',
        "template: these claims are the server's own: {reserved}",
    ),
    # rate limits and user lockout
    Wording(r'request path ".*": rate limit quota exceeded', "rate limit quota exceeded"),
    Wording(r'invalid mount path ".*"', "path: invalid mount path; begin with the path of a mount"),
    Wording(
        r'Mount path ".*" is (not a valid auth method and therefore unsuitable .*)',
        "path: not a valid auth method and therefore unsuitable for use with role-based quotas",
    ),
    Wording(
        r'Mount path ".*" does not support use with role-based quotas',
        "path: this auth method does not support role-based quotas",
    ),
    Wording(
        r"unable to parse user lockout threshold: .*",
        _LOCKOUT + "threshold must be a whole number, not negative",
    ),
    Wording(
        r"unable to convert given user lockout config information",
        _LOCKOUT + "disable must be true or false",
    ),
]
