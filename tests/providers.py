"""OpenID providers for tests, each a process of its own on a free port of 127.0.0.1.

`oidc_provider` is a certified implementation for Node.js (tests/services), `oidc_provider_mock` a
small one in Python. Whoever logs in there gives a name and nothing else.
"""

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.servers import START_SECONDS, STOP_SECONDS, ServerDidNotStart, free_port

SERVICES = Path(__file__).with_name("services")
CLIENT_ID = "wardgate"
CLIENT_SECRET = "not a secret outside of tests"
DEVICE_CLIENT_ID = "wardgate-devices"
"""A second client, whose secret is sent in the form, as OpenBao does for devices."""
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

People = Mapping[str, Mapping[str, Any]]
PEOPLE: People = {
    "ada": {"email": "ada@example.com", "name": "Ada", "groups": ["engineers", "on-call"]},
    "grace": {"email": "grace@example.com", "name": "Grace", "groups": ["admirals"]},
}


@dataclass(frozen=True)
class Provider:
    """A provider that answers. `issuer` is its address, and the claim "iss" of its tokens."""

    issuer: str


@contextmanager
def oidc_provider(redirect_uris: Sequence[str], people: People = PEOPLE) -> Iterator[Provider]:
    """The certified provider, with the clients `CLIENT_ID` and `DEVICE_CLIENT_ID`.

    `redirect_uris` are on the loopback; the port of those that have the host 127.0.0.1 or localhost
    and no TLS may be another one (RFC 8252, section 7.3).
    """
    port = free_port()
    client = {
        "client_secret": CLIENT_SECRET,
        "application_type": "native",
        "redirect_uris": list(redirect_uris),
        "grant_types": ["authorization_code", "implicit", DEVICE_GRANT],
        "response_types": ["code", "id_token"],
    }
    post = {"token_endpoint_auth_method": "client_secret_post"}
    configuration = {
        "port": port,
        "clients": [
            {**client, "client_id": CLIENT_ID},
            {**client, **post, "client_id": DEVICE_CLIENT_ID},
        ],
        "people": people,
    }
    command = ["node", str(SERVICES / "oidc_provider.mjs")]
    with _running(command, port, json.dumps(configuration)) as provider:
        yield provider


@contextmanager
def oidc_provider_mock(people: People = PEOPLE) -> Iterator[Provider]:
    """The provider in Python, which takes any client and any redirect URI, and knows no PKCE."""
    port = free_port()
    claims = [json.dumps({"sub": name, **said}) for name, said in people.items()]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    for each in claims:
        command += ["--user-claims", each]
    with _running(command, port) as provider:
        yield provider


@contextmanager
def _running(command: Sequence[str], port: int, said: str = "") -> Iterator[Provider]:
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            assert process.stdin is not None
            process.stdin.write(said.encode())
            process.stdin.close()
            provider = Provider(f"http://127.0.0.1:{port}")
            _wait_until_up(process, provider, output)
            yield provider
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], provider: Provider, output: IO[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(
                f"{provider.issuer}/.well-known/openid-configuration", timeout=START_SECONDS
            ).close()
            return
        except (OSError, urllib.error.URLError):
            ended = process.poll() is not None
        if ended or time.monotonic() > deadline:
            output.seek(0)
            raise ServerDidNotStart(output.read().decode(errors="replace")[-2000:])
        time.sleep(0.05)
