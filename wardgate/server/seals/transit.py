"""``seal "transit"``: the root key is encrypted by the transit engine of another server.

Each use is a request to that server, which therefore has to be there when this one starts; while
this one is unsealed it needs it only for its recovery key.
"""

import asyncio
import base64
import binascii
import logging
import re
from typing import Any

from wardgate.barrier.auto_seal import Wrapped
from wardgate.barrier.errors import SealFailed
from wardgate.client.client import Client
from wardgate.client.failures import ApiError, ConnectionFailed, Misconfigured
from wardgate.client.reply import Reply
from wardgate.client.tls import Tls
from wardgate.server.document import ConfigError
from wardgate.server.seals.config import TransitSeal

TIMEOUT = 10.0  # seconds for one request
RETRY = 10.0  # seconds until a renewal that failed is tried again
SHORTEST = 1.0  # seconds between two renewals

_VERSION = re.compile(r"[a-z]+:(v[0-9]+):")

_log = logging.getLogger("wardgate.seal")


class TransitWrapper:
    """Asks another server to encrypt and decrypt; keeps its own token there alive."""

    type = "transit"

    def __init__(self, seal: TransitSeal) -> None:
        """Nothing is sent yet. Raises `ConfigError`."""
        tls = Tls(
            ca_cert=seal.tls_ca_cert,
            client_cert=seal.tls_client_cert,
            client_key=seal.tls_client_key,
            server_name=seal.tls_server_name,
            skip_verify=seal.tls_skip_verify,
        )
        try:
            if seal.address.startswith("https:"):
                tls.context()
            self._client = Client(
                seal.address, seal.token, seal.namespace.strip("/"), tls=tls, timeout=TIMEOUT
            )
        except Misconfigured as error:
            raise ConfigError(str(error), seal.place, 'seal "transit"') from None
        self._mount = seal.mount_path.strip("/")
        self._key = seal.key_name
        self._prefix = seal.key_id_prefix
        self._renews = not seal.disable_renewal

    async def wrap(self, plaintext: bytes) -> Wrapped:
        body = {"plaintext": base64.b64encode(plaintext).decode()}
        ciphertext = await self._ask("encrypt", body, "ciphertext")
        version = _VERSION.match(ciphertext)
        if version is None:
            raise SealFailed(f"{self._where} gave an answer that is no ciphertext")
        return Wrapped(self._prefix + version[1], ciphertext.encode())

    async def unwrap(self, wrapped: Wrapped) -> bytes:
        body = {"ciphertext": wrapped.ciphertext.decode("utf-8", "replace")}
        plaintext = await self._ask("decrypt", body, "plaintext")
        try:
            return base64.b64decode(plaintext, validate=True)
        except (binascii.Error, ValueError):
            raise SealFailed(f"{self._where} gave an answer that is no plaintext") from None

    async def close(self) -> None:
        await self._client.close()

    async def maintain(self) -> None:
        """Renew the token for as long as it can be renewed."""
        if not self._renews:
            return
        try:
            delay = await self._first_renewal()
            while delay is not None:
                await asyncio.sleep(delay)
                delay = await self._renewal()
        except ApiError as error:
            _log.warning(
                "the token for %s cannot be renewed (%s) and will end; give it the default policy "
                "and a period, or set disable_renewal",
                self._where,
                _said(error),
            )

    @property
    def _where(self) -> str:
        return f"the transit server {self._client.address}"

    async def _ask(self, operation: str, body: dict[str, Any], field: str) -> str:
        path = f"{self._mount}/{operation}/{self._key}"
        try:
            reply = await self._client.write(path, body)
        except ApiError as error:
            raise SealFailed(f"{self._where} refuses {path}: {_said(error)}") from None
        except (ConnectionFailed, Misconfigured) as error:
            raise SealFailed(f"{self._where} cannot be asked: {error}") from None
        text = (reply.data or {}).get(field)
        if not isinstance(text, str):
            raise SealFailed(f"{self._where} gave no {field} for {path}")
        return text

    async def _first_renewal(self) -> float | None:
        """Seconds until the token should be renewed; None for one that never ends."""
        reply = await self._patiently("GET", "auth/token/lookup-self")
        if not (reply.data or {}).get("ttl"):
            return None
        return await self._renewal()

    async def _renewal(self) -> float | None:
        reply = await self._patiently("POST", "auth/token/renew-self")
        seconds = (reply.auth or {}).get("lease_duration")
        if not isinstance(seconds, int) or seconds <= 0:
            return None
        return max(seconds * 2 / 3, SHORTEST)

    async def _patiently(self, method: str, path: str) -> Reply:
        """The answer, however long the server is away for."""
        while True:
            try:
                return await self._client.request(method, path)
            except ApiError as error:
                if error.status < 500:
                    raise
            except (ConnectionFailed, Misconfigured):
                pass
            await asyncio.sleep(RETRY)


def _said(error: ApiError) -> str:
    """What the server said, on one line."""
    text = " ".join("".join(c if c.isprintable() else " " for c in " ".join(error.errors)).split())
    return f"{error.status} {text}".strip()[:300]
