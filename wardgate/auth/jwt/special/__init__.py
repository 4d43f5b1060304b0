"""Providers that a configuration may name in ``provider_config``, since they go ways of their own."""

from wardgate.auth.jwt.config import Config
from wardgate.auth.jwt.roles import Role
from wardgate.auth.jwt.special.azure import azure_groups, check_endpoint
from wardgate.auth.jwt.special.google_access import GoogleAccess
from wardgate.auth.jwt.special.gsuite import (
    Directory,
    GoogleDirectory,
    gsuite_fields,
    gsuite_groups,
    settings_of,
)
from wardgate.auth.jwt.special.separated import SEPARATORS, separated_groups
from wardgate.core.core import Core
from wardgate.core.outgoing import OutgoingFailed
from wardgate.errors import InvalidRequest
from wardgate.framework.jws import Claims


class SpecialProviders:
    """What one mount asks its provider beside what all providers tell."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._access: tuple[str, GoogleAccess] | None = None

    async def check(self, config: Config) -> None:
        """Raises `InvalidRequest` for a provider_config that nobody could log in with."""
        if config.provider == "azure":
            check_endpoint(config)
        if config.provider == "gsuite":
            settings_of(config)
            try:
                await GoogleAccess(self._core, config.provider_config).check()
            except OutgoingFailed as error:
                raise InvalidRequest(f"provider_config: {error}") from None

    async def of(
        self, config: Config, role: Role, claims: Claims, access_token: str
    ) -> tuple[str, ...] | None:
        """See `groups.ProviderGroups.of`."""
        provider = config.provider
        if provider in SEPARATORS:
            return separated_groups(SEPARATORS[provider], role, claims)
        if provider == "azure":
            return await azure_groups(self._core, config, role, claims, access_token)
        if provider == "gsuite":
            return await gsuite_groups(self._directory(config), settings_of(config), role, claims)
        return None

    async def more_claims(self, config: Config, role: Role, claims: Claims) -> Claims:
        """See `groups.ProviderGroups.more_claims`."""
        if config.provider != "gsuite":
            return {}
        return await gsuite_fields(self._directory(config), settings_of(config), role, claims)

    def _directory(self, config: Config) -> Directory:
        if self._access is None or self._access[0] != config.written:
            access = GoogleAccess(self._core, config.provider_config)
            self._access = (config.written, access)
        return GoogleDirectory(self._core, self._access[1], settings_of(config))
