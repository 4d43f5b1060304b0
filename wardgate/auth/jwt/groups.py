"""Groups and claims that a token does not have, because its provider has to be asked for them."""

from typing import Protocol

from wardgate.auth.jwt.config import Config
from wardgate.auth.jwt.roles import Role
from wardgate.framework.jws import Claims


class ProviderGroups(Protocol):
    """Asks the special providers that a configuration may name."""

    async def of(
        self, config: Config, role: Role, claims: Claims, access_token: str
    ) -> tuple[str, ...] | None:
        """The groups of whom the claims are about; None when the claims say all there is to say.

        `access_token` is what the provider lets be asked with, where the login had one. Raises
        `InvalidRequest` when the provider does not tell.
        """
        ...

    async def more_claims(self, config: Config, role: Role, claims: Claims) -> Claims:
        """Claims to add to those that the token has. Raises `InvalidRequest` when the provider does
        not tell."""
        ...


class NoGroups:
    """For providers that put everything into the token."""

    async def of(
        self, config: Config, role: Role, claims: Claims, access_token: str
    ) -> tuple[str, ...] | None:
        return None

    async def more_claims(self, config: Config, role: Role, claims: Claims) -> Claims:
        return {}
