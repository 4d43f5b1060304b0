"""Finds out what a provider's answer is worth, on threads and with the provider's keys of today."""

import base64
import binascii
import logging

import msgspec

from wardgate.auth.saml import certificates
from wardgate.auth.saml.answers import FAILED, UNTRUSTED
from wardgate.auth.saml.config import Config
from wardgate.auth.saml.distrust import Distrusted
from wardgate.auth.saml.flows import Flow
from wardgate.auth.saml.metadata import IdentityProvider
from wardgate.auth.saml.own_key import OwnKey
from wardgate.auth.saml.provider import Provider, provider_failure
from wardgate.auth.saml.said import Said
from wardgate.auth.saml.turns import Turns
from wardgate.core.log_levels import TRACE
from wardgate.core.outgoing import OutgoingFailed
from wardgate.errors import BadGateway, InvalidRequest

_log = logging.getLogger("wardgate.auth.saml")
_LONGEST = 300_000  # characters: somewhat more than the longest document has in base64


class _Untrusted(msgspec.Struct, frozen=True):
    """An answer that none of the provider's keys has signed."""

    why: str


class Answering:
    """Reads the answers of one mount's provider."""

    def __init__(self, provider: Provider, path: str) -> None:
        self._provider = provider
        self._distrusted = Distrusted(path)
        self._turns = Turns()

    async def result(
        self, config: Config, flow: Flow, key: OwnKey, answer: str, now: float
    ) -> Said | str:
        """What the provider says of somebody, or why it says nothing: a text for people, when it has
        refused this login, which is over then.

        Raises `InvalidRequest` for an answer that anybody could have sent, and `BadGateway` when the
        provider's metadata cannot be had.
        """
        document = _decoded(answer)
        try:
            known = await self._provider.current(config)
            result = await self._read(config, flow, key, known, document, now)
            if isinstance(result, _Untrusted):
                newer = await self._provider.newer(config, known)
                if newer is not None:
                    result = await self._read(config, flow, key, newer, document, now)
        except OutgoingFailed as error:
            raise BadGateway(provider_failure(error)) from None
        if isinstance(result, _Untrusted):
            self._distrusted.note(result.why, now)
            raise InvalidRequest(UNTRUSTED)
        if config.verbose_logging and isinstance(result, Said):
            _log.debug("%s logs in with the attributes %s", result.subject, result.attributes)
            _log.log(TRACE, "the provider's answer was %s", document.decode(errors="replace"))
        return result

    async def _read(
        self,
        config: Config,
        flow: Flow,
        key: OwnKey,
        provider: IdentityProvider,
        document: bytes,
        now: float,
    ) -> Said | str | _Untrusted:
        return await self._turns.run(
            lambda: _read(config, flow, key, provider, document, now),
        )


def _decoded(answer: str) -> bytes:
    if not answer:
        raise InvalidRequest(
            f"{FAILED} There is no answer of the identity provider (SAMLResponse)."
        )
    if len(answer) > _LONGEST:
        raise InvalidRequest(f"{FAILED} The identity provider's answer is too long.")
    try:
        return base64.b64decode("".join(answer.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest(f"{FAILED} SAMLResponse is not base64.") from None


def _read(
    config: Config,
    flow: Flow,
    key: OwnKey,
    provider: IdentityProvider,
    document: bytes,
    now: float,
) -> Said | str | _Untrusted:
    # these load lxml
    from wardgate.auth.saml import responses
    from wardgate.auth.saml.documents import NotAcceptable
    from wardgate.auth.saml.signatures import NotAuthentic

    expected = responses.Expected(
        request_id=flow.request_id,
        acs_url=flow.acs_url,
        entity_id=config.entity_id,
        idp_entity_id=provider.entity_id,
        certificates=certificates.loaded(provider.certificates),
        key_pem=key.private_pem,
        response_signed=config.validate_response_signature,
        assertion_signed=config.validate_assertion_signature,
        now=now,
    )
    try:
        return responses.read(document, expected)
    except NotAuthentic as error:
        return _Untrusted(why=str(error))
    except NotAcceptable as error:
        raise InvalidRequest(
            f"{FAILED} The identity provider's answer is not accepted: {error}."
        ) from None
    except responses.NotForUs as error:
        raise InvalidRequest(f"{FAILED} {error}") from None
    except responses.ProviderRefused as error:
        if not error.ours:
            raise InvalidRequest(f"{FAILED} {error}") from None
        return f"{FAILED} {error}"
