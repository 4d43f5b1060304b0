"""Requests to those who issue tokens, as the configuration says that they are trusted."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from wardgate.core.core import Core
from wardgate.core.outgoing import Answer, OutgoingFailed, UntrustedServer

_FINE = 200


async def ask(
    core: Core,
    method: str,
    url: str,
    *,
    ca_pem: str = "",
    server_names: tuple[str, ...] = (),
    **request: Any,
) -> Answer:
    """Send a request and give the answer, whatever its status; `request` as for `Outgoing.send`.

    The certificate has to be made for one of `server_names`, where there are any, and else for the
    host. Raises `OutgoingFailed`.
    """
    *others, last = server_names or ("",)
    for name in others:
        try:
            return await core.outgoing.send(method, url, ca_pem=ca_pem, server_name=name, **request)
        except UntrustedServer:
            continue
    return await core.outgoing.send(method, url, ca_pem=ca_pem, server_name=last, **request)


async def document_at(
    core: Core,
    url: str,
    *,
    ca_pem: str = "",
    server_names: tuple[str, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Any:
    """The JSON document at `url`. Redirects are followed, unless `headers` (which may be secret)
    are sent. Raises `OutgoingFailed`."""
    answer = await ask(
        core,
        "GET",
        url,
        ca_pem=ca_pem,
        server_names=server_names,
        headers=headers,
        follow=headers is None,
    )
    if answer.status != _FINE:
        raise OutgoingFailed(f"the answer has status {answer.status}")
    return answer.json()


async def discovered(
    core: Core,
    url: str,
    *,
    ca_pem: str = "",
    server_names: tuple[str, ...] = (),
) -> dict[str, Any]:
    """What an OpenID provider says of itself (OpenID Connect Discovery 1.0), once it is certain that
    it means itself. Raises `OutgoingFailed`."""
    document = await document_at(core, well_known(url), ca_pem=ca_pem, server_names=server_names)
    if not isinstance(document, dict):
        raise OutgoingFailed("the provider's configuration is no JSON object")
    if document.get("issuer") != url:
        raise OutgoingFailed("the issuer that the provider names is not oidc_discovery_url")
    return document


def well_known(issuer: str) -> str:
    """Where a provider's configuration is."""
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def keys_address(document: dict[str, Any], issuer: str) -> str:
    """Where the keys are of a provider that says this of itself; `OutgoingFailed` if it does not.
    Where the provider is asked over TLS, so are the keys."""
    address = document.get("jwks_uri")
    if not isinstance(address, str) or not is_address(address):
        raise OutgoingFailed("the provider's configuration has no usable jwks_uri")
    if urlsplit(issuer).scheme == "https" and urlsplit(address).scheme != "https":
        raise OutgoingFailed("the provider's jwks_uri is not https, as its own address is")
    return address


def is_address(url: str) -> bool:
    """Whether this is an http or https URL of ASCII characters that can be shown, with a host."""
    if not (url.isascii() and url.isprintable()) or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket that does not close, a port that is no number
        return False
