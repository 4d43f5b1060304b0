"""The kubernetes auth method."""

from tests.conformance.wordings.wording import Wording

_SELECTOR = (
    "bound_service_account_namespace_selector: expected a label selector in JSON or YAML with"
    " matchLabels, matchExpressions or both"
)
_NO_POD = (
    "kubernetes_ca_cert: missing, and this server is in no pod that has one; give it, or set"
    " disable_local_ca_jwt to trust the system's certificates"
)
_NO_REVIEWER = (
    "namespace not authorized: set token_reviewer_jwt, with which namespaces are looked up for"
    " bound_service_account_namespace_selector"
)
_KEYS = "pem_keys: expected public keys or certificates in PEM"
_PERIOD = "token_period: cannot be greater than the mount's maximum TTL of 2764800 seconds"

ERRORS = [
    Wording(r'invalid role name ".*"', "invalid role name"),
    Wording(r"data does not contain any valid public keys", _KEYS),
    Wording(r"open /var/run/secrets/kubernetes\.io/serviceaccount/ca\.crt: .*", _NO_POD),
    Wording(r'invalid "bound_service_account_namespace_selector" configured', _SELECTOR),
    Wording(r"namespace not authorized err=.* TokenReviewer JWT needs to be .*", _NO_REVIEWER),
    Wording(r"token period of .* is greater than the backend's maximum lease TTL of .*", _PERIOD),
    Wording(
        r"token ttl should not be greater than token max ttl",
        "'token_ttl' cannot be greater than 'token_max_ttl'",
    ),
    Wording(
        r"failed to renew entry: failed to validate token and secret .*: (?P<message>.*)",
        "{message}",
    ),
    Wording(
        r"failed to renew entry: error verifying token signature: .*",
        "permission denied",
    ),
    Wording(
        r"failed to renew entry: role .* does not exist during renewal",
        "the role no longer exists: the token is not renewed",
    ),
]
