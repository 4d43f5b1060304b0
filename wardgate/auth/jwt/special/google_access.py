"""Access to Google's APIs as a service account: from a key, or from what the machine itself is.

In order: the key that is configured; the service account that is to be impersonated
(``impersonate_principal``), by the rights that the machine has; the machine's own account. What the
machine has is found as in Google's libraries (https://google.aip.dev/auth/4110): the key file that
GOOGLE_APPLICATION_CREDENTIALS names, else the metadata server, whose place GCE_METADATA_HOST may say.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from wardgate.core.core import Core
from wardgate.core.outgoing import Answer, OutgoingFailed
from wardgate.core.single_flight import SingleFlight

SCOPES = (
    "https://www.googleapis.com/auth/admin.directory.group.readonly",
    "https://www.googleapis.com/auth/admin.directory.user.readonly",
)
_CLOUD = "https://www.googleapis.com/auth/cloud-platform"
_TOKENS = "https://oauth2.googleapis.com/token"
_IAM = "https://iamcredentials.googleapis.com"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFE = 3600  # seconds, the longest that Google takes
_SPARE = 60.0  # seconds before its end in which a token is not used any more
_FINE = 200
_LONGEST_KEY = 64 * 1024  # bytes of a key file


class Key(msgspec.Struct, frozen=True):
    """The key of a service account, as its file has it."""

    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = _TOKENS


class GoogleAccess:
    """Access tokens for one configuration, kept while they are good."""

    def __init__(self, core: Core, settings: Mapping[str, Any]) -> None:
        """`settings` are those of provider_config."""
        self._core = core
        self._service_account = _text(settings, "gsuite_service_account")
        self._admin = _text(settings, "gsuite_admin_impersonate")
        self._principal = _text(settings, "impersonate_principal")
        self._iam = _text(settings, "iam_endpoint").rstrip("/") or _IAM
        self._tokens = _text(settings, "token_endpoint") or _TOKENS
        self._token = ""
        self._since = self._until = 0.0
        self._asking: SingleFlight[None] = SingleFlight()

    async def check(self) -> None:
        """Raises `OutgoingFailed` when there is a key, and it is none."""
        if self._service_account:
            await asyncio.to_thread(_read_key, self._service_account)

    async def token(self) -> str:
        """An access token for the directory; those who need a new one at the same time wait for the
        same. One from before the clock was set back is not used: nobody knows its age. Raises
        `OutgoingFailed`."""
        if not self._token or not self._since <= self._core.clock.now() < self._until - _SPARE:
            await self._asking.begin(self._ask_anew)
        return self._token

    async def _ask_anew(self) -> None:
        now = self._core.clock.now()
        self._token, seconds = await self._new()
        self._since, self._until = now, now + seconds

    async def _new(self) -> tuple[str, float]:
        if self._service_account:
            key = await asyncio.to_thread(_read_key, self._service_account)
            return await self._by_key(key, SCOPES, self._admin)
        if self._principal:
            token, _ = await self._of_machine((_CLOUD,))
            return await self._impersonated(token)
        return await self._of_machine(SCOPES)

    async def _of_machine(self, scopes: tuple[str, ...]) -> tuple[str, float]:
        path = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
        if path:
            return await self._by_key(await asyncio.to_thread(_read_key, path), scopes, "")
        host = os.environ.get("GCE_METADATA_HOST") or "metadata.google.internal"
        answer = await self._core.outgoing.send(
            "GET",
            f"http://{host}/computeMetadata/v1/instance/service-accounts/default/token"
            f"?scopes={','.join(scopes)}",
            headers={"Metadata-Flavor": "Google"},
        )
        return _granted(answer)

    async def _by_key(self, key: Key, scopes: tuple[str, ...], subject: str) -> tuple[str, float]:
        claims = self._claims(key.client_email, key.token_uri, scopes, subject)
        assertion = await asyncio.to_thread(_signed, key, claims)
        return await self._exchanged(key.token_uri, assertion)

    async def _impersonated(self, token: str) -> tuple[str, float]:
        """A token of the principal; in the name of the administrator, if there is one."""
        account = f"{self._iam}/v1/projects/-/serviceAccounts/{self._principal}"
        headers = {"Authorization": f"Bearer {token}"}
        if not self._admin:
            answer = await self._core.outgoing.send(
                "POST",
                f"{account}:generateAccessToken",
                headers=headers,
                json={"scope": SCOPES, "lifetime": f"{_LIFE}s"},
            )
            return _member(answer, "accessToken"), _LIFE
        claims = self._claims(self._principal, self._tokens, SCOPES, self._admin)
        answer = await self._core.outgoing.send(
            "POST",
            f"{account}:signJwt",
            headers=headers,
            json={"payload": msgspec.json.encode(claims).decode()},
        )
        return await self._exchanged(self._tokens, _member(answer, "signedJwt"))

    def _claims(
        self, issuer: str, audience: str, scopes: tuple[str, ...], subject: str
    ) -> dict[str, Any]:
        now = int(self._core.clock.now())
        claims = {
            "iss": issuer,
            "aud": audience,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + _LIFE,
        }
        return {**claims, **({"sub": subject} if subject else {})}

    async def _exchanged(self, url: str, assertion: str) -> tuple[str, float]:
        form = {"grant_type": _GRANT, "assertion": assertion}
        return _granted(await self._core.outgoing.send("POST", url, form=form))


def _read_key(given: str) -> Key:
    """The key in `given`, which is JSON or the path of a file with it."""
    try:
        if not given.lstrip().startswith("{"):
            with Path(given).open("rb") as file:
                given = file.read(_LONGEST_KEY).decode()
        key = msgspec.json.decode(given, type=Key)
        RSAKey.import_key(key.private_key)
        return key
    except OSError as error:
        raise OutgoingFailed(
            f"the service account's key file cannot be read: {error.strerror}"
        ) from None
    except (ValueError, TypeError, JoseError, msgspec.MsgspecError):
        raise OutgoingFailed("the service account's key is not one of Google's in JSON") from None


def _signed(key: Key, claims: dict[str, Any]) -> str:
    header = {"alg": "RS256", "typ": "JWT"}
    if key.private_key_id:
        header["kid"] = key.private_key_id
    private = RSAKey.import_key(key.private_key)
    return jwt.encode(header, claims, private, algorithms=["RS256"])


def _granted(answer: Answer) -> tuple[str, float]:
    token = _member(answer, "access_token")
    seconds = answer.json().get("expires_in")
    return token, float(seconds) if isinstance(seconds, int | float) else 0.0


def _member(answer: Answer, name: str) -> str:
    if answer.status != _FINE:
        raise OutgoingFailed(f"Google gave no access: status {answer.status}")
    found = answer.json()
    value = found.get(name) if isinstance(found, dict) else None
    if not isinstance(value, str) or not value:
        raise OutgoingFailed("Google gave no access: the answer has no token")
    return value


def _text(settings: Mapping[str, Any], name: str) -> str:
    value = settings.get(name)
    return value if isinstance(value, str) else ""
