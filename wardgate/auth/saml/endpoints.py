"""The endpoints of logins.

``sso_service_url``  begins one, and says where the browser goes
``callback``         takes what the browser brings back, and asks whether the login is wanted
``token``            gives the token to the program that began it
``metadata``         tells providers about this server

Nobody knows both a login's RelayState, which goes through the browser, and what its token is asked for
with. Whoever has logged in is shown who began the login and has to confirm it: somebody could have sent
them the address, to get a token of theirs.
"""

import base64
import binascii
import hashlib
import hmac

import msgspec

from wardgate.auth.saml.answering import Answering
from wardgate.auth.saml.answers import (
    EXPIRED,
    FAILED,
    PENDING,
    confirmation_page,
    done_page,
    failed,
    refusal,
)
from wardgate.auth.saml.config import Config, config_of, configuration
from wardgate.auth.saml.fields import BROWSER, CLI, CallbackBody, SsoServiceUrlBody, TokenBody
from wardgate.auth.saml.flows import FLOWS, Flow, Identified, use_once
from wardgate.auth.saml.metadata import own_metadata
from wardgate.auth.saml.own_key import own_key_of
from wardgate.auth.saml.provider import Provider, provider_failure
from wardgate.auth.saml.requests import sso_address
from wardgate.auth.saml.roles import Role, role_of
from wardgate.core.cidr import address_allowed
from wardgate.core.operation import Operation
from wardgate.core.outgoing import OutgoingFailed
from wardgate.core.request import Request, Response
from wardgate.errors import (
    BadGateway,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    RequestError,
)
from wardgate.framework.endpoints import endpoint
from wardgate.framework.pending import new_secret
from wardgate.randomness import random_bytes

_LONGEST_VERIFIER = 1024  # characters
_DIGEST = 32  # bytes of SHA-256


class LoginEndpoints:
    """Logins at the identity provider of one mount."""

    def __init__(self, provider: Provider, path: str) -> None:
        """`path` is the mount's, for the log."""
        self._provider = provider
        self._answering = Answering(provider, path)

    @endpoint(
        "sso_service_url",
        Operation.UPDATE,
        operation_id="saml-write-sso_service_url",
        unauthenticated=True,
    )
    async def sso_service_url(self, request: Request, body: SsoServiceUrlBody) -> Response:
        """Begin a login at the identity provider."""
        config = await configuration(request.storage)
        name = body.role or config.default_role
        if not name:
            raise InvalidRequest("missing role")
        role = await role_of(request.storage, name)
        if role is None:
            raise InvalidRequest("role: there is none of this name")
        if body.client_type not in (CLI, BROWSER):
            raise InvalidRequest(f"client_type: must be '{CLI}' or '{BROWSER}'")
        challenge = _challenge(body.client_challenge)
        acs_url = _acs_url(config, body.acs_url)
        try:
            found = await request.once(
                f"provider {config.asked}", lambda: self._provider.current(config)
            )
        except OutgoingFailed as error:
            raise BadGateway(provider_failure(error)) from None
        flow = await FLOWS.begin(
            request,
            Flow(
                begun=request.time,
                written=config.written,
                role=role.name,
                acs_url=acs_url,
                challenge=challenge,
                poll_secret=random_bytes(32),
                requester=request.remote_address,
            ),
        )
        return Response(
            {
                "sso_service_url": sso_address(found.sso_url, config, flow),
                "token_poll_id": flow.poll_id,
            }
        )

    @endpoint(
        "callback", Operation.UPDATE, operation_id="saml-write-callback", unauthenticated=True
    )
    async def callback(self, request: Request, body: CallbackBody) -> Response:
        """Take the provider's answer, which a browser posts (Assertion Consumer Service).

        The answer is a page. It asks the person at the browser whether they began the login.
        """
        try:
            config, flow, role = await _open(request, body.RelayState)
            if body.confirmation:
                return _confirmed(request, flow, body.confirmation)
            return await self._answered(request, config, flow, role, body.SAMLResponse)
        except RequestError as error:
            return failed(request, " ".join(error.messages), error.status)

    @endpoint("token", Operation.UPDATE, operation_id="saml-write-token", unauthenticated=True)
    async def token(self, request: Request, body: TokenBody) -> Response:
        """Ask for the token of a login that goes on in a browser.

        Until somebody has logged in there the answer is the error 'authorization_pending'.
        """
        for field in ("token_poll_id", "client_verifier"):
            if not getattr(body, field):
                raise InvalidRequest(f"missing {field}")
        flow = await FLOWS.find(request, body.token_poll_id.rpartition(".")[0])
        config = await configuration(request.storage)
        if (
            flow is None
            or flow.written != config.written
            or not flow.is_poll_id(body.token_poll_id)
        ):
            raise InvalidRequest(EXPIRED)
        _check_verifier(flow, body.client_verifier)
        if flow.failure:
            FLOWS.end(request.storage, flow)
            return refusal(flow.failure)
        if flow.identified is None or not flow.confirmed:
            raise InvalidRequest(PENDING)
        role = await role_of(request.storage, flow.role)
        if role is None or not hmac.compare_digest(flow.identified.role_digest, role.digest()):
            FLOWS.end(request.storage, flow)
            return refusal(f"{FAILED} The role has changed; log in again.")
        response = _granted(request, role, flow.identified)
        FLOWS.end(request.storage, flow)
        return response

    @endpoint("metadata", Operation.READ, operation_id="saml-read-metadata", unauthenticated=True)
    async def metadata(self, request: Request) -> Response:
        """Read what an identity provider has to know of this server (SP metadata), as XML.

        It holds nothing that is secret, and providers fetch it by themselves: so without a token.
        """
        config, key = await config_of(request.storage), await own_key_of(request.storage)
        if config is None or key is None:
            raise NotFound
        return Response(
            raw=own_metadata(config, key.certificate),
            content_type="application/samlmetadata+xml",
            bare=True,
        )

    async def _answered(
        self, request: Request, config: Config, flow: Flow, role: Role, answer: str
    ) -> Response:
        """The provider's answer counts if nobody has brought one for this login before."""
        if flow.identified is not None or flow.failure:
            raise InvalidRequest(EXPIRED)
        key = await own_key_of(request.storage)
        if key is None:
            raise InvalidRequest(EXPIRED)
        result = await request.once(
            f"answer {config.asked} {flow.state}",
            lambda: self._answering.result(config, flow, key, answer, request.time),
        )
        if isinstance(result, str):
            FLOWS.save(request.storage, msgspec.structs.replace(flow, failure=result))
            return failed(request, result)
        said = result
        if not await use_once(request.storage, said.issuer, said.assertion_id, request.time):
            raise InvalidRequest(f"{FAILED} The assertion has been used before.")
        refused = role.refused(said.subject, said.attributes)
        if refused:
            why = f"{FAILED} {refused}"
            FLOWS.save(request.storage, msgspec.structs.replace(flow, failure=why))
            return failed(request, why, 403)
        identified = Identified(
            subject=said.subject, groups=role.groups(said.attributes), role_digest=role.digest()
        )
        flow = msgspec.structs.replace(flow, identified=identified, confirmation=new_secret())
        FLOWS.save(request.storage, flow)
        return confirmation_page(flow, said.subject)


async def _open(request: Request, state: str) -> tuple[Config, Flow, Role]:
    """The login that goes on in a browser, as long as all is there that it began with."""
    config = await config_of(request.storage)
    flow = await FLOWS.find(request, state)
    if config is None or flow is None or flow.written != config.written:
        raise InvalidRequest(EXPIRED)
    role = await role_of(request.storage, flow.role)
    if role is None:
        raise InvalidRequest(f"{FAILED} The role is not there any more.")
    return config, flow, role


def _confirmed(request: Request, flow: Flow, confirmation: str) -> Response:
    """The person who has logged in says that they began this: the page that asked knows a secret."""
    if flow.identified is None or not hmac.compare_digest(
        flow.confirmation.encode(), confirmation.encode()
    ):
        raise InvalidRequest(f"{FAILED} It was not confirmed on the page that asked for it.")
    if not flow.confirmed:
        FLOWS.save(request.storage, msgspec.structs.replace(flow, confirmed=True))
    return done_page()


def _granted(request: Request, role: Role, identified: Identified) -> Response:
    if not address_allowed(request.remote_address, role.settings.bound_cidrs):
        raise PermissionDenied
    return Response(
        grant=role.settings.grant(
            identified.subject,
            request.remote_address,
            alias=identified.subject,
            alias_metadata=role.alias_metadata,
            group_aliases=identified.groups,
            metadata={"role": role.name},
            renewal={"role": role.name},
        )
    )


def _challenge(text: str) -> bytes:
    """The digest that a challenge is."""
    if not text:
        raise InvalidRequest("missing client_challenge")
    try:
        found = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != _DIGEST:
        raise InvalidRequest(
            "client_challenge: expected the base64 of the SHA-256 digest of the client_verifier"
        )
    return found


def _check_verifier(flow: Flow, verifier: str) -> None:
    digest = hashlib.sha256(verifier[:_LONGEST_VERIFIER].encode()).digest()
    if len(verifier) > _LONGEST_VERIFIER or not hmac.compare_digest(digest, flow.challenge):
        raise InvalidRequest(
            "client_verifier: its digest is not the client_challenge that the login began with"
        )


def _acs_url(config: Config, asked: str) -> str:
    if not asked and len(config.acs_urls) == 1:
        return config.acs_urls[0]
    if asked not in config.acs_urls:
        raise InvalidRequest("acs_url: must be one of the mount's acs_urls")
    return asked
