"""Somebody who issues signed tokens, with keys that are made when the tests run.

`Issuer` signs. `serving` publishes its keys as an OpenID provider does, on a port of 127.0.0.1, and
counts who asks; what it answers can be changed while it runs.
"""

import asyncio
import base64
import functools
import hashlib
import hmac
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.serving import on_a_thread

JsonMap = dict[str, Any]
_GUARD = 60.0  # seconds after which a test that hangs is ended
ALGORITHMS = {"rsa": "RS256", "ec": "ES256", "ed": "EdDSA", "other": "RS256"}
"""The keys that every issuer has, and what they sign with; "other" is never published."""


class _Registry(jws.JWSRegistry):
    """Signs with anything, whatever the header says, without a warning of the name "EdDSA"."""

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]

    def check_header(self, header: JsonMap) -> None:
        """All is well."""


_REGISTRY = _Registry(strict_check_header=False)


@functools.cache
def _key(name: str) -> Any:
    """One key of a name for the whole run: making an RSA key takes a while."""
    match ALGORITHMS.get(name, "RS256"):
        case "ES256":
            return ECKey.import_key(ec.generate_private_key(ec.SECP256R1()))
        case "EdDSA":
            return OKPKey.import_key(ed25519.Ed25519PrivateKey.generate())
        case _:
            return RSAKey.import_key(rsa.generate_private_key(65537, 2048))


def pem(name: str) -> str:
    """The public half of a key, in PEM."""
    text: bytes = _key(name).public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return text.decode().strip()


def jwk(name: str, **more: Any) -> JsonMap:
    """The public half of a key, as it stands in a key set."""
    return {**_key(name).as_dict(private=False), "use": "sig", **more}


def signed(claims: JsonMap | bytes, key: str = "rsa", **header: Any) -> str:
    """A token with these claims; `header` has more than the algorithm, or another one."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    head = {"alg": ALGORITHMS.get(key, "RS256"), **header}
    return jws.serialize_compact(head, payload, _key(key), registry=_REGISTRY)


def _segment(value: bytes | JsonMap) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(claims: JsonMap) -> str:
    """A token with the algorithm "none"."""
    return f"{_segment({'alg': 'none'})}.{_segment(claims)}."


def hmac_signed(claims: JsonMap, secret: str, **header: Any) -> str:
    """A token whose "secret" key is whatever text is known, such as a public key."""
    lead = f"{_segment({'alg': 'HS256', **header})}.{_segment(claims)}"
    digest = hmac.new(secret.encode(), lead.encode(), hashlib.sha256).digest()
    return f"{lead}.{_segment(digest)}"


class Issuer:
    """A provider that runs. `published` are the keys of its set by their ids; `asked` counts requests
    by path; what `answers` has for a path is sent there (status and body) in place of the usual."""

    def __init__(self) -> None:
        self.address = ""
        self.published: dict[str, str] = {"rsa-1": "rsa", "ec-1": "ec", "ed-1": "ed"}
        self.asked: Counter[str] = Counter()
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.going_on = threading.Event()
        """Answers wait while this is cleared."""
        self.going_on.set()
        self._changed = threading.Condition()

    async def was_asked(self, path: str, times: int) -> None:
        """Wait until so many requests came for `path`."""

        def wait() -> bool:
            with self._changed:
                return self._changed.wait_for(lambda: self.asked[path] >= times, _GUARD)

        assert await asyncio.to_thread(wait), f"nobody asked for {path}"

    def sign(self, claims: JsonMap, key_id: str = "rsa-1", **header: Any) -> str:
        """A token signed with a published key, which it names."""
        return signed(claims, self.published[key_id], kid=key_id, **header)

    def configuration(self) -> JsonMap:
        return {
            "issuer": self.address,
            "jwks_uri": f"{self.address}/jwks",
            "authorization_endpoint": f"{self.address}/auth",
            "token_endpoint": f"{self.address}/token",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        }

    def answer(self, path: str) -> tuple[int, bytes]:
        """Status and body for a request."""
        with self._changed:
            self.asked[path] += 1
            self._changed.notify_all()
        self.going_on.wait(_GUARD)
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps(self.configuration()).encode()
        if path == "/jwks":
            keys = [jwk(name, kid=key_id) for key_id, name in self.published.items()]
            return 200, json.dumps({"keys": keys}).encode()
        return 404, b"{}"


@contextmanager
def serving() -> Iterator[Issuer]:
    """A provider of one's own."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = issuer.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    with on_a_thread(Handler) as address:
        issuer.address = address
        try:
            yield issuer
        finally:
            issuer.going_on.set()
