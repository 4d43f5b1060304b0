"""Read and write the mount's configuration."""

from wardgate.auth.jwt.config import Config, config_of, save_config
from wardgate.auth.jwt.config_fields import ConfigBody, configured
from wardgate.auth.jwt.keys import Keys
from wardgate.auth.jwt.special import SpecialProviders
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, no_content
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint

_HIDDEN = ("written", "oidc_client_secret", "jwks_pairs", "provider_config_json")
_SECRET_SETTINGS = ("gsuite_service_account",)
"""What of provider_config is never shown."""


class ConfigEndpoints:
    """The configuration, written as a whole."""

    def __init__(self, core: Core, keys: Keys, special: SpecialProviders) -> None:
        self._core = core
        self._keys = keys
        self._special = special

    @endpoint("config", Operation.READ, operation_id="jwt-read-configuration")
    async def read_config(self, request: Request) -> Response:
        """Read the configuration, without secrets, and whether its keys can be had."""
        config = await config_of(request.storage)
        if config is None:
            raise NotFound
        failure = await request.once(
            f"keys {config.written}", lambda: self._keys.failure(self._core, config)
        )
        status = "invalid" if failure else "valid"
        warnings = [f"the keys could not be had: {failure}"] if failure else None
        return Response({**_shown(config), "status": status}, warnings=warnings)

    @endpoint("config", Operation.UPDATE, operation_id="jwt-configure")
    async def write_config(self, request: Request, body: ConfigBody) -> Response:
        """Say whose tokens are good here.

        The configuration is replaced as a whole. Its keys are fetched before it is stored; with
        'skip_jwks_validation' it is stored although that fails.
        """
        config = configured(body, await config_of(request.storage))
        await request.once("provider_config", lambda: self._special.check(config))
        failure = await request.once("keys", lambda: Keys().failure(self._core, config))
        if failure:
            failure = f"error checking {_source(config)}: {failure}"
        if failure and not body.skip_jwks_validation:
            raise InvalidRequest(failure)
        save_config(request.storage, config)
        return no_content([failure] if failure else None)


def _source(config: Config) -> str:
    """What the keys are fetched from, in OpenBao's words."""
    if config.oidc_discovery_url:
        return "oidc discovery URL"
    if config.jwks_url:
        return "jwks URL"
    return "jwks_pairs" if config.jwks_pairs else "provider_config"


def _shown(config: Config) -> JsonMap:
    plain = {
        field: getattr(config, field) for field in config.__struct_fields__ if field not in _HIDDEN
    }
    settings = {
        name: value
        for name, value in config.provider_config.items()
        if name not in _SECRET_SETTINGS
    }
    pairs = [
        {"jwks_url": pair.jwks_url, "jwks_ca_pem": pair.jwks_ca_pem} for pair in config.jwks_pairs
    ]
    return {**plain, "provider_config": settings, **({"jwks_pairs": pairs} if pairs else {})}
