"""A login at an OpenID provider goes on at whichever worker the browser and the program come to."""

import os
import signal
from pathlib import Path
from urllib.parse import urlencode

from tests.api import Api, tcp
from tests.providers import CLIENT_ID, CLIENT_SECRET, oidc_provider_mock
from tests.server.test_workers import open_server
from tests.visitor import Visitor
from tests.workers import workers

CALLBACK = "http://localhost:1/oidc/callback"


def configure(api: Api, issuer: str) -> None:
    api.post("sys/auth/oidc", {"type": "oidc"})
    config = {
        "oidc_discovery_url": issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
    }
    assert api.post("auth/oidc/config", config).status == 204
    for role, mode in (("people", "client"), ("direct", "direct")):
        body = {
            "user_claim": "sub",
            "callback_mode": mode,
            "oidc_disable_confirmation": True,
            "allowed_redirect_uris": CALLBACK,
        }
        assert api.post(f"auth/oidc/role/{role}", body).status == 204


def begun(api: Api, role: str) -> dict[str, str]:
    """Begin a login at one worker, and log in at the provider; what the browser brings back."""
    body = {"role": role, "redirect_uri": CALLBACK, "client_nonce": "mine"}
    url = api.post("auth/oidc/oidc/auth_url", body, token="").data["auth_url"]
    visitor = Visitor(stop=CALLBACK)
    return visitor.fill_in(visitor.open(url), {"sub": "ada"}).query


def test_another_worker_ends_a_login_even_when_the_first_one_died(tmp_path: Path) -> None:
    with workers(tmp_path) as server, oidc_provider_mock() as provider:
        apis = open_server(server)
        (first, one), (_, other), (_, third) = apis.items()
        configure(third, provider.issuer)
        back, direct = begun(one, "people"), begun(one, "direct")
        os.kill(first, signal.SIGKILL)
        query = urlencode({**back, "client_nonce": "mine"})
        assert other.get(f"auth/oidc/oidc/callback?{query}", token="").auth["metadata"] == {
            "role": "people"
        }
        assert third.get(f"auth/oidc/oidc/callback?{query}", token="").status == 400

        asked = {"state": direct["state"], "client_nonce": "mine"}
        assert third.post("auth/oidc/oidc/poll", asked, token="").status == 400
        page = Visitor().open(
            f"http://127.0.0.1:{server.port}/v1/auth/oidc/oidc/callback?{urlencode(direct)}"
        )
        assert "You are logged in" in page.text
        assert third.post("auth/oidc/oidc/poll", asked, token="").auth["metadata"] == {
            "role": "direct"
        }
        with Api(tcp(server.port)) as late:
            assert late.post("auth/oidc/oidc/poll", asked).status == 400
