"""What others need to check identity tokens: the issuer and its public keys, open to anybody.

The form is that of OpenID Connect Discovery 1.0.
"""

import math
from typing import Annotated
from urllib.parse import urlsplit

from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.core.storage import Transaction
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc
from wardgate.identity.oidc.records import (
    CONFIG,
    CONFIG_KEY,
    OidcConfig,
    issuer_of,
    key_by_name,
    key_names,
)
from wardgate.identity.oidc.signing import ALGORITHMS, Jwk

LONGEST_CACHED = 3600
"""Seconds for which others may keep what they read here."""


class ConfigBody(Body):
    """Settings of all identity tokens."""

    issuer: Annotated[
        str | None,
        Doc("Scheme, host and port of the tokens' issuer; '' for the server's api_addr."),
    ] = None


class DiscoveryEndpoints:
    """The issuer and its keys. `address` is the server's own, as others reach it."""

    def __init__(self, address: str) -> None:
        self._address = address

    @endpoint("oidc/config", Operation.READ, operation_id="oidc-read-configuration")
    async def read_config(self, request: Request) -> Response:
        """Read the configured issuer."""
        config = await request.transaction.get(CONFIG_KEY, CONFIG) or OidcConfig()
        return Response({"issuer": config.issuer})

    @endpoint("oidc/config", Operation.UPDATE, operation_id="oidc-configure")
    async def configure(self, request: Request, body: ConfigBody) -> Response:
        """Set the issuer of the tokens that are made from now on."""
        if body.issuer is None:
            return no_content()
        if body.issuer and not _is_origin(body.issuer):
            raise InvalidRequest(
                "invalid issuer, which must include only a scheme, host, and optional port"
                " (e.g. https://example.com:8200)"
            )
        request.transaction.put(CONFIG_KEY, OidcConfig(issuer=body.issuer), CONFIG)
        if not body.issuer:
            return no_content()
        return no_content(
            [
                'With "issuer" set, all tokens are checked against this address. Set it to "" to go'
                " back to the server's api_addr."
            ]
        )

    @endpoint(
        "oidc/.well-known/openid-configuration",
        Operation.READ,
        operation_id="oidc-read-open-id-configuration",
        unauthenticated=True,
    )
    async def configuration(self, request: Request) -> Response:
        """Tell where the keys are, and what tokens look like."""
        issuer = await issuer_of(request.transaction, self._address)
        answer = {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/.well-known/keys",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(ALGORITHMS),
        }
        return _cached(Response(answer, bare=True), LONGEST_CACHED)

    @endpoint(
        "oidc/.well-known/keys",
        Operation.READ,
        operation_id="oidc-read-public-keys",
        unauthenticated=True,
    )
    async def keys(self, request: Request) -> Response:
        """The public keys of all tokens that may be valid, and those that sign next."""
        published = await published_keys(request.transaction, request.time)
        response = Response({"keys": [jwk for jwk, _ in published]}, bare=True)
        changes = min((change for _, change in published), default=0) - request.time
        return _cached(response, min(math.floor(changes), LONGEST_CACHED))


async def published_keys(transaction: Transaction, now: float) -> list[tuple[Jwk, float]]:
    """The public keys of all names that are needed to check tokens, each with the time when its
    name's keys are to change next."""
    found = []
    for name in await key_names(transaction):
        key = await key_by_name(transaction, name)
        if key is None:
            continue
        ends = (retired.until for retired in key.retired if now < retired.until)
        change = min([key.rotates, *ends])
        found += [(jwk, change) for jwk in key.published(now)]
    return found


def _cached(response: Response, seconds: int) -> Response:
    if seconds > 0:
        response.headers.append(("cache-control", f"max-age={seconds}"))
    return response


def _is_origin(url: str) -> bool:
    """Whether `url` is a scheme, a host and perhaps a port, and nothing else."""
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and "@" not in parts.netloc
        _ = parts.port  # ValueError for what is no port
    except ValueError:
        return False
    whole = f"{parts.scheme}://{parts.netloc}"
    return (
        parts.scheme in ("http", "https")
        and has_host
        and url.lower() == whole.lower()
        and (url.isprintable() and " " not in url)
    )
