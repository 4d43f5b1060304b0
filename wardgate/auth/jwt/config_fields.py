"""What can be written to ``config``, and the configuration that a write makes."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from wardgate.auth.jwt.config import Config, JwksPair
from wardgate.auth.jwt.names import is_name
from wardgate.core import json
from wardgate.core.ids import random_base62
from wardgate.core.outgoing import checked_ca
from wardgate.errors import InvalidRequest
from wardgate.framework.fields import Body, Doc, JsonObject, JsonObjects, StringList
from wardgate.framework.jws import ALGORITHMS, pem_keys

PROVIDERS = ("azure", "gsuite", "ibmisam", "kubernetes", "secureauth")
"""Those whose ways differ, as provider_config may name them."""
OWN_KEYS = ("kubernetes",)
"""Those of them that say themselves where their keys are."""
_MOST_PAIRS = 20
_WRITTEN_LENGTH = 20  # characters
_ONE_SOURCE = (
    "exactly one of 'jwt_validation_pubkeys', 'jwks_url', 'jwks_pairs', 'oidc_discovery_url', or"
    " 'provider_config' must be set"
)


class ConfigBody(Body):
    """The whole configuration: what is not given gets its default."""

    oidc_discovery_url: Annotated[
        str, Doc("The provider's address, without .well-known/openid-configuration.")
    ] = ""
    oidc_discovery_ca_pem: Annotated[
        str, Doc("Certificates in PEM that the provider is trusted by; else the system's.")
    ] = ""
    oidc_client_id: Annotated[str, Doc("The client ID that the provider knows.")] = ""
    oidc_client_secret: Annotated[str, Doc("The client's secret. It is never shown again.")] = ""
    oidc_response_mode: Annotated[str, Doc("How the provider answers: 'query' or 'form_post'.")] = (
        ""
    )
    oidc_response_types: Annotated[
        StringList, Doc("What the provider is asked for, of 'code' (the default) and 'id_token'.")
    ] = ()
    jwks_url: Annotated[str, Doc("The address of a key set (JWKS).")] = ""
    jwks_ca_pem: Annotated[
        str, Doc("Certificates in PEM that jwks_url is trusted by; else the system's.")
    ] = ""
    jwks_pairs: Annotated[
        JsonObjects, Doc("Several key sets: objects with jwks_url and jwks_ca_pem.")
    ] = ()
    jwt_validation_pubkeys: Annotated[
        StringList, Doc("Public keys or certificates in PEM, one of which signs the tokens.")
    ] = ()
    jwt_supported_algs: Annotated[
        StringList, Doc("What tokens may be signed with; by default all that is known.")
    ] = ()
    bound_issuer: Annotated[str, Doc("The issuer (iss) that tokens must have.")] = ""
    default_role: Annotated[str, Doc("The role of logins that name none.")] = ""
    provider_config: Annotated[
        JsonObject | None,
        Doc(f"Settings of a special 'provider', one of {', '.join(PROVIDERS)}."),
    ] = None
    override_allowed_server_names: Annotated[
        StringList, Doc("Names that the provider's certificate may have in place of its host's.")
    ] = ()
    namespace_in_state: Annotated[
        bool | None, Doc("Keep the namespace in OIDC's state, not in the redirect URL.")
    ] = None
    skip_jwks_validation: Annotated[
        bool, Doc("Whether to store the configuration although its keys cannot be fetched now.")
    ] = False
    unsupported_critical_cert_extensions: Annotated[
        StringList, Doc("Must be empty: no certificate with an unknown critical extension is good.")
    ] = ()


def configured(body: ConfigBody, before: Config | None) -> Config:
    """The configuration that `body` describes. Nobody is asked anything.

    Raises `InvalidRequest`.
    """
    _check_source(body)
    _check_oidc(body)
    _check_provider(body)
    if not set(body.jwt_supported_algs) <= set(ALGORITHMS):
        raise InvalidRequest(
            f"invalid jwt_supported_algs: unsupported signing algorithm; use {', '.join(ALGORITHMS)}"
        )
    if body.default_role and not is_name(body.default_role):
        raise InvalidRequest("default_role: no role can have this name")
    if body.unsupported_critical_cert_extensions:
        raise InvalidRequest(
            "unsupported_critical_cert_extensions: critical extensions that are not known cannot be"
            " ignored; leave it out and have the certificate issued without them"
        )
    in_state = body.namespace_in_state
    if in_state is None:
        in_state = before is None or before.namespace_in_state
    return Config(
        written=random_base62(_WRITTEN_LENGTH),
        oidc_discovery_url=body.oidc_discovery_url,
        oidc_discovery_ca_pem=checked_ca("oidc_discovery_ca_pem", body.oidc_discovery_ca_pem),
        oidc_client_id=body.oidc_client_id,
        oidc_client_secret=body.oidc_client_secret,
        oidc_response_mode=body.oidc_response_mode,
        oidc_response_types=body.oidc_response_types,
        jwks_url=body.jwks_url,
        jwks_ca_pem=checked_ca("jwks_ca_pem", body.jwks_ca_pem),
        jwks_pairs=_pairs(body),
        jwt_validation_pubkeys=_public_keys(body.jwt_validation_pubkeys),
        jwt_supported_algs=body.jwt_supported_algs,
        bound_issuer=body.bound_issuer,
        default_role=body.default_role.lower(),
        provider_config_json=json.encode(body.provider_config) if body.provider_config else b"",
        override_allowed_server_names=body.override_allowed_server_names,
        namespace_in_state=in_state,
    )


def _check_source(body: ConfigBody) -> None:
    provider = (body.provider_config or {}).get("provider")
    sources = (
        body.oidc_discovery_url,
        body.jwt_validation_pubkeys,
        body.jwks_url,
        body.jwks_pairs,
        provider in OWN_KEYS,
    )
    if sum(map(bool, sources)) != 1:
        raise InvalidRequest(_ONE_SOURCE)
    if body.jwks_pairs and body.jwks_ca_pem:
        raise InvalidRequest("'jwks_ca_pem' cannot be set with 'jwks_pairs': each has its own")
    if body.jwks_url:
        _check_url("jwks_url", body.jwks_url)


def _check_oidc(body: ConfigBody) -> None:
    if bool(body.oidc_client_id) != bool(body.oidc_client_secret):
        raise InvalidRequest("both 'oidc_client_id' and 'oidc_client_secret' must be set for OIDC")
    if body.oidc_discovery_url:
        if ".well-known/openid-configuration" in body.oidc_discovery_url:
            raise InvalidRequest("'oidc_discovery_url' contains '.well-known' component")
        _check_url("oidc_discovery_url", body.oidc_discovery_url)
    elif body.oidc_client_id:
        raise InvalidRequest("'oidc_discovery_url' must be set for OIDC")
    if not set(body.oidc_response_types) <= {"code", "id_token"}:
        raise InvalidRequest("invalid response_types: 'code' and 'id_token' are allowed")
    if body.oidc_response_mode not in ("", "query", "form_post"):
        raise InvalidRequest("invalid response_mode: 'query' and 'form_post' are allowed")
    if "id_token" in body.oidc_response_types and body.oidc_response_mode != "form_post":
        raise InvalidRequest("query response_mode may not be used with an id_token response_type")


def _check_provider(body: ConfigBody) -> None:
    if not body.provider_config:
        return
    provider = body.provider_config.get("provider")
    if not isinstance(provider, str):
        raise InvalidRequest(
            "invalid provider_config: 'provider' field not found in provider_config"
        )
    if provider not in PROVIDERS:
        raise InvalidRequest(
            f"invalid provider_config: 'provider' is one of {', '.join(PROVIDERS)}"
        )
    if provider in OWN_KEYS and (body.oidc_discovery_ca_pem or body.jwks_ca_pem):
        raise InvalidRequest(
            "invalid provider_config: 'oidc_discovery_ca_pem' and 'jwks_ca_pem' must not be set with"
            f" the provider {provider}"
        )


def _check_url(field: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets that are no IPv6 address, a port that is none, odd signs
        sound = False
    if not sound:
        raise InvalidRequest(f"{field}: must be an address that begins with https:// (or http://)")


def _pairs(body: ConfigBody) -> tuple[JwksPair, ...]:
    if len(body.jwks_pairs) > _MOST_PAIRS:
        raise InvalidRequest(f"jwks_pairs: at most {_MOST_PAIRS} are allowed")
    return tuple(map(_pair, body.jwks_pairs))


def _pair(given: dict[str, Any]) -> JwksPair:
    url, ca_pem = given.get("jwks_url"), given.get("jwks_ca_pem", "")
    if not set(given) <= {"jwks_url", "jwks_ca_pem"} or not isinstance(ca_pem, str):
        raise InvalidRequest("jwks_pairs: each has the texts jwks_url and jwks_ca_pem")
    if not isinstance(url, str):
        raise InvalidRequest("jwks_pairs: each needs a jwks_url")
    _check_url("jwks_pairs", url)
    return JwksPair(url, checked_ca("jwks_pairs", ca_pem))


def _public_keys(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        try:
            pem_keys(text)
        except ValueError as error:
            raise InvalidRequest(f"jwt_validation_pubkeys: {error}") from None
    return texts
