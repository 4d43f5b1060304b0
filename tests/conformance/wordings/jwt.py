"""The JWT auth method."""

from tests.conformance.wordings.wording import Wording
from wardgate.framework.jws import ALGORITHMS

_ALGORITHMS = ", ".join(ALGORITHMS)
_PROVIDERS = "azure, gsuite, ibmisam, kubernetes, secureauth"
_NOT_SIGNED = "error validating token: not a signed token: "
_SIGNATURE = "error validating token: error verifying token signature: "
_NO_KEY = f"{_SIGNATURE}no known key successfully validated the token signature"
_ALGORITHM = (
    "error validating token: invalid algorithm (alg) header parameter: token signed with"
    " unexpected algorithm"
)
_COULD_NOT = "the keys could not be had: "
_STATUS = "the answer has status 404"
_REFUSED = "the connection was refused or could not be made"
_GLOB = "bound_claims: with bound_claims_type glob each must be a string or a list of them"
_TEMPLATE = (
    "token_policies: as templates they may have {{{{ .claim }}}}, {{{{ .claim.part }}}} and"
    ' {{{{ index . "claim" "part" }}}}, followed by | lowercase or | uppercase'
)
_PERIOD = "token_period: cannot be greater than the mount's maximum lease TTL"
_ONE_PART = f"{_NOT_SIGNED}use the compact form of a JWT: three parts with dots between them"
_AUDIENCE = (
    "error validating token: expected the audience (aud) claim to be a string or a list of strings"
)
_NO_CLAIM = "a claim that the role's policies are made of is missing, or is no text"
_CEL = "cel_program: its expression is not valid CEL: line {line}, column {column}: "
_MAIN = r"(?:invalid CEL syntax for main expression|error type-checking CEL MainProgram): ERROR: "
_PLACE = r"<input>:(?P<line>\d+):(?P<column>\d+): "
_FAILED = "error executing cel program: CEL auth program failed: "
_EVALUATED = rf"{_FAILED}failed to evaluate expression: failed to evaluate expression \".*\": "

ERRORS = [
    # the configuration
    Wording(
        r"error parsing public key: data does not contain any valid public keys",
        "jwt_validation_pubkeys: neither a public key nor a certificate in PEM",
    ),
    Wording(
        r"invalid jwt_supported_algs: unsupported signing algorithm \".*\"",
        f"invalid jwt_supported_algs: unsupported signing algorithm; use {_ALGORITHMS}",
    ),
    Wording(
        r"invalid response_types \[.*\]\. 'code' and 'id_token' are allowed",
        "invalid response_types: 'code' and 'id_token' are allowed",
    ),
    Wording(
        r"invalid response_mode: \".*\"",
        "invalid response_mode: 'query' and 'form_post' are allowed",
    ),
    Wording(
        r"invalid provider_config: provider \".*\" not found in custom providers",
        f"invalid provider_config: 'provider' is one of {_PROVIDERS}",
    ),
    Wording(r"error checking jwks URL", f"error checking jwks URL: {_STATUS}"),
    Wording(r"error checking jwks URL", f"error checking jwks URL: {_REFUSED}"),
    Wording(
        r"error checking oidc discovery URL: 404 Not Found: .*",
        f"error checking oidc discovery URL: {_STATUS}",
    ),
    Wording(
        r"error checking oidc discovery URL: issuer did not match the returned issuer, .*",
        "error checking oidc discovery URL: the issuer that the provider names is not"
        " oidc_discovery_url",
    ),
    Wording(
        r"error checking oidc discovery URL: .* connection refused",
        f"error checking oidc discovery URL: {_REFUSED}",
    ),
    Wording(r"error checking jwks_ca_pem", "jwks_ca_pem: expected one or more certificates in PEM"),
    Wording(
        r"error checking oidc discovery URL: could not parse CA PEM value successfully",
        "oidc_discovery_ca_pem: expected one or more certificates in PEM",
    ),
    # roles
    Wording(r"invalid 'role_type': .*", "invalid 'role_type': use one of jwt, oidc"),
    Wording(
        r"invalid 'bound_claims_type': .*", "invalid 'bound_claims_type': use one of string, glob"
    ),
    Wording(
        r"invalid 'callback_mode': .*", "invalid 'callback_mode': use one of client, direct, device"
    ),
    Wording(r"claim is not a string(?: or list)?: .*", _GLOB),
    Wording(
        r"multiple keys are mapped to metadata key \".*\"",
        "claim_mappings: multiple keys are mapped to one metadata key",
    ),
    Wording(
        r"Unrecognized oauth2 metadata name .*",
        "oauth2_metadata: use access_token, id_token, refresh_token",
    ),
    Wording(
        r"ttl should not be greater than max ttl",
        "'token_ttl' cannot be greater than 'token_max_ttl'",
    ),
    Wording(r"'period' of .* is greater than the backend's maximum lease TTL of .*", _PERIOD),
    Wording(r"failed to parse template policy \[\d+\]: .*", _TEMPLATE),
    # logins
    Wording(r"role \".*\" could not be found", "role: there is none of this name"),
    Wording(
        r"failed to renew entry: (?:CEL )?role .* does not exist during renewal",
        "the role no longer exists: the token is not renewed",
    ),
    Wording(rf"{_SIGNATURE}go-jose/go-jose: compact JWS format must have three parts", _ONE_PART),
    Wording(rf"{_SIGNATURE}illegal base64 data at input byte \d+", _ONE_PART),
    Wording(_NO_KEY, _ALGORITHM),
    Wording(_NO_KEY, f"{_NOT_SIGNED}it demands extensions that are not known here"),
    Wording(rf"{_SIGNATURE}failed to verify id token signature", _NO_KEY),
    Wording(rf"{_SIGNATURE}oidc: malformed jwt: unexpected signature algorithm .*", _ALGORITHM),
    Wording(
        rf"{_SIGNATURE}fetching keys oidc: get keys failed: 404 Not Found .*",
        f"error configuring token validator: {_COULD_NOT}{_STATUS}",
    ),
    Wording(
        r"error configuring token validator: keyset configuration error: .* connection refused",
        f"error configuring token validator: {_COULD_NOT}{_REFUSED}",
    ),
    Wording(r"error validating token: .* unmarshal to Audience", _AUDIENCE),
    Wording(
        r"error validating token: json: cannot unmarshal \w+ into Go struct field"
        r" Claims\.(?P<name>\w+) of type string",
        "error validating token: expected the {name} claim to be a string",
    ),
    Wording(
        r"error validating token: .* expected number value to unmarshal NumericDate",
        "error validating token: expected the exp claim to be a number",
    ),
    Wording(r"missing name in alias", 'claim "mail" is empty: it has to name whoever logs in'),
    Wording(
        r"value .* in groups claim could not be parsed as string",
        'a value in the "/their/groups" claim could not be parsed as string',
    ),
    Wording(
        r"error validating claims: received claim is not a string, bool, int or list: .*",
        'error validating claims: claim "team" is not a string, bool, int or list',
    ),
    Wording(
        r"error validating claims: bound claim is not a string, bool, int or list: .*",
        'error validating claims: bound claim "a" is not a string, bool, int or list',
    ),
    Wording(r"failed to template policy \[\d+\]: .* map has no entry for key .*", _NO_CLAIM),
    # CEL roles
    Wording(
        r"failed to decode 'cel_program': .*'Variables' source data must be an array or slice, .*",
        "cel_program: 'variables' must be a list of objects",
    ),
    Wording(rf"{_MAIN}{_PLACE}Syntax error: .*", f"{_CEL}syntax error"),
    Wording(rf"{_MAIN}{_PLACE}undeclared reference to .*", f"{_CEL}there is nothing of this name"),
    Wording(rf"{_MAIN}{_PLACE}undefined field .*", f"{_CEL}no such field"),
    Wording(rf"{_MAIN}{_PLACE}found no matching overload for .*", f"{_CEL}no such overload"),
    Wording(
        rf"failed to validate variables: variable\[(?P<number>\d+)\].*: ERROR: {_PLACE}.*",
        "cel_program: the variable at {number} is not valid CEL: line {line}, column {column}:"
        " syntax error",
    ),
    Wording(
        rf"{_MAIN}<input>:-1:0: overlapping identifier for name .*",
        "cel_program: variables need names of their own, other than claims, now and operation",
    ),
    Wording(
        r"(?P<lead>error executing cel program: CEL program '\w+' returned) unexpected type: .*",
        "{lead} an unexpected type: use pb.Auth, false or a string",
    ),
    Wording(rf"{_EVALUATED}no such key: .*", f"{_FAILED}no such key"),
    Wording(rf"{_EVALUATED}(?P<why>no such overload|division by zero)", f"{_FAILED}{{why}}"),
    Wording(
        rf"{_FAILED}failed to evaluate variables: variable\[\d+\]\.(?P<name>\w+): .* no such key: .*",
        f"{_FAILED}variable {{name}}: no such key",
    ),
    Wording(
        r"error converting proto auth: invalid character .* looking for beginning of value",
        "error converting proto auth: internal_data: must be a JSON object",
    ),
]

WARNINGS = [
    Wording(r"error checking jwks URL", f"error checking jwks URL: {_STATUS}"),
    Wording(r"error checking oidc discovery URL", f"error checking oidc discovery URL: {_REFUSED}"),
    Wording(
        r"failed to construct JWK validator: keyset configuration error: .* connection refused",
        f"{_COULD_NOT}{_REFUSED}",
    ),
]
