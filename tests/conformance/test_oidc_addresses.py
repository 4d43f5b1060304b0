"""Both servers send browsers to the same address of a provider, but for what is random."""

import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conformance.conftest import Pair
from tests.conformance.exchange import Client
from tests.conformance.given import Given

CALLBACK = "http://localhost:1/oidc/callback"
RANDOM = ("state", "nonce", "code_challenge")
FORM = {"oidc_response_mode": "form_post"}
CASES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {}, CALLBACK),
    ({}, {"oidc_scopes": ["email", "groups"], "max_age": "1h30m"}, CALLBACK),
    ({}, {"oidc_scopes": "a b,c", "bound_audiences": "x"}, "http://localhost:77/oidc/callback"),
    ({}, {"callback_mode": "direct"}, "https://wardgate.example/v1/auth/o/oidc/callback"),
    ({"oidc_response_mode": "query"}, {}, "https://app.example/cb?a=b&c=%20d"),
    (FORM, {}, "https://app.example/ui/vault/auth/oidc/oidc/callback"),
    (FORM | {"oidc_response_types": ["id_token"]}, {"max_age": 5}, CALLBACK),
    (FORM | {"oidc_response_types": ["code", "id_token"]}, {}, CALLBACK),
    ({"oidc_response_types": ["code"]}, {}, "http://localhost:1/a%20b?c"),
]


@pytest.mark.parametrize(("config", "role", "redirect_uri"), CASES)
def test_the_address_is_that_of_openbao(
    pair: Pair,
    given: Given,
    config: dict[str, Any],
    role: dict[str, Any],
    redirect_uri: str,
) -> None:
    run, variables = f"a-{secrets.token_hex(4)}", given.variables(["oidc"])
    ours, theirs = (
        _address(each, variables, run, config, role, redirect_uri)
        for each in (pair.ours, pair.theirs)
    )
    if config == FORM:
        # the entry oidc-form-post-is-asked-for
        assert "response_mode" not in theirs[1]
        assert ours[1].pop("response_mode") == ["form_post"]
    assert ours == theirs


def _address(
    client: Client,
    variables: dict[str, str],
    run: str,
    config: dict[str, Any],
    role: dict[str, Any],
    redirect_uri: str,
) -> tuple[str, dict[str, list[str]]]:
    """Where a login leads, and its query with the names of what is random alone."""

    def post(path: str, body: dict[str, Any]) -> Any:
        token = [("X-Vault-Token", client.server.root_token)]
        answer = client.send("POST", f"/v1/{path}", token, json.dumps(body).encode())
        assert answer.status < 300, answer
        return answer.body

    post(f"sys/auth/{run}", {"type": "oidc"})
    known = {
        "oidc_discovery_url": variables["oidc_provider"],
        "oidc_client_id": variables["oidc_client_id"],
        "oidc_client_secret": variables["oidc_client_secret"],
    }
    post(f"auth/{run}/config", {**known, **config})
    allowed = {"user_claim": "sub", "allowed_redirect_uris": [redirect_uri]}
    post(f"auth/{run}/role/r", {**allowed, **role})
    body = {"role": "r", "redirect_uri": redirect_uri, "client_nonce": "mine"}
    parts = urlsplit(post(f"auth/{run}/oidc/auth_url", body)["data"]["auth_url"])
    query = parse_qs(parts.query, keep_blank_values=True)
    for name in RANDOM:
        if name in query:
            assert len(query[name][0]) >= 20
            query[name] = ["random"]
    return parts._replace(query="").geturl(), query
