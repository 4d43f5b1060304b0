"""The seal and its keys, audit devices, tools and plugins."""

from tests.conformance.wordings.wording import Wording

_NOT_BASE64 = "pgp_keys: must be a public PGP key in base64"
_NOT_A_KEY = "pgp_keys: must be a public PGP key in its binary form, as base64"
_HEX_OR_BASE64 = 'format: must be "hex" or "base64"'
_NO_COUNT = "error parsing url-set byte count: expected a whole number"
_DIGESTS = (
    "algorithm: use one of sha2-224, sha2-256, sha2-384, sha2-512, sha3-224, sha3-256, sha3-384,"
    " sha3-512"
)
_NO_PLUGINS = (
    "plugins cannot be registered: all kinds of backends are built in; see sys/plugins/catalog"
)
_TEST_FAILED = "audit backend failed test message: "

ERRORS = [
    # the seal and its keys
    Wording(
        r"invalid rotate seal configuration: .*errorString=&\{(?P<message>[a-z0-9 ]+)\}\)",
        "invalid seal configuration: {message}",
    ),
    Wording(
        r"(incorrect number of PGP keys for rekey|.*count mismatch between number of provided .*)",
        "pgp_keys: give one key for each share",
    ),
    Wording(
        r"cannot request a backup of the new keys without providing PGP keys for encryption",
        "backup: needs pgp_keys, no share is stored in clear",
    ),
    Wording(r"invalid .*seal configuration: .*error decoding given PGP key: .*", _NOT_BASE64),
    Wording(r"invalid .*seal configuration: .*error parsing given PGP key: .*", _NOT_A_KEY),
    Wording(
        r"error parsing PGP key: error decoding given PGP key: .*", f"pgp_key{_NOT_BASE64[8:]}"
    ),
    Wording(r"error parsing PGP key: error parsing given PGP key: .*", f"pgp_key{_NOT_A_KEY[8:]}"),
    Wording(
        r"OTP string has incorrect length",
        "OTP string has incorrect length: give 26 ASCII characters",
    ),
    Wording(
        r"error xoring token: length of byte slices is not equivalent: .*",
        "otp: must be as long as the token that it decodes",
    ),
    Wording(r"error decoding base64'd token: .*", "encoded_token: must be base64 without padding"),
    Wording(
        r"(unable to look up|failed to fetch existing) config: .*recovery not supported.*",
        "recovery keys not supported",
    ),
    Wording(r"invalid encoding .*", "invalid encoding: use base64, or leave it out"),
    Wording(r"illegal base64 data at input byte \d+", "value: must be base64, as encoding says"),
    Wording(
        r"invalid key: failed to verify recovery key: .*",
        "invalid key: the keys given are not the recovery key, at least one is wrong or of another"
        " server; the attempt was reset, start again",
    ),
    Wording(
        r"'key' must be a valid hex or base64 string",
        "invalid key: key is shorter than minimum 16 bytes",
    ),  # audit devices
    Wording(
        r"jsonx formatting has been removed, .*",
        "format: jsonx is not supported; leave it out, or set it to 'json'",
    ),
    Wording(
        r"audit log prefixing is not allowed",
        "audit log prefixing is not allowed; the configuration file can allow it with"
        " allow_audit_log_prefixing",
    ),
    Wording(
        rf"{_TEST_FAILED}2 errors .* connection refused.*", f"{_TEST_FAILED}Connection refused"
    ),
    Wording(
        rf"{_TEST_FAILED}2 errors .* no such file or directory.*",
        f"{_TEST_FAILED}No such file or directory",
    ),
    Wording(
        rf"{_TEST_FAILED}2 errors .* unknown network .*",
        "socket_type: must be one of tcp, udp, unix",
    ),
    # tools and plugins
    Wording(r"unsupported encoding format .*; must be \"hex\" or \"base64\"", _HEX_OR_BASE64),
    Wording(r"error parsing url-set byte count: .*", _NO_COUNT),
    Wording(r"unsupported entropy source .*", "source: use platform, seal or all"),
    Wording(r"unsupported algorithm .*", _DIGESTS),
    Wording(r"unable to decode input as base64: .*", "unable to decode input as base64"),
    Wording(r"missing SHA-256 value", _NO_PLUGINS),
    Wording(r"Decoded SHA-256 value is not 32 bytes", _NO_PLUGINS),
    Wording(r"cannot fetch mount entry on .*", "mounts: there is no mount at one of these paths"),
]
