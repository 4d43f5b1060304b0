"""AppRole's roles and secret ids."""

from tests.conformance.wordings.wording import Wording

_BLOCK = "each value must be an IP address or a CIDR block such as 10.0.0.0/8"
_ONE_ADDRESS = "each value must be a CIDR block; one address is 10.0.0.1/32"
_WITHIN = "each block must lie within one of the role's blocks"
_METADATA = "metadata: expected a JSON object of texts, as text, or key=value with commas between"
_NO_ROLE = "the role does not exist"
_NO_ACCESSOR = "failed to find accessor entry for secret_id_accessor"
_NOT_SUBSET = r"failed to verify subset relationship between CIDR blocks on the role .*"

ERRORS = [
    Wording(r'role ".*" does not exist', _NO_ROLE),
    Wording(
        r'failed to renew entry: role ".*" does not exist during renewal',
        "the role no longer exists: the token is not renewed",
    ),
    Wording(
        r'source address ".*" unauthorized by CIDR restrictions on the role: .*',
        "source address unauthorized by CIDR restrictions on the role",
    ),
    Wording(
        r'source address ".*" unauthorized through CIDR restrictions on the secret ID',
        "source address unauthorized through CIDR restrictions on the secret ID",
    ),
    Wording(_NOT_SUBSET, "source address unauthorized by CIDR restrictions on the role"),
    Wording(_NOT_SUBSET, f"cidr_list: {_WITHIN}"),
    Wording(_NOT_SUBSET, f"token_bound_cidrs: {_WITHIN}"),
    Wording(r"failed to validate CIDR blocks: .*", f"secret_id_bound_cidrs: {_BLOCK}"),
    Wording(r"failed to validate CIDR blocks: .*", f"secret_id_bound_cidrs: {_ONE_ADDRESS}"),
    Wording(r"failed to validate CIDR blocks: .*", f"cidr_list: {_BLOCK}"),
    Wording(r"failed to validate CIDR blocks: .*", f"cidr_list: {_ONE_ADDRESS}"),
    Wording(r"failed to validate token CIDR blocks: .*", f"token_bound_cidrs: {_BLOCK}"),
    Wording(r"failed to validate token CIDR blocks: .*", f"token_bound_cidrs: {_ONE_ADDRESS}"),
    Wording(
        r"token_ttl should not be greater than token_max_ttl",
        "'token_ttl' cannot be greater than 'token_max_ttl'",
    ),
    Wording(
        r"token_max_ttl should be greater than or equal to token_ttl",
        "'token_ttl' cannot be greater than 'token_max_ttl'",
    ),
    Wording(
        r"invalid role_id supplied, or failed to generate a role_id", "role_id: must not be empty"
    ),
    Wording(
        r"at least one constraint should be enabled on the role",
        "at least one constraint should be enabled on the role: bind_secret_id,"
        " secret_id_bound_cidrs or token_bound_cidrs",
    ),
    Wording(r"failed to parse metadata: .*", _METADATA),
    Wording(
        r"failed to store secret_id: SecretID is already registered",
        "secret_id: the role has it already",
    ),
    Wording(
        r"(?:failed to store secret_id: )?failed to create HMAC of secret.id: .*",
        "secret_id: at most 4096 characters",
    ),
    Wording(r"failed to create HMAC of secret.id: .*", "invalid role or secret ID"),
    Wording(r"failed to find accessor entry for secret_id_accessor: .*", _NO_ACCESSOR),
    Wording(r"invalid secret id accessor", _NO_ACCESSOR),
    Wording(r"relative paths not supported", "invalid role or secret ID"),
    Wording(r"missing role_id", "unsupported operation"),
    Wording(r"unsupported path", _NO_ROLE),
]
