"""What a mount of this method knows of who signs its tokens."""

from typing import Any

import msgspec

from wardgate.core import json
from wardgate.core.records import Codec
from wardgate.core.storage import View

_KEY = "config"


class JwksPair(msgspec.Struct, frozen=True):
    """The address of a key set, and the certificates that whoever has it is trusted by."""

    jwks_url: str
    jwks_ca_pem: str = ""


class Config(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The configuration as stored.

    Just one source of keys is set: `jwt_validation_pubkeys`, `jwks_url`, `jwks_pairs`,
    `oidc_discovery_url`, or a provider that has its own way to them.
    """

    written: str
    """Another random text each time that the configuration is written: what was fetched for an
    older one is not used any more."""
    oidc_discovery_url: str = ""
    oidc_discovery_ca_pem: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_response_mode: str = ""
    """Empty, ``query`` or ``form_post``."""
    oidc_response_types: tuple[str, ...] = ()
    """Of ``code`` and ``id_token``; none means ``code``."""
    jwks_url: str = ""
    jwks_ca_pem: str = ""
    jwks_pairs: tuple[JwksPair, ...] = ()
    jwt_validation_pubkeys: tuple[str, ...] = ()
    jwt_supported_algs: tuple[str, ...] = ()
    """What tokens may be signed with; none means everything that is known."""
    bound_issuer: str = ""
    default_role: str = ""
    provider_config_json: bytes = b""
    override_allowed_server_names: tuple[str, ...] = ()
    namespace_in_state: bool = True

    @property
    def provider_config(self) -> dict[str, Any]:
        """The settings of a particular provider, numbers as they were written."""
        found: dict[str, Any] = json.decode(self.provider_config_json or b"{}")
        return found

    @property
    def provider(self) -> str:
        """The provider that needs special treatment; empty for all others."""
        return str(self.provider_config.get("provider", ""))

    @property
    def logs_in_with_oidc(self) -> bool:
        """Whether people can be sent to the provider's page."""
        return bool(self.oidc_discovery_url and self.oidc_client_id and self.oidc_client_secret)


CONFIG: Codec[Config] = Codec(Config)


async def config_of(storage: View) -> Config | None:
    """The mount's configuration; None before it was written for the first time."""
    return await storage.get(_KEY, CONFIG)


def save_config(storage: View, config: Config) -> None:
    """Store the configuration in the place of the one before."""
    storage.put(_KEY, config, CONFIG)
