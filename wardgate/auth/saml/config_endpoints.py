"""The endpoints of ``config``.

A write changes the given fields. The two ways to name the provider exclude each other: a write that
gives one of them takes the other one away.
"""

import asyncio
from typing import Annotated

import msgspec

from wardgate.auth.saml import certificates
from wardgate.auth.saml.config import (
    Config,
    config_of,
    is_address,
    is_insecure,
    is_sso_address,
    save,
)
from wardgate.auth.saml.metadata import IdentityProvider, configured
from wardgate.auth.saml.own_key import new_own_key, own_key_of, save_own_key
from wardgate.auth.saml.provider import Provider, provider_failure
from wardgate.auth.saml.roles import LONGEST_NAME
from wardgate.core.ids import random_base62
from wardgate.core.operation import Operation
from wardgate.core.outgoing import OutgoingFailed
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, StringList
from wardgate.framework.names import is_name

_WRITTEN_LENGTH = 16
_LONGEST_ENTITY_ID = 1024  # characters (SAML 2.0 core, section 8.3.6)
_MOST_ACS_URLS = 50
_OWN_FIELDS = ("idp_sso_url", "idp_entity_id", "idp_cert")


class ConfigBody(Body):
    """Who the identity provider is, and who we are to it."""

    entity_id: Annotated[
        str | None, Doc("The name of this server at the provider (SP entity ID). Required.")
    ] = None
    acs_urls: Annotated[
        StringList | None,
        Doc(
            "The addresses to which the provider may have browsers post its answers, each ending in"
            " /v1/auth/PATH/callback. Required."
        ),
    ] = None
    default_role: Annotated[
        str | None, Doc("The role of logins that name none; without it they must name one.")
    ] = None
    idp_metadata_url: Annotated[
        str | None,
        Doc(
            "Where the provider's metadata is. Excludes idp_sso_url, idp_entity_id and idp_cert,"
            " which it tells."
        ),
    ] = None
    idp_sso_url: Annotated[
        str | None,
        Doc("Where browsers log in at the provider (HTTP-Redirect). Excludes idp_metadata_url."),
    ] = None
    idp_entity_id: Annotated[
        str | None, Doc("The provider's entity ID. Excludes idp_metadata_url.")
    ] = None
    idp_cert: Annotated[
        str | None,
        Doc(
            "Certificates in PEM of the keys that the provider signs with. Excludes"
            " idp_metadata_url."
        ),
    ] = None
    validate_response_signature: Annotated[
        bool | None,
        Doc("Whether responses must be signed, even if their assertion is.", default=False),
    ] = None
    validate_assertion_signature: Annotated[
        bool | None,
        Doc("Whether assertions must be signed, even if their response is.", default=False),
    ] = None
    verbose_logging: Annotated[
        bool | None,
        Doc(
            "Whether to log who logs in with which attributes (level debug) and whole responses"
            " (level trace), which hold what people may not want to be known.",
            default=False,
        ),
    ] = None


class ConfigEndpoints:
    """``config``: read and write."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    @endpoint("config", Operation.READ, operation_id="saml-read-config")
    async def read(self, request: Request) -> Response:
        """Read the configuration."""
        config = await config_of(request.storage)
        if config is None:
            raise NotFound
        shown = msgspec.structs.asdict(config)
        del shown["written"], shown["asked"]
        return Response(shown)

    async def config_exists(self, request: Request) -> bool:
        return await config_of(request.storage) is not None

    @endpoint(
        "config",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="saml-write-config",
        exists="config_exists",
    )
    async def write(self, request: Request, body: ConfigBody) -> Response:
        """Write the configuration, or change the given fields of it.

        A metadata address is asked at once.
        """
        config = _changed(await config_of(request.storage), body)
        warnings = _checked(config)
        if config.idp_metadata_url:
            try:
                found = await request.once(
                    f"metadata {config.idp_metadata_url}", lambda: self._provider.current(config)
                )
            except OutgoingFailed as error:
                raise InvalidRequest(f"idp_metadata_url: {provider_failure(error)}") from None
        else:
            found = configured(config)
        warnings += _warnings_of_provider(found, request.time)
        if await own_key_of(request.storage) is None:
            key = await request.once("a new key", lambda: asyncio.to_thread(new_own_key))
            save_own_key(request.storage, key)
        save(request.storage, config)
        return no_content(warnings)


def _changed(before: Config | None, body: ConfigBody) -> Config:
    given = {
        name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not None
    }
    if given.get("idp_metadata_url"):
        both = [name for name in _OWN_FIELDS if given.get(name)]
        if both:
            raise InvalidRequest(f"idp_metadata_url: excludes {', '.join(both)}; give one of both")
        given |= dict.fromkeys(_OWN_FIELDS, "")
    elif any(given.get(name) for name in _OWN_FIELDS):
        given["idp_metadata_url"] = ""
    if given.get("idp_cert"):
        try:
            given["idp_cert"] = certificates.only_certificates(given["idp_cert"])
        except certificates.NotCertificates:
            raise InvalidRequest(
                "idp_cert: there is something else beside certificates, such as a private key;"
                " give the blocks that begin with BEGIN CERTIFICATE alone"
            ) from None
    if given.get("default_role"):
        given["default_role"] = given["default_role"].strip().lower()
        if not is_name(given["default_role"], LONGEST_NAME):
            raise InvalidRequest("default_role: expected the name of a role")
    mark = random_base62(_WRITTEN_LENGTH)
    before = before or Config(written=mark, entity_id="", acs_urls=())
    after = msgspec.structs.replace(before, **given)
    # whoever is about to log in goes on when the same is written again
    written = before.written if after == before else mark
    return msgspec.structs.replace(after, written=written, asked=mark)


def _checked(config: Config) -> list[str]:
    """What is to be said of a configuration; `InvalidRequest` for one that cannot work."""
    _check_entity_id("entity_id", config.entity_id)
    if not 0 < len(config.acs_urls) <= _MOST_ACS_URLS:
        raise InvalidRequest(f"acs_urls: from 1 to {_MOST_ACS_URLS} addresses are needed")
    for url in config.acs_urls:
        _check_url("acs_urls", url)
    if config.idp_metadata_url:
        _check_url("idp_metadata_url", config.idp_metadata_url)
    else:
        missing = [name for name in _OWN_FIELDS if not getattr(config, name)]
        if missing:
            raise InvalidRequest(
                "idp_metadata_url is needed or, in its place, all of idp_sso_url, idp_entity_id and"
                f" idp_cert; missing: {', '.join(missing)}"
            )
        _check_url("idp_sso_url", config.idp_sso_url)
        if not is_sso_address(config.idp_sso_url):
            raise InvalidRequest(
                "idp_sso_url: its query must not have SAMLRequest, RelayState, SAMLEncoding, SigAlg or"
                " Signature, which are added for each login"
            )
        _check_entity_id("idp_entity_id", config.idp_entity_id)
        try:
            certificates.from_pem(config.idp_cert)
        except ValueError:
            raise InvalidRequest(
                "idp_cert: expected certificates in PEM with RSA keys of 2048 bits or more, or keys"
                " on the curves P-256, P-384 or P-521"
            ) from None
    return _warnings(config)


def _warnings(config: Config) -> list[str]:
    warnings = []
    if any(is_insecure(url) for url in config.acs_urls):
        warnings.append(
            "acs_urls: an address without TLS (http) lets whoever is in between read and change the"
            " provider's answers"
        )
    if is_insecure(config.idp_metadata_url):
        warnings.append(
            "idp_metadata_url: without TLS (http) whoever is in between can put keys of their own"
            " into the metadata, and log in as anybody"
        )
    if is_insecure(config.idp_sso_url):
        warnings.append("idp_sso_url: people log in there without TLS (http)")
    return warnings


def _warnings_of_provider(provider: IdentityProvider, now: float) -> list[str]:
    warnings = certificates.warnings(provider.certificates, now)
    if provider.wants_signed_requests:
        warnings.append(
            "it wants signed requests (WantAuthnRequestsSigned), which are not made here, and may"
            " refuse every login"
        )
    return [f"the identity provider: {each}" for each in warnings]


def _check_entity_id(field: str, text: str) -> None:
    if not text or len(text) > _LONGEST_ENTITY_ID or not text.isprintable() or text != text.strip():
        raise InvalidRequest(
            f"{field}: expected the entity ID, a URI of at most {_LONGEST_ENTITY_ID} characters"
        )


def _check_url(field: str, url: str) -> None:
    if not is_address(url):
        raise InvalidRequest(
            f"{field}: expected an address that begins with https:// (or http://), without a user, a"
            " password or a fragment (#)"
        )
