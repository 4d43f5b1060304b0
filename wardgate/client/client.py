"""Requests to a Vault-compatible server over HTTP(S) or a unix socket.

Nothing is retried: most requests change something, and a caller knows better than a client which
of them may be sent twice.
"""

import os
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from wardgate.client import wire
from wardgate.client.environment import DEFAULT_TIMEOUT
from wardgate.client.failures import ApiError, ConnectionFailed, Misconfigured
from wardgate.client.reply import JsonObject, Reply
from wardgate.client.tls import Tls

MERGE_PATCH = "application/merge-patch+json"  # RFC 7396, what Vault's PATCH endpoints take
_REDIRECTS = frozenset({301, 302, 307, 308})
_SHOWN_TEXT = 300
_KEPT = 2.0
"""Seconds for which a connection is used again: less than servers and proxies leave it idle. One that
they have closed meanwhile breaks, and nobody can say then whether what was sent has arrived."""


class Client:
    """One server, one token, one namespace; many requests over kept connections.

    `address` is ``https://host:port``, ``http://…`` or ``unix:///path``; `timeout` is in seconds
    and covers a whole request. Close it, or use it as an async context manager. Raises
    `Misconfigured` when an argument cannot be used.
    """

    def __init__(
        self,
        address: str,
        token: str | None = None,
        namespace: str | None = None,
        *,
        tls: Tls | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._base, self._socket = _base(address)
        self.address = address
        self._tls = tls or Tls()
        self._timeout = timeout
        self._headers = {"X-Vault-Request": "true", **(headers or {})}
        if namespace:
            self._headers["X-Vault-Namespace"] = namespace
        if token:
            if not (token.isascii() and token.isprintable()):
                raise Misconfigured("the token has characters that no token can have")
            self._headers["X-Vault-Token"] = token
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def read(self, path: str, params: Mapping[str, str] | None = None) -> Reply:
        return await self.request("GET", path, params=params)

    async def list(self, path: str, params: Mapping[str, str] | None = None) -> Reply:
        return await self.request("LIST", path, params=params)

    async def write(self, path: str, body: JsonObject | None = None) -> Reply:
        return await self.request("POST", path, body)

    async def patch(self, path: str, body: JsonObject) -> Reply:
        return await self.request("PATCH", path, body)

    async def delete(self, path: str, params: Mapping[str, str] | None = None) -> Reply:
        return await self.request("DELETE", path, params=params)

    async def request(
        self,
        method: str,
        path: str,
        body: JsonObject | None = None,
        params: Mapping[str, str] | None = None,
        *,
        wrap_ttl: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request to ``/v1/<path>`` and return the answer to it.

        `path` is taken literally: a space, ``%`` or ``?`` in it is part of the name. `wrap_ttl`
        (such as ``60`` or ``5m``) asks for the answer to be wrapped. Raises `ApiError` and
        `ConnectionFailed`.
        """
        sent = {**self._headers, **(headers or {})}
        if wrap_ttl:
            sent["X-Vault-Wrap-TTL"] = wrap_ttl
        if body is not None:
            sent["Content-Type"] = MERGE_PATCH if method == "PATCH" else "application/json"
        payload = None if body is None else wire.encode(body).encode()
        url = URL(f"{self._base}/v1/{quote(path, safe='/')}", encoded=True)
        if params:
            url = url.with_query(params)
        try:
            reply, location = await self._send(method, url, payload, sent)
            if reply.status in _REDIRECTS and location:
                url = self._follow(method, url, location, reply)
                reply, location = await self._send(method, url, payload, sent)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ConnectionFailed(self._explain(error)) from error
        if reply.status >= 300:
            shown = str(url.with_query(None))
            said = reply.errors or _plain(reply)
            raise ApiError(
                reply.status, said, reply.warnings, method=method, url=shown, reply=reply
            )
        return reply

    async def _send(
        self, method: str, url: URL, payload: bytes | None, headers: Mapping[str, str]
    ) -> tuple[Reply, str | None]:
        session = self._opened()
        async with session.request(
            method,
            url,
            data=payload,
            headers=headers,
            allow_redirects=False,
            server_hostname=self._tls.server_name,
        ) as response:
            raw = await response.read()
            return _reply(response.status, raw), response.headers.get("Location")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector: aiohttp.BaseConnector
            if self._socket:
                connector = aiohttp.UnixConnector(path=self._socket, keepalive_timeout=_KEPT)
            elif self._base.startswith("https:"):
                connector = aiohttp.TCPConnector(ssl=self._tls.context(), keepalive_timeout=_KEPT)
            else:
                connector = aiohttp.TCPConnector(keepalive_timeout=_KEPT)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                cookie_jar=aiohttp.DummyCookieJar(),
                middlewares=(_sent_once,),
            )
        return self._session

    def _follow(self, method: str, url: URL, location: str, reply: Reply) -> URL:
        """Where a redirect leads, if that is still the server that may see the token."""
        target = url.join(URL(location, encoded=True))
        if target.origin() == url.origin():
            return target
        message = (
            f"the server points to {target.origin()}; the token is not sent to another server by "
            "itself: use that address if you trust it"
        )
        shown = str(url.with_query(None))
        raise ApiError(reply.status, (message,), method=method, url=shown, reply=reply)

    def _explain(self, error: Exception) -> str:
        where = self.address
        match error:
            case aiohttp.ClientConnectorCertificateError():
                return (
                    f"the certificate of {where} is not trusted: {error.certificate_error} (its "
                    "CA can be given with -ca-cert or VAULT_CACERT)"
                )
            case aiohttp.ClientConnectorDNSError():
                return f"{where}: the name of the host is not known"
            case aiohttp.ClientConnectorSSLError() | ssl.SSLError():
                return (
                    f"no TLS connection to {where}: {error} (a server without TLS has an "
                    "address that starts with http://)"
                )
            case TimeoutError():
                return f"{where} gave no answer within {self._timeout:g} seconds"
            case aiohttp.ClientConnectorError():
                number = error.os_error.errno
                reason = os.strerror(number) if number else str(error.os_error)
                return f"no connection to {where}: {reason.lower()}"
            case _:
                return f"the connection to {where} broke: {error or type(error).__name__}"


class _Broke(aiohttp.ClientError):
    """The connection broke before the answer came."""


async def _sent_once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """aiohttp would send a PUT or DELETE whose answer is lost again, as HTTP has it. But a PUT makes a
    secret id, or uses up one, and what was done once is done twice then, or refused."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise  # nothing was sent
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Broke(str(error) or type(error).__name__) from error


def _base(address: str) -> tuple[str, str | None]:
    """The base URL without a trailing slash, and the unix socket behind it, if there is one."""
    parts = urlsplit(address)
    if parts.scheme == "unix" and parts.path:
        return "http://localhost", parts.path
    try:
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username:
        raise Misconfigured(
            "the address must look like https://host:8200, http://host:8200 or unix:///path"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", None


def _reply(status: int, raw: bytes) -> Reply:
    try:
        body = wire.decode(raw) if raw.strip() else None
    except ValueError:
        body = None
    return Reply(status, body if isinstance(body, dict) else None, raw)


def _plain(reply: Reply) -> tuple[str, ...]:
    """What a proxy or a web server in between says, when it is short enough to be a message."""
    if reply.body is not None:
        return ()
    text = reply.raw.decode("utf-8", "replace").strip()
    return (text,) if text.isprintable() and 0 < len(text) <= _SHOWN_TEXT else ()
