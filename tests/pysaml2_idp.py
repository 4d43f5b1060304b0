"""pysaml2's identity provider, which answers requests in a process of its own."""

import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import msgspec

from tests.saml_idp import ENTITY_ID, SSO_URL, Key
from tests.services.pysaml2_idp import Asked

DEADLINE = 120.0
"""Seconds, only so that nothing hangs."""


class Pysaml2:
    """A provider with one key that knows one server."""

    def __init__(self, key: Key, sp_metadata: bytes) -> None:
        self._asked = Asked(
            entity_id=ENTITY_ID,
            sso_url=SSO_URL,
            key_pem=key.private_pem,
            certificate_pem=key.certificate_pem,
            sp_metadata=sp_metadata.decode(),
        )

    def metadata(self) -> bytes:
        """What it says of itself."""
        return self._run(self._asked)

    def answer(self, url: str, **how: object) -> bytes:
        """The response for a browser that comes to `url`; `how` are fields of `Asked`."""
        request = parse_qs(urlsplit(url).query)["SAMLRequest"][0]
        return self._run(msgspec.structs.replace(self._asked, request=request, **how))

    def _run(self, asked: Asked) -> bytes:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.services.pysaml2_idp"],
            input=msgspec.json.encode(asked),
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        return done.stdout.strip()
