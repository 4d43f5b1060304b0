"""Which keys a mount's tokens are signed with, and whether one of them has signed a token.

Keys are kept in the memory of the process, along with the configuration that they belong to: as soon
as that is written again, nothing of the old ones is used.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from wardgate.auth.jwt.asking import discovered, document_at, keys_address
from wardgate.auth.jwt.config import Config
from wardgate.auth.jwt.key_sets import Fetch, KeySet, first_found, why_unreachable
from wardgate.auth.jwt.kubernetes_keys import cluster_keys
from wardgate.core.core import Core
from wardgate.errors import InvalidRequest
from wardgate.framework.jws import (
    ALGORITHMS,
    BadSignature,
    Claims,
    Malformed,
    VerificationKey,
    header_of,
    key_set,
    pem_keys,
    verified,
)

_BAD_SIGNATURE = (
    "error validating token: error verifying token signature: no known key successfully validated"
    " the token signature"
)


class Keys:
    """The keys of one mount in this process."""

    def __init__(self) -> None:
        self._written = ""
        self._own: tuple[VerificationKey, ...] = ()
        self._sets: tuple[KeySet, ...] = ()

    async def verified_claims(self, core: Core, config: Config, token: str) -> Claims:
        """The claims of a token that one of the configured keys has signed.

        When it may be signed with a key that is not known yet, the keys are fetched again. Raises
        `InvalidRequest`, also when there are no keys to check with.
        """
        _check_algorithm(config, token)
        own, sets = self._of(core, config)
        claims = await _checked(token, own)
        if claims is None:
            claims = await first_found(sets, partial(_checked, token))
        if claims is not None:
            return claims
        for each in sets:
            if each.failure:
                raise InvalidRequest(
                    f"error configuring token validator: the keys could not be had: {each.failure}"
                )
        raise InvalidRequest(_BAD_SIGNATURE)

    async def failure(self, core: Core, config: Config) -> str:
        """Why the keys of a configuration cannot be had; empty when they can. With several key sets,
        all of them have to answer."""
        _, sets = self._of(core, config)
        return await why_unreachable(sets)

    def _of(
        self, core: Core, config: Config
    ) -> tuple[tuple[VerificationKey, ...], tuple[KeySet, ...]]:
        if self._written != config.written:
            self._own = tuple(
                key for text in config.jwt_validation_pubkeys for key in pem_keys(text)
            )
            self._sets = tuple(KeySet(fetch, core.clock) for fetch in _fetches(core, config))
            self._written = config.written
        return self._own, self._sets


def _fetches(core: Core, config: Config) -> list[Fetch]:
    """How each of the configured key sets is fetched."""
    pairs = [(pair.jwks_url, pair.jwks_ca_pem) for pair in config.jwks_pairs]
    if config.jwks_url:
        pairs.append((config.jwks_url, config.jwks_ca_pem))
    documents = [partial(_set_at, core, config, url, ca_pem) for url, ca_pem in pairs]
    if config.oidc_discovery_url:
        documents.append(partial(_set_of_provider, core, config))
    if config.provider == "kubernetes":
        documents.append(partial(cluster_keys, core))
    return [partial(_parsed, document) for document in documents]


async def _set_at(core: Core, config: Config, url: str, ca_pem: str) -> Any:
    names = config.override_allowed_server_names
    return await document_at(core, url, ca_pem=ca_pem, server_names=names)


async def _set_of_provider(core: Core, config: Config) -> Any:
    issuer, ca_pem = config.oidc_discovery_url, config.oidc_discovery_ca_pem
    names = config.override_allowed_server_names
    document = await discovered(core, issuer, ca_pem=ca_pem, server_names=names)
    return await _set_at(core, config, keys_address(document, issuer), ca_pem)


async def _parsed(document: Callable[[], Awaitable[Any]]) -> tuple[VerificationKey, ...]:
    return await asyncio.to_thread(key_set, await document())  # 0.1 ms for each RSA key


def _check_algorithm(config: Config, token: str) -> None:
    try:
        algorithm = header_of(token).algorithm
    except Malformed as error:
        raise _malformed(error) from None
    if algorithm not in (config.jwt_supported_algs or ALGORITHMS):
        raise InvalidRequest(
            "error validating token: invalid algorithm (alg) header parameter: token signed with"
            " unexpected algorithm"
        )


async def _checked(token: str, keys: tuple[VerificationKey, ...]) -> Claims | None:
    """The claims, when one of `keys` has signed them; else None."""
    if not keys:
        return None
    try:
        return await asyncio.to_thread(verified, token, keys)
    except BadSignature:
        return None
    except Malformed as error:
        raise _malformed(error) from None


def _malformed(error: Malformed) -> InvalidRequest:
    why = str(error) or "use the compact form of a JWT: three parts with dots between them"
    return InvalidRequest(f"error validating token: not a signed token: {why}")
