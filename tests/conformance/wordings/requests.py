"""What is wrong with the request itself, with mounts and with stored values."""

from tests.conformance.wordings.wording import Wording

_MERGE_PATCH = "PATCH requests must have Content-Type: application/merge-patch+json"
_ODD_PATH = (
    "the path must not contain '.' or '..' segments, empty segments, backslashes or control"
    " characters"
)
_NAMES = (
    "path: must be printable names separated by single slashes, not ending in one, of at most 435"
    " bytes together"
)
_NO_DATA = "data: missing; the secret must be given as an object in this field"
_NO_VERSIONS = "versions: missing; give the numbers of one or more versions"
_MOUNT_TOKEN_TYPES = "token_type: use one of default-service, default-batch, service, batch"
_DEFAULT_TTL = "default_lease_ttl: cannot be greater than the effective max_lease_ttl of "
_CAS = 'Field validation failed: error converting input for field "cas": expected a whole number'

ERRORS = [
    # the request itself
    Wording(r"", "unsupported operation"),
    Wording(r"", "list: expected true or false in the query"),
    Wording(r"", "status codes are whole numbers from 200 to 999"),
    Wording(
        r"error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative",
        "X-Vault-Wrap-TTL: expected a duration such as '90s' or '5m'",
    ),
    Wording(r"relative paths not supported", _ODD_PATH),
    Wording(r"mime: no media type", _MERGE_PATCH),
    Wording(r"PATCH requires Content-Type of .*, provided .*", _MERGE_PATCH),
    # keys and values
    Wording(r"missing path", _NAMES),
    Wording(r"no data provided", _NO_DATA),
    Wording(r"[Nn]o version number provided", _NO_VERSIONS),
    Wording(r"error parsing check-and-set parameter", _CAS),
    Wording(
        r"cubbyhole operations are only supported by 'service' type tokens",
        "only service tokens have a cubbyhole; this is a batch token",
    ),
    # mounts
    Wording(r'nil backend of type "kv" returned from factory', "options.version: must be 1 or 2"),
    Wording(
        r"cannot downgrade mount from version 2",
        "options.version: a mount cannot go back from version 2 to 1",
    ),
    Wording(
        r"given default lease TTL greater than given max lease TTL", f"{_DEFAULT_TTL}3600 seconds"
    ),
    Wording(
        r"backend max lease TTL of (?P<most>\d+) would be less than backend default lease TTL .*",
        f"{_DEFAULT_TTL}{{most}} seconds",
    ),
    Wording(
        r'tune of path "(?P<path>.*)" failed: no mount entry found',
        "No secret engine mount at {path}",
    ),
    Wording(r'cannot fetch sysview for path "(?P<path>.*)"', "No secret engine mount at {path}"),
    Wording(r'no matching mount at "(?P<path>.*)"', "from: there is no mount at this path"),
    Wording(r"invalid value for 'token_type'", _MOUNT_TOKEN_TYPES),
    Wording(
        r"token credential backend cannot be instantiated",
        'mount type of "token" is not mountable',
    ),
    Wording(r"invalid version provided: .*", "options.version: must be 1 or 2"),
    Wording(r"unable to parse options: .*", "options.version: must be 1 or 2"),
    # password policies
    Wording(
        r"passwords must be between 4 and 100 characters", "policy: length must be from 4 to 100"
    ),
    # policies
    Wording(
        r"check-and-set parameter \d+ did not match the current version \d+",
        "check-and-set parameter did not match the current version",
    ),
    Wording(
        r"refusing to update policy as expiration time has already elapsed",
        "ttl: must be greater than zero",
    ),
    Wording(
        r"cannot supply both 'expiration' and 'ttl' for policies",
        "ttl, expiration: give one of the two",
    ),
]
