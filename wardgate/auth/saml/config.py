"""``config``: who the identity provider is, and what this server is called there."""

from urllib.parse import parse_qsl, urlsplit

import msgspec

from wardgate.core.records import Codec
from wardgate.core.storage import View
from wardgate.errors import InvalidRequest

_KEY = "config"
_LONGEST_URL = 2048  # characters
_ADDED = ("SAMLRequest", "RelayState", "SAMLEncoding", "SigAlg", "Signature")
"""What a request adds to an address, or could add (SAML 2.0 bindings, section 3.4.4.1)."""


class Config(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The configuration as stored. Either the metadata's address is set or the provider's three own
    fields are."""

    written: str
    """Another random text each time that the configuration changes: a login that began with another
    one is over."""
    asked: str = ""
    """Another random text each time that it is written, even if nothing changes: what was fetched at
    the metadata address before counts no more."""
    entity_id: str
    acs_urls: tuple[str, ...]
    default_role: str = ""
    idp_metadata_url: str = ""
    idp_sso_url: str = ""
    idp_entity_id: str = ""
    idp_cert: str = ""
    validate_response_signature: bool = False
    validate_assertion_signature: bool = False
    verbose_logging: bool = False


CONFIG: Codec[Config] = Codec(Config)


async def config_of(storage: View) -> Config | None:
    """The mount's configuration; None before it was written for the first time."""
    return await storage.get(_KEY, CONFIG)


async def configuration(storage: View) -> Config:
    """The mount's configuration; `InvalidRequest` before there is one."""
    config = await config_of(storage)
    if config is None:
        raise InvalidRequest(
            "the mount is not configured: write entity_id, acs_urls and idp_metadata_url to its"
            " config"
        )
    return config


def save(storage: View, config: Config) -> None:
    """Store the configuration."""
    storage.put(_KEY, config, CONFIG)


def is_address(url: str) -> bool:
    """Whether this is an http or https URL with a host, of ASCII characters that can be shown, and
    without a user, a password or a fragment: the first two would be shown, and browsers differ from
    programs in where a name ends at a backslash."""
    if (
        len(url) > _LONGEST_URL
        or not (url.isascii() and url.isprintable())
        or set(url) & set(' "<>\\#')
    ):
        return False
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and "@" not in parts.netloc
        return parts.scheme in ("http", "https") and named and parts.port != 0
    except ValueError:  # a bracket that does not close, a port that is no number
        return False


def is_sso_address(url: str) -> bool:
    """Whether this is such an address, to which a request can be added (HTTP-Redirect)."""
    if not is_address(url):
        return False
    given = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    return given.isdisjoint(_ADDED)


def is_insecure(url: str) -> bool:
    """Whether what goes to this address can be read and changed on the way."""
    return urlsplit(url).scheme == "http"
