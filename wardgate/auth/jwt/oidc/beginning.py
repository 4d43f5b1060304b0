"""How a login at a provider begins: its state is stored, and people are told where to go."""

import logging

import msgspec

from wardgate.auth.jwt.config import Config
from wardgate.auth.jwt.oidc.answers import unreachable
from wardgate.auth.jwt.oidc.flows import FLOWS, LONGEST_CODE, Flow
from wardgate.auth.jwt.oidc.provider import Provider, ProviderRefused, authorization_url
from wardgate.auth.jwt.oidc.redirects import is_allowed
from wardgate.auth.jwt.roles import Role
from wardgate.core.outgoing import OutgoingFailed
from wardgate.core.request import Request, Response
from wardgate.errors import InvalidRequest
from wardgate.framework.pending import new_secret

_log = logging.getLogger("wardgate.auth.jwt")

INTERVAL = 5
"""Seconds between two polls, as RFC 8628 has it by default."""


class Beginning:
    """Begins logins at the provider of one mount."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def browser_sent(
        self, request: Request, config: Config, role: Role, flow: Flow, redirect_uri: str
    ) -> Response:
        """Where a browser goes to log in. Raises `InvalidRequest`."""
        if not redirect_uri:
            raise InvalidRequest("missing redirect_uri")
        if not is_allowed(redirect_uri, role.allowed_redirect_uris or ()):
            _log.warning(
                "a login by the role %s gave a redirect URI that is not one of its own", role.name
            )
            return Response({"auth_url": ""})
        if config.oidc_response_mode == "form_post":
            # Vault's web page gives its own address, but only the server can take a form
            redirect_uri = redirect_uri.replace("ui/vault", "v1", 1)
        try:
            metadata = await request.once(
                f"metadata {config.written}", lambda: self._provider.metadata(config)
            )
            if not metadata.authorization_endpoint:
                raise OutgoingFailed("it has no authorization_endpoint")
        except OutgoingFailed as error:
            raise unreachable(error) from None
        by_code = "id_token" not in config.oidc_response_types
        flow = await FLOWS.begin(
            request,
            msgspec.structs.replace(
                flow,
                nonce=new_secret(),
                verifier=new_secret() if by_code else "",
                redirect_uri=redirect_uri,
                max_age=max(role.max_age, 0),
            ),
        )
        data = {"auth_url": authorization_url(config, metadata, role, flow)}
        if flow.mode == "direct":
            data |= {"state": flow.state, "poll_interval": str(role.poll_interval or INTERVAL)}
        return Response(data)

    async def device_begun(
        self, request: Request, config: Config, role: Role, flow: Flow
    ) -> Response:
        """Where somebody goes, with which code, to let a device in. Raises `InvalidRequest`."""
        try:
            found = await request.once(
                f"device {config.written}", lambda: self._provider.device_code(config, role)
            )
        except (OutgoingFailed, ProviderRefused) as error:
            raise unreachable(error) from None
        if len(found.device_code) > LONGEST_CODE:
            raise InvalidRequest("the provider's device code is too long")
        interval = role.poll_interval or found.interval or INTERVAL
        flow = msgspec.structs.replace(flow, device_code=found.device_code, interval=interval)
        flow = await FLOWS.begin(request, flow)
        data = {"auth_url": found.url, "state": flow.state, "poll_interval": str(interval)}
        if found.user_code:
            data["user_code"] = found.user_code
        return Response(data)
