"""The providers that other tests log in at do what those tests take for granted."""

import base64
import hashlib
import json
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.providers import CLIENT_ID, oidc_provider, oidc_provider_mock
from tests.visitor import Visitor

CALLBACK = "http://127.0.0.1:1/oidc/callback"
VERIFIER = "v" * 43


def asked(**changed: str) -> str:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    query = {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "scope": "openid groups",
        "redirect_uri": CALLBACK,
        "state": "of-the-test",
        "nonce": "n",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return urlencode({name: value for name, value in (query | changed).items() if value})


def test_the_certified_provider_gives_a_code_to_who_logs_in_and_demands_pkce() -> None:
    with oidc_provider([CALLBACK]) as provider:
        visitor = Visitor(stop=CALLBACK)
        page = visitor.open(f"{provider.issuer}/auth?{asked()}")
        back = visitor.send(page, login="ada")
        assert back.query["state"] == "of-the-test"
        assert back.query["code"]
        without = Visitor(stop=CALLBACK).open(f"{provider.issuer}/auth?{asked(code_challenge='')}")
        assert without.query["error"] == "invalid_request"
        denied = Visitor(stop=CALLBACK)
        page = denied.open(f"{provider.issuer}/auth?{asked()}")
        back = denied.send(page, deny="yes")
        assert back.query["error"] == "access_denied"
        assert "<script>" in back.query["error_description"]  # what no page may run


@pytest.mark.parametrize("name", ["ada", "somebody else"])
def test_the_small_provider_lets_anybody_in(name: str) -> None:
    with oidc_provider_mock() as provider:
        with urlopen(f"{provider.issuer}/.well-known/openid-configuration") as answer:
            assert json.load(answer)["issuer"] == provider.issuer
        visitor = Visitor(stop=CALLBACK)
        page = visitor.open(f"{provider.issuer}/oauth2/authorize?{asked()}")
        assert visitor.send(page, sub=name).query["code"]
