"""A provider that tests can have lie: it checks what it is sent as strictly as real ones do, and
answers with whatever claims a test wants.

A test is the browser, too: `authorize` takes the address that a login begins with, and gives what the
provider would send back.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from tests.issuer import Issuer, JsonMap, signed
from tests.serving import on_a_thread

CLIENT_ID = "wardgate"
CLIENT_SECRET = "s3cret: with &=%"
CALLBACK = "http://localhost:8250/oidc/callback"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

JSON = "application/json"

Answer = tuple[int, JsonMap]


@dataclass
class OddProvider(Issuer):
    """What it says is in these fields; `now` gives the time, in seconds."""

    now: Callable[[], float]
    claims: JsonMap = field(default_factory=dict)
    """Claims beside the usual ones of an ID token; None leaves one out."""
    metadata: JsonMap = field(default_factory=dict)
    """What it says of itself beside the usual."""
    user_info: JsonMap = field(default_factory=dict)
    """The same for the userinfo endpoint."""
    signs_user_info_with: str = ""
    """The key with which the userinfo endpoint signs, if it does."""
    id_token: str = ""
    """In the place of the one that would be signed."""
    token_answer: JsonMap = field(default_factory=dict)
    """What the token endpoint says beside the tokens."""
    posts_secret: bool = False
    """Whether the client is registered to send its secret in the form."""
    device_errors: list[str] = field(default_factory=list)
    """What a device is told before it gets tokens."""
    device_answer: JsonMap = field(default_factory=dict)
    token_status: int = 0
    """What the token endpoint answers, with an empty body, in place of all else."""
    reuses_codes: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """Codes that nobody has used, with the requests that they were given for."""
    used: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def configuration(self) -> JsonMap:
        return {
            **super().configuration(),
            "userinfo_endpoint": f"{self.address}/userinfo",
            "device_authorization_endpoint": f"{self.address}/device",
            **self.metadata,
        }

    def authorize(self, url: str) -> dict[str, str]:
        """Somebody logs in and agrees; what the browser brings back."""
        asked = {name: each[0] for name, each in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(f"{self.address}/auth?")
        assert asked["client_id"] == CLIENT_ID
        assert "openid" in asked["scope"].split()
        if asked["response_type"] == "id_token":
            assert asked["response_mode"] == "form_post"
            return {"state": asked["state"], "id_token": self.signed_for(asked)}
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"state": asked["state"], "code": code}

    def signed_for(self, asked: dict[str, str], access_token: str = "") -> str:
        """The ID token that answers a request."""
        now = int(self.now())
        claims: JsonMap = {
            "iss": self.address, "sub": "ada", "aud": CLIENT_ID, "iat": now, "exp": now + 300,
            "nonce": asked.get("nonce"),
        }  # fmt: skip
        if access_token:
            half = hashlib.sha256(access_token.encode()).digest()[:16]
            claims["at_hash"] = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        claims |= self.claims
        return self.id_token or self.sign({n: v for n, v in claims.items() if v is not None})

    def post(self, path: str, headers: Any, form: dict[str, str]) -> Answer:
        """The answer to a form."""
        self.asked[path] += 1
        if not self._is_client(headers, form):
            return 401, {"error": "invalid_client"}
        if path == "/device":
            return 200, {
                "device_code": "the-device-code", "user_code": "AB-CD",
                "verification_uri": f"{self.address}/device/enter", "interval": 3,
                **self.device_answer,
            }  # fmt: skip
        if path != "/token":
            return 404, {}
        if self.token_status:
            return self.token_status, {}
        if form.get("grant_type") == DEVICE_GRANT:
            assert form["device_code"] == "the-device-code"
            if self.device_errors:
                return 400, {"error": self.device_errors.pop(0)}
            return self._tokens({})
        code = form.get("code", "")
        asked = self.codes.get(code) if self.reuses_codes else self.codes.pop(code, None)
        self.used.append(code)
        if asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant", "error_description": f"what is {code}?"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return self._tokens(asked)

    def get(self, path: str, headers: Any) -> tuple[int, bytes, str]:
        """The answer to a request without a body, and its type."""
        if path != "/userinfo":
            return *self.answer(path), JSON
        self.asked[path] += 1
        if headers.get("Authorization") != "Bearer the-access-token":
            return 401, b"{}", JSON
        said = {"sub": "ada", **self.user_info}
        found = {name: value for name, value in said.items() if value is not None}
        if self.signs_user_info_with:
            token = signed(found, self.signs_user_info_with, kid=f"{self.signs_user_info_with}-1")
            return 200, token.encode(), "application/jwt"
        return 200, json.dumps(found).encode(), JSON

    def _tokens(self, asked: dict[str, str]) -> Answer:
        access_token = "the-access-token"
        return 200, {
            "access_token": access_token,
            "token_type": "Bearer",
            "id_token": self.signed_for(asked, access_token),
            **self.token_answer,
        }

    def _is_client(self, headers: Any, form: dict[str, str]) -> bool:
        if self.posts_secret:
            return form.get("client_secret") == CLIENT_SECRET and "Authorization" not in headers
        given = base64.b64decode((headers.get("Authorization") or "").removeprefix("Basic "))
        name, _, secret = given.decode().partition(":")
        return (unquote_plus(name), unquote_plus(secret)) == (CLIENT_ID, CLIENT_SECRET)


@contextmanager
def odd_provider(now: Callable[[], float]) -> Iterator[OddProvider]:
    """A provider of one's own, on a port of 127.0.0.1."""
    provider = OddProvider(now)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*provider.get(self.path, self.headers))

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: each[0] for name, each in parse_qs(text).items()}
            status, said = provider.post(self.path, self.headers, form)
            self._send(status, json.dumps(said).encode())

        def _send(self, status: int, body: bytes, kind: str = JSON) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    with on_a_thread(Handler) as address:
        provider.address = address
        yield provider
