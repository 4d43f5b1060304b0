"""Who has logged in at a provider: what its tokens, and all that it can be asked, say together."""

import logging
from typing import Any

import msgspec

from wardgate.auth.jwt.claims import Identified, checked
from wardgate.auth.jwt.config import Config
from wardgate.auth.jwt.groups import ProviderGroups
from wardgate.auth.jwt.keys import Keys
from wardgate.auth.jwt.login import signed_claims
from wardgate.auth.jwt.oidc.answers import FAILED
from wardgate.auth.jwt.oidc.flows import Flow
from wardgate.auth.jwt.oidc.id_tokens import check_access_token, check_id_token
from wardgate.auth.jwt.oidc.provider import Provider, Tokens
from wardgate.auth.jwt.roles import Role
from wardgate.core.core import Core
from wardgate.core.outgoing import OutgoingFailed
from wardgate.core.request import Request
from wardgate.errors import InvalidRequest
from wardgate.framework.jws import Claims

_log = logging.getLogger("wardgate.auth.jwt")

_OF_THE_TOKEN = frozenset(
    {"iss", "sub", "aud", "azp", "exp", "iat", "nbf", "auth_time", "nonce", "at_hash", "c_hash"}
)
"""Claims about the ID token itself, which the userinfo endpoint has no say in."""
_FINE = 200


class Identifying:
    """Finds out who has logged in, for one mount."""

    def __init__(self, core: Core, keys: Keys, provider: Provider, groups: ProviderGroups) -> None:
        self._core = core
        self._keys = keys
        self._provider = provider
        self._groups = groups

    async def checked_token(
        self,
        request: Request,
        config: Config,
        role: Role,
        flow: Flow,
        id_token: str,
    ) -> Claims:
        """The claims of an ID token that answers `flow`. Raises `InvalidRequest`."""
        claims = await signed_claims(self._core, self._keys, request, config, id_token)
        check_id_token(config, role, flow, claims, request.time, has_browser=flow.mode != "device")
        return claims

    async def identified(
        self, request: Request, config: Config, role: Role, flow: Flow, tokens: Tokens
    ) -> Identified:
        """Who has logged in, if the role lets them. Raises `InvalidRequest`."""
        try:
            return await self._identified(request, config, role, flow, tokens)
        except InvalidRequest as error:
            raise InvalidRequest(f"{FAILED} {' '.join(error.messages)}") from None

    async def _identified(
        self, request: Request, config: Config, role: Role, flow: Flow, tokens: Tokens
    ) -> Identified:
        claims = await self.checked_token(request, config, role, flow, tokens.id_token)
        check_access_token(tokens.id_token, claims, tokens.access_token)
        claims = {name: value for name, value in claims.items() if name != "nonce"}
        more = await request.once(
            f"userinfo {config.written}",
            lambda: self._user_info(config, claims["sub"], tokens.access_token),
        )
        claims = {**claims, **more}
        asked = f"{config.written} {role.user_claim} {role.groups_claim}"
        more = await request.once(
            f"more claims {asked}", lambda: self._groups.more_claims(config, role, claims)
        )
        claims = {**more, **claims}  # what is signed counts
        if role.verbose_oidc_logging:
            _log.debug("a login by the role %s has the claims %s", role.name, sorted(claims))
        groups = None
        if role.groups_claim:
            groups = await request.once(
                f"groups {asked}",
                lambda: self._groups.of(config, role, claims, tokens.access_token),
            )
        found = checked(role, claims, extra_groups=groups)
        kept = {f"oauth2_{name}": getattr(tokens, name) for name in role.oauth2_metadata or ()}
        return msgspec.structs.replace(found, metadata={**found.metadata, **kept})

    async def _user_info(self, config: Config, subject: str, access_token: str) -> Claims:
        """What the userinfo endpoint adds to the claims; nothing when it cannot be asked, since a
        role that binds to what is missing then lets nobody in."""
        try:
            answer = await self._provider.user_info(config, access_token)
            if answer is None:
                return {}
            if answer.status != _FINE:
                raise OutgoingFailed(f"the answer has status {answer.status}")
            found: Any
            if answer.headers.get("content-type", "").startswith("application/jwt"):
                signed = answer.body.decode("ascii", "replace")
                found = await self._keys.verified_claims(self._core, config, signed)
            else:
                found = answer.json()
            # another subject is somebody else's answer (OpenID Connect Core 1.0, section 5.3.2)
            if not isinstance(found, dict) or found.get("sub") != subject:
                raise OutgoingFailed("the answer is not about whoever logs in")
        except (OutgoingFailed, InvalidRequest) as error:
            _log.warning("the userinfo endpoint told nothing: %s", error)
            return {}
        return {name: value for name, value in found.items() if name not in _OF_THE_TOKEN}
