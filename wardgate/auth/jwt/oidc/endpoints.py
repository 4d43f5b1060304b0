"""The endpoints of logins at an OpenID provider.

``oidc/auth_url`` begins a login and says where the browser goes. How it ends is up to the role's
``callback_mode``:

``client``   the browser goes back to the program, which calls ``oidc/callback`` and gets the token
``direct``   the browser goes to ``oidc/callback`` itself, and the program polls ``oidc/poll``
``device``   nobody comes back; the program polls ``oidc/poll``, which asks the provider
"""

import hashlib
import hmac

import msgspec

from wardgate.auth.jwt.config import Config
from wardgate.auth.jwt.groups import NoGroups, ProviderGroups
from wardgate.auth.jwt.keys import Keys
from wardgate.auth.jwt.login import asked_role, check_address, configuration, grant_of
from wardgate.auth.jwt.oidc.answers import (
    EXPIRED,
    FAILED,
    NO_CODE,
    confirmation_page,
    done_page,
    ended_page,
    failed_page,
    handed_over_page,
    refusal,
    unreachable,
)
from wardgate.auth.jwt.oidc.beginning import Beginning
from wardgate.auth.jwt.oidc.fields import AuthUrlBody, CallbackForm, CallbackQuery, PollBody
from wardgate.auth.jwt.oidc.flows import FLOWS, LONGEST_CODE, Flow
from wardgate.auth.jwt.oidc.identifying import Identifying
from wardgate.auth.jwt.oidc.provider import (
    PENDING,
    SLOW_DOWN,
    Provider,
    ProviderRefused,
    Tokens,
)
from wardgate.auth.jwt.roles import ROLE, Role, role_of
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.outgoing import OutgoingFailed
from wardgate.core.request import Request, Response
from wardgate.errors import InvalidRequest, RequestError, UnsupportedOperation
from wardgate.framework.endpoints import endpoint
from wardgate.framework.pending import new_secret

_TOLERANCE = 1.0
"""Seconds that a device may poll early: its clock and its way here are not ours."""
_LONGEST_NONCE = 512  # characters
_TOLD_ERRORS = frozenset(
    {
        "invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type",
        "invalid_scope", "server_error", "temporarily_unavailable", "login_required",
        "interaction_required", "consent_required", "account_selection_required",
    }
)  # fmt: skip
"""Errors of RFC 6749, section 4.1.2.1, and OpenID Connect Core 1.0, 3.1.2.6. Nothing else that a
provider, or whoever calls in its name, writes there is repeated."""


class _TooSoon(Exception):
    """A device polls again before its interval is over."""


class OidcEndpoints:
    """Logins in a browser or on a device."""

    def __init__(self, core: Core, keys: Keys, groups: ProviderGroups | None = None) -> None:
        self._provider = Provider(core)
        self._beginning = Beginning(self._provider)
        self._identifying = Identifying(core, keys, self._provider, groups or NoGroups())
        self._polling: set[str] = set()  # the states of devices that the provider is asked about

    @endpoint(
        "oidc/auth_url",
        Operation.UPDATE,
        operation_id="jwt-oidc-request-authorization-url",
        unauthenticated=True,
    )
    async def auth_url(self, request: Request, body: AuthUrlBody) -> Response:
        """Begin a login at the OpenID provider.

        The answer has an empty 'auth_url' when the role does not allow the redirect URI.
        """
        config = await configuration(request)
        if not config.logs_in_with_oidc:
            raise InvalidRequest("OIDC login is not configured for this mount")
        role = await role_of(request.storage, asked_role(config, body.role))
        if role is None:
            raise InvalidRequest("role: there is none of this name")
        if len(body.client_nonce) > _LONGEST_NONCE:
            raise InvalidRequest(f"client_nonce: at most {_LONGEST_NONCE} characters")
        if role.callback_mode != "client" and not body.client_nonce:
            raise InvalidRequest("missing client_nonce")
        flow = Flow(
            begun=request.time,
            written=config.written,
            role=role.name,
            mode=role.callback_mode,
            client_nonce=body.client_nonce,
            requester=request.remote_address,
        )
        if role.callback_mode == "device":
            return await self._beginning.device_begun(request, config, role, flow)
        return await self._beginning.browser_sent(request, config, role, flow, body.redirect_uri)

    @endpoint(
        "oidc/callback", Operation.READ, operation_id="jwt-oidc-callback", unauthenticated=True
    )
    async def callback(self, request: Request, query: CallbackQuery) -> Response:
        """End a login with what the browser brought back from the provider."""
        try:
            config, flow, role = await self._pending(request, query.state)
        except InvalidRequest as error:
            if "text/html" not in (request.headers("accept") or ""):
                raise
            # somebody looks at a browser
            flow_before = await FLOWS.find(request, query.state)
            if flow_before is not None and flow_before.identified is not None:
                return ended_page()
            return failed_page(" ".join(error.messages))
        if flow.mode != "direct":
            _check_client(flow, query.client_nonce)
            return await self._given_token(request, config, flow, role, query)
        if not (role.oidc_disable_confirmation or query.confirmation or query.error):
            return confirmation_page(flow, query.code)
        return await self._kept_for_poll(request, config, flow, role, query)

    @endpoint(
        "oidc/callback",
        Operation.UPDATE,
        operation_id="jwt-oidc-callback-form-post",
        unauthenticated=True,
    )
    async def form_post(self, request: Request, body: CallbackForm) -> Response:
        """Take what the provider has the browser post (OAuth 2.0 Form Post Response Mode).

        It is kept until 'oidc/callback' is read, which ends the login.
        """
        config = await configuration(request)
        if config.oidc_response_mode != "form_post":
            raise UnsupportedOperation
        try:
            config, flow, role = await self._pending(request, body.state)
            if flow.mode != "direct":
                _check_forwarded(flow, body)
            if not body.error:
                flow = await self._with_posted(request, config, flow, role, body)
        except RequestError as error:
            return failed_page(" ".join(error.messages), error.status)
        if flow.mode != "direct":
            return handed_over_page()
        if not (role.oidc_disable_confirmation or body.error):
            return confirmation_page(flow, NO_CODE, flow.confirmation)
        body.code, body.confirmation = NO_CODE, flow.confirmation
        return await self._kept_for_poll(request, config, flow, role, body)

    @endpoint(
        "oidc/poll", Operation.UPDATE, operation_id="oidc-write-oidc-poll", unauthenticated=True
    )
    async def poll(self, request: Request, body: PollBody) -> Response:
        """Ask whether a login has ended that goes on elsewhere.

        Until then the answer is the error 'authorization_pending', or 'slow_down' when this is
        asked too often.
        """
        config, flow, role = await self._pending(request, body.state, ended=True)
        _check_client(flow, body.client_nonce)
        if flow.mode == "client":
            raise InvalidRequest(EXPIRED)
        if flow.mode == "device":
            return await self._device_asked(request, config, flow, role)
        if flow.failure:
            FLOWS.end(request.storage, flow)
            return refusal(flow.failure)
        if flow.identified is None:
            raise InvalidRequest("authorization_pending")
        if not hmac.compare_digest(flow.role_digest, _digest(role)):
            FLOWS.end(request.storage, flow)
            return refusal(f"{FAILED} Role has changed; log in again.")
        response = grant_of(request, role.name, role, flow.identified)
        FLOWS.end(request.storage, flow)
        return response

    async def _device_asked(
        self, request: Request, config: Config, flow: Flow, role: Role
    ) -> Response:
        """What the provider says of a device. It is asked once in an interval; a poll that comes
        sooner writes nothing, each other one its time."""
        check_address(request, role)
        try:
            tokens = await request.once(
                f"tokens {config.written}",
                lambda: self._asked_in_time(config, flow, request.time),
            )
            found = await self._identifying.identified(request, config, role, flow, tokens)
        except _TooSoon:
            raise InvalidRequest(SLOW_DOWN) from None
        except ProviderRefused as error:
            if error.code not in PENDING:
                FLOWS.end(request.storage, flow)
                return refusal(f"authorization failed: {error.code}")
            why = error.code
        except OutgoingFailed as error:
            why = " ".join(unreachable(error).messages)
        except InvalidRequest as error:
            why = " ".join(error.messages)
        else:
            FLOWS.end(request.storage, flow)
            return grant_of(request, role.name, role, found)
        FLOWS.save(request.storage, msgspec.structs.replace(flow, polled=request.time))
        return refusal(why)

    async def _asked_in_time(self, config: Config, flow: Flow, now: float) -> Tokens:
        """The tokens of a device. Raises `_TooSoon`, and what `Provider.device_tokens` does."""
        if 0 <= now - flow.polled < flow.interval - _TOLERANCE or flow.state in self._polling:
            raise _TooSoon
        self._polling.add(flow.state)
        try:
            return await self._provider.device_tokens(config, flow.device_code)
        finally:
            self._polling.discard(flow.state)

    async def _pending(
        self, request: Request, state: str, *, ended: bool = False
    ) -> tuple[Config, Flow, Role]:
        """The login with this state, as long as configuration and role are what it began with;
        `ended` is whether it may have succeeded or failed already."""
        config = await configuration(request)
        flow = await FLOWS.find(request, state)
        if flow is None or flow.written != config.written:
            raise InvalidRequest(EXPIRED)
        if not ended and (flow.identified is not None or flow.failure or flow.mode == "device"):
            raise InvalidRequest(EXPIRED)
        role = await role_of(request.storage, flow.role)
        if role is None or role.callback_mode != flow.mode:
            raise InvalidRequest(f"{FAILED} Role could not be found")
        return config, flow, role

    async def _with_posted(
        self, request: Request, config: Config, flow: Flow, role: Role, body: CallbackForm
    ) -> Flow:
        """`flow` with what was posted, stored. An ID token is checked before: strangers store none.

        Whoever posts the same again, as a page does that is loaded again, gets the same answer:
        nobody else has it from the provider. Something else takes its place where the server itself
        takes the browser back, with a confirmation of its own: whoever has only seen the state must
        not keep others out.
        """
        if stored := flow.code or flow.id_token:
            given = body.code if flow.code else body.id_token
            if hmac.compare_digest(stored.encode(), given.encode()):
                return flow
            if flow.mode != "direct":
                raise InvalidRequest(EXPIRED)
        if flow.verifier and body.code:
            if len(body.code) > LONGEST_CODE:
                raise InvalidRequest(f"{FAILED} The code is too long.")
            flow = msgspec.structs.replace(flow, code=body.code)
        elif not flow.verifier and body.id_token:
            await self._identifying.checked_token(request, config, role, flow, body.id_token)
            flow = msgspec.structs.replace(flow, id_token=body.id_token)
        else:
            raise InvalidRequest(f"{FAILED} No code or id_token received.")
        flow = msgspec.structs.replace(flow, confirmation=new_secret())
        FLOWS.save(request.storage, flow)
        return flow

    async def _given_token(
        self, request: Request, config: Config, flow: Flow, role: Role, query: CallbackQuery
    ) -> Response:
        """The token for whoever has logged in. The login is over when it succeeds, and when the
        provider says that it failed; else it can be tried again."""
        if query.error:
            FLOWS.end(request.storage, flow)
            return refusal(f"{FAILED} {_told(query.error)}")
        check_address(request, role)
        tokens = await self._tokens(request, config, flow, query)
        found = await self._identifying.identified(request, config, role, flow, tokens)
        FLOWS.end(request.storage, flow)
        return grant_of(request, role.name, role, found)

    async def _kept_for_poll(
        self, request: Request, config: Config, flow: Flow, role: Role, query: CallbackQuery
    ) -> Response:
        """A page; how the login ended is kept for the program that began it.

        It has failed when whoever came back has proved to come from the provider, by a code that was
        good, or by the confirmation of what was posted. Else the login stays open, since anybody who
        has seen its state could end it.
        """
        tokens: Tokens | None = None
        try:
            if query.error:
                raise InvalidRequest(f"{FAILED} {_told(query.error)}")
            check_address(request, role)
            _check_confirmation(flow, query)
            tokens = await self._tokens(request, config, flow, query)
            found = await self._identifying.identified(request, config, role, flow, tokens)
        except RequestError as error:
            why = " ".join(error.messages)
            if tokens is not None:
                FLOWS.save(request.storage, _ended(flow, failure=why or FAILED))
            return failed_page(why, error.status)
        FLOWS.save(
            request.storage,
            msgspec.structs.replace(_ended(flow), identified=found, role_digest=_digest(role)),
        )
        return done_page()

    async def _tokens(
        self, request: Request, config: Config, flow: Flow, query: CallbackQuery
    ) -> Tokens:
        if query.iss and query.iss != config.oidc_discovery_url:
            raise InvalidRequest(f"{FAILED} The answer comes from another provider (iss).")
        if not flow.verifier:
            if not flow.id_token:
                raise InvalidRequest(f"{FAILED} No code or id_token received.")
            return Tokens(id_token=flow.id_token)
        code = flow.code if query.code == NO_CODE else query.code
        if not code:
            raise InvalidRequest(f"{FAILED} No code or id_token received.")
        try:
            return await request.once(
                f"tokens {config.written}", lambda: self._provider.exchanged(config, flow, code)
            )
        except ProviderRefused as error:
            raise InvalidRequest(f"{FAILED} Error exchanging oidc code: {error.code}") from None
        except OutgoingFailed as error:
            raise unreachable(error) from None


def _ended(flow: Flow, failure: str = "") -> Flow:
    """The login without what is not needed any more."""
    return msgspec.structs.replace(
        flow,
        failure=failure,
        nonce="",
        verifier="",
        code="",
        id_token="",
        redirect_uri="",
        confirmation="",
    )


def _digest(role: Role) -> bytes:
    return hashlib.blake2b(ROLE.encode(role), digest_size=32).digest()


def _check_client(flow: Flow, client_nonce: str) -> None:
    """Raises `InvalidRequest` unless this is the program that began the login."""
    if flow.client_nonce and not hmac.compare_digest(
        flow.client_nonce.encode(), client_nonce.encode()
    ):
        raise InvalidRequest("invalid client_nonce")


def _check_forwarded(flow: Flow, form: CallbackForm) -> None:
    """Raises `InvalidRequest` unless the program that began the login forwards what it was posted.

    A browser that posts here by itself, since the redirect URI is this server's, may be that of
    somebody who was sent a link; whoever began the login would take what it stores.
    """
    if not flow.client_nonce:
        raise InvalidRequest(f"{FAILED} A login with form_post has to begin with a client_nonce.")
    if not hmac.compare_digest(flow.client_nonce.encode(), form.client_nonce.encode()):
        raise InvalidRequest(
            f"{FAILED} The form did not come by the program that began the login (client_nonce)."
        )


def _check_confirmation(flow: Flow, query: CallbackQuery) -> None:
    """Raises `InvalidRequest` unless what was posted is used by the browser that posted it: its state
    alone is known to whoever began the login, who may be somebody that sends links to others."""
    if flow.verifier and query.code != NO_CODE:
        return  # the code has not been posted: whoever has it comes from the provider
    if not flow.confirmation or not hmac.compare_digest(
        flow.confirmation.encode(), query.confirmation.encode()
    ):
        raise InvalidRequest(f"{FAILED} It was not confirmed on the page that asked for it.")


def _told(error: str) -> str:
    error = error.strip().lower()
    return error if error in _TOLD_ERRORS else "The provider refused, for an unknown reason."
