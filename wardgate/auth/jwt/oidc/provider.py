"""What is asked of an OpenID provider in the course of a login (OpenID Connect Core 1.0).

Each request goes to an address that the provider's own configuration names; where the provider is
asked over TLS, so is everything else of it.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec

from wardgate.auth.jwt.asking import ask, discovered, is_address
from wardgate.auth.jwt.config import Config
from wardgate.auth.jwt.key_sets import AT_MOST_EVERY, FRESH
from wardgate.auth.jwt.oidc.flows import Flow
from wardgate.auth.jwt.roles import Role
from wardgate.core.core import Core
from wardgate.core.outgoing import Answer, OutgoingFailed
from wardgate.core.single_flight import SingleFlight

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SLOW_DOWN = "slow_down"
PENDING = ("authorization_pending", SLOW_DOWN)
"""The errors of RFC 8628, section 3.5, after which a device may ask again."""
_FINE, _TOO_MANY = 200, 429
_BROKEN = 500  # and above
_ERROR = re.compile("[A-Za-z0-9_]{1,64}")  # an error code that is repeated


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself, as far as logins need it. Empty where it has no such thing."""

    issuer: str
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    userinfo_endpoint: str = ""
    device_authorization_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What the token endpoint gives."""

    id_token: str
    access_token: str = ""
    refresh_token: str = ""


class DeviceCode(msgspec.Struct, frozen=True, kw_only=True):
    """What a device is told (RFC 8628, section 3.2). `interval` is in seconds."""

    device_code: str
    url: str
    """Where to go; with the code in it when `user_code` is empty."""
    user_code: str = ""
    interval: int = 0


class ProviderRefused(Exception):
    """The provider answered with an error; its code, as OAuth has it, is all that is told."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Asked:
    """What came of asking the provider about itself, with one configuration. `ended` is when, in
    seconds since the epoch."""

    def __init__(self, written: str) -> None:
        self.written = written
        self.ended = float("-inf")
        self.metadata: Metadata | None = None
        self.why = "it could not be asked"


class Provider:
    """The provider of one mount, as this process knows it."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._asked: _Asked | None = None
        self._discovering: SingleFlight[None] = SingleFlight()
        self._exchanging: SingleFlight[Tokens] = SingleFlight()

    async def metadata(self, config: Config) -> Metadata:
        """What the provider says of itself, kept for `FRESH` seconds. Raises `OutgoingFailed`.

        All who need it at the same time wait for the same answer, and after one that is of no use
        the provider is left alone for `AT_MOST_EVERY` seconds: strangers cannot make this ask more
        often. Only a configuration that was written anew is asked about at once.
        """
        asked = self._asked
        if asked is None or asked.written != config.written:
            asked = self._asked = _Asked(config.written)
        if not self._discovering.under_way(config.written):
            age = self._core.clock.now() - asked.ended
            if asked.metadata is not None and 0 <= age < FRESH:
                return asked.metadata
            if 0 <= age < AT_MOST_EVERY:
                raise OutgoingFailed(asked.why)
        await self._discovering.begin(lambda: self._discover(config, asked), config.written)
        if asked.metadata is None:
            raise OutgoingFailed(asked.why)
        return asked.metadata

    async def _discover(self, config: Config, asked: _Asked) -> None:
        asked.metadata = None
        try:
            document = await discovered(
                self._core,
                config.oidc_discovery_url,
                ca_pem=config.oidc_discovery_ca_pem,
                server_names=config.override_allowed_server_names,
            )
            asked.metadata = _metadata(document)
        except OutgoingFailed as error:
            asked.why = str(error)
        finally:
            asked.ended = self._core.clock.now()

    async def exchanged(self, config: Config, flow: Flow, code: str) -> Tokens:
        """The tokens for an authorization code. Raises `OutgoingFailed` and `ProviderRefused`.

        A code is good once, and a provider may take back the tokens of one that comes twice
        (RFC 6749, section 4.1.2): whoever clicks twice waits for the same answer.
        """
        return await self._exchanging.begin(
            lambda: self._exchange(config, flow, code), (config.written, flow.state, code)
        )

    async def _exchange(self, config: Config, flow: Flow, code: str) -> Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": flow.redirect_uri,
            "code_verifier": flow.verifier,
        }
        return await self._tokens(config, form)

    async def device_tokens(self, config: Config, device_code: str) -> Tokens:
        """The tokens of a device whose user has agreed; before that, `ProviderRefused` with one of
        `PENDING`. Raises `OutgoingFailed`, too."""
        return await self._tokens(config, {"grant_type": DEVICE_GRANT, "device_code": device_code})

    async def device_code(self, config: Config, role: Role) -> DeviceCode:
        """Begin a login of a device. Raises `OutgoingFailed` and `ProviderRefused`."""
        metadata = await self.metadata(config)
        form = {"scope": scope_of(role)}
        answer = await self._authenticated(
            config, metadata, metadata.device_authorization_endpoint, form
        )
        return _device_code(_object(answer))

    async def user_info(self, config: Config, access_token: str) -> Answer | None:
        """What the userinfo endpoint answers; None when the provider has none. Raises
        `OutgoingFailed`."""
        metadata = await self.metadata(config)
        if not metadata.userinfo_endpoint or not access_token:
            return None
        return await ask(
            self._core,
            "GET",
            metadata.userinfo_endpoint,
            ca_pem=config.oidc_discovery_ca_pem,
            server_names=config.override_allowed_server_names,
            headers={"Authorization": f"Bearer {access_token}"},
        )

    async def _tokens(self, config: Config, form: Mapping[str, str]) -> Tokens:
        metadata = await self.metadata(config)
        answer = await self._authenticated(config, metadata, metadata.token_endpoint, form)
        found = _object(answer)
        id_token = found.get("id_token")
        if not isinstance(id_token, str):
            raise OutgoingFailed("its answer has no id_token; the scope openid was asked for")
        rest = {
            name: value
            for name in ("access_token", "refresh_token")
            if isinstance(value := found.get(name), str)
        }
        return Tokens(id_token=id_token, **rest)

    async def _authenticated(
        self, config: Config, metadata: Metadata, url: str, form: Mapping[str, str]
    ) -> Answer:
        """The answer to a form that is sent as this client, in the way that the provider knows."""
        if not url:
            raise OutgoingFailed("it has no endpoint for this")
        headers: dict[str, str] = {}
        if "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            headers["Authorization"] = _basic(config)
            form = {**form, "client_id": config.oidc_client_id}
        else:
            form = {**form, **_posted(config)}
        answer = await self._send(config, url, form, headers)
        if headers and _error(answer) == "invalid_client":
            # registered for the other way, which the metadata of a whole provider cannot say
            answer = await self._send(config, url, {**form, **_posted(config)}, {})
        if answer.status == _FINE:
            return answer
        error = _error(answer)
        if not error and (answer.status >= _BROKEN or answer.status == _TOO_MANY):
            raise OutgoingFailed(
                f"the answer has status {answer.status}"
            )  # it said neither yes nor no
        raise ProviderRefused(error or f"status {answer.status}")

    async def _send(
        self, config: Config, url: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> Answer:
        return await ask(
            self._core,
            "POST",
            url,
            ca_pem=config.oidc_discovery_ca_pem,
            server_names=config.override_allowed_server_names,
            headers={"Accept": "application/json", **headers},
            form=form,
        )


def authorization_url(config: Config, metadata: Metadata, role: Role, flow: Flow) -> str:
    """Where a browser goes to log in (OpenID Connect Core 1.0, section 3.1.2.1)."""
    query = {
        "client_id": config.oidc_client_id,
        "nonce": flow.nonce,
        "redirect_uri": flow.redirect_uri,
        "response_type": "code",
        "scope": scope_of(role),
        "state": flow.state,
    }
    if flow.verifier:
        digest = hashlib.sha256(flow.verifier.encode()).digest()
        query["code_challenge"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        query["code_challenge_method"] = "S256"
    else:
        query["response_type"] = "id_token"
    if config.oidc_response_mode == "form_post":
        query["response_mode"] = "form_post"
    if role.max_age > 0:
        query["max_age"] = str(role.max_age)
    endpoint = metadata.authorization_endpoint
    joined = "&" if urlsplit(endpoint).query else "?"
    return f"{endpoint}{joined}{urlencode(sorted(query.items()))}"


def scope_of(role: Role) -> str:
    """What is asked for: ``openid``, and what the role adds."""
    return " ".join(dict.fromkeys(("openid", *(role.oidc_scopes or ()))))


def _metadata(document: dict[str, Any]) -> Metadata:
    secure = urlsplit(document["issuer"]).scheme == "https"
    known = {
        name: document[name]
        for name in Metadata.__struct_fields__
        if document.get(name) not in (None, "")
    }
    try:
        metadata = msgspec.convert(known, Metadata)
    except msgspec.ValidationError:
        raise OutgoingFailed("the provider's configuration has values of the wrong kind") from None
    for name in Metadata.__struct_fields__:
        if not name.endswith("_endpoint") or not (url := getattr(metadata, name)):
            continue
        if not is_address(url):
            raise OutgoingFailed(f"the provider's {name} is no http or https address")
        if secure and urlsplit(url).scheme != "https":
            raise OutgoingFailed(f"the provider's {name} is not https, as its own address is")
    return metadata


def _device_code(found: dict[str, Any]) -> DeviceCode:
    def text(*names: str) -> str:
        return next((value for n in names if isinstance(value := found.get(n), str) and value), "")

    # the names with "url" are those of providers older than the standard
    complete = text("verification_uri_complete", "verification_url_complete")
    url = complete or text("verification_uri", "verification_url")
    device_code, interval = text("device_code"), found.get("interval")
    if not device_code or not url:
        raise OutgoingFailed("its answer has no device_code, or no verification_uri")
    # people's terminals show these
    if not is_address(url):
        raise OutgoingFailed("its verification_uri is no address of a page")
    user_code = "" if complete else text("user_code")
    if not user_code.isprintable():
        raise OutgoingFailed("its user_code cannot be shown")
    if isinstance(interval, bool) or not isinstance(interval, int) or not 0 < interval < 3600:
        interval = 0
    return DeviceCode(
        device_code=device_code,
        url=url,
        user_code=user_code,
        interval=interval,
    )


def _basic(config: Config) -> str:
    """As RFC 6749, section 2.3.1, has it: both parts are encoded as in a form first."""
    parts = (quote_plus(config.oidc_client_id), quote_plus(config.oidc_client_secret))
    return "Basic " + base64.b64encode(":".join(parts).encode()).decode()


def _posted(config: Config) -> dict[str, str]:
    return {"client_id": config.oidc_client_id, "client_secret": config.oidc_client_secret}


def _object(answer: Answer) -> dict[str, Any]:
    found = answer.json()
    if not isinstance(found, dict):
        raise OutgoingFailed("its answer is no JSON object")
    return found


def _error(answer: Answer) -> str:
    """The error code of an answer, if it is one that can be shown (RFC 6749, section 5.2)."""
    if answer.status == _FINE:
        return ""
    try:
        error = _object(answer).get("error")
    except OutgoingFailed:
        return ""
    return error if isinstance(error, str) and _ERROR.fullmatch(error) else ""
