"""Requests that the server itself sends: to key sets, identity providers, the APIs of clusters.

One `Outgoing` serves a whole process. Connections are kept, answers are bounded in size and time,
redirects are not followed unless that was asked for, and a failure says in plain words what went
wrong, never what was sent.
"""

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

from wardgate.errors import InvalidRequest

if TYPE_CHECKING:
    import aiohttp

TIMEOUT = 10.0
"""Seconds for a whole request, unless the caller says another time."""
MOST_BYTES = 1024 * 1024
"""How long an answer may be, unless the caller says so."""
_REDIRECTS = 5
_REDIRECTED = (301, 302, 303, 307, 308)
_CONNECTIONS = 50  # to one host
_CHUNK = 64 * 1024


class OutgoingFailed(Exception):
    """There is no answer; the text says why, for people. It names no address: callers know which
    of theirs it was, and their callers may not be meant to."""


class UntrustedServer(OutgoingFailed):
    """Its certificate is not good: not of a trusted authority, expired, or made for another name."""


class Answer(msgspec.Struct, frozen=True):
    """What came back, whatever its status. Names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body; `OutgoingFailed` when it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise OutgoingFailed(f"the answer (status {self.status}) is not JSON") from None


@lru_cache(maxsize=64)
def trust(ca_pem: str = "") -> ssl.SSLContext:
    """The certificates to trust: those in `ca_pem`, PEM text, or the system's where it is empty.

    Raises `ValueError` when the text has no certificate. Making one takes milliseconds, so they are
    kept, and connections are shared by those who trust the same.
    """
    try:
        return ssl.create_default_context(cadata=ca_pem or None)
    except (ssl.SSLError, ValueError, TypeError):  # a TypeError is of text that is not ASCII
        raise ValueError("no usable certificate in PEM") from None


def checked_ca(field: str, ca_pem: str) -> str:
    """`ca_pem` as it is, for a configuration; `InvalidRequest` names `field` when it is unusable."""
    try:
        trust(ca_pem)
    except ValueError:
        raise InvalidRequest(f"{field}: expected one or more certificates in PEM") from None
    return ca_pem


class Outgoing:
    """Sends requests for one process. Use it from one event loop, and close it in the end."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        ca_pem: str = "",
        server_name: str = "",
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        follow: bool = False,
        timeout: float = TIMEOUT,
        most_bytes: int = MOST_BYTES,
    ) -> Answer:
        """Send one request and read the whole answer.

        `json` or `form` is the body. `server_name` is the name that the certificate must be made
        for, where it is another one than the URL's host. `follow` is for GET requests that carry no
        credentials: redirects are followed, a few of them, but never from https to http. `timeout`
        is for all together. Raises `OutgoingFailed`.
        """
        import aiohttp  # takes 0.2 s, which servers that ask nobody need not spend

        body = None if json is None else msgspec.json.encode(json)
        sent = {**({} if body is None else {"Content-Type": "application/json"}), **(headers or {})}
        request = {
            "headers": sent,
            "data": form if body is None else body,
            "ssl": trust(ca_pem),
            "server_hostname": server_name or None,
            "timeout": aiohttp.ClientTimeout(total=None),
        }
        try:
            async with asyncio.timeout(timeout):
                for _ in range(1 + _REDIRECTS):
                    answer = await self._answer(method, url, most_bytes, request)
                    location = answer.headers.get("location")
                    if not (follow and location and answer.status in _REDIRECTED):
                        return answer
                    url = _next_address(url, location)
                raise OutgoingFailed("it redirects too often")
        except TimeoutError:
            raise OutgoingFailed(f"no answer within {timeout:g} s") from None
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError):
            raise UntrustedServer(
                "TLS failed: is its certificate one of a trusted CA, and made for this name?"
            ) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise OutgoingFailed(_reason(error)) from None

    async def _answer(
        self, method: str, url: str, most_bytes: int, request: Mapping[str, Any]
    ) -> Answer:
        """The answer of one server, which may be a redirect; `request` is in aiohttp's words."""
        async with self._opened().request(
            method, url, allow_redirects=False, proxy=_proxy(url), **request
        ) as response:
            received = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                received += chunk
                if len(received) > most_bytes:
                    raise OutgoingFailed(f"the answer is longer than {most_bytes} bytes")
            found = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, found, bytes(received))

    def _opened(self) -> "aiohttp.ClientSession":
        import aiohttp

        if self._session is None:
            # who does not answer must hold up nobody but those who ask the same
            connector = aiohttp.TCPConnector(limit=0, limit_per_host=_CONNECTIONS)
            # cookies of one provider are no business of another one
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    async def close(self) -> None:
        """Let go of all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _next_address(url: str, location: str) -> str:
    """Where a redirect leads; `OutgoingFailed` when it leaves TLS, by which the first address was
    trusted. (aiohttp's own way follows those.)"""
    following = urljoin(url, location)
    if urlsplit(url).scheme == "https" and urlsplit(following).scheme != "https":
        raise OutgoingFailed("it redirects from https to an address that is not https")
    return following


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for `url`, as HTTPS_PROXY and NO_PROXY have it.
    (aiohttp's own way to find it would read passwords from ~/.netrc, too.)"""
    proxies = getproxies()
    if not proxies:
        return None
    parts = urlsplit(url)
    return None if proxy_bypass(parts.netloc) else proxies.get(parts.scheme)


def _reason(error: Exception) -> str:
    """What went wrong, without the address and whatever else the text of an error may hold."""
    import aiohttp

    match error:
        case aiohttp.ClientConnectorDNSError():
            return "its name cannot be resolved"
        case aiohttp.ClientConnectorError():
            return "the connection was refused or could not be made"
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return "its address is not an http or https URL"
        case _:
            return "the connection broke, or what came back is not HTTP"
