"""hvac logs people and machines in by signed tokens and at an OpenID provider."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import hvac
import pytest
from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest

from tests.issuer import pem, signed
from tests.providers import CLIENT_ID, CLIENT_SECRET, Provider, oidc_provider_mock
from tests.visitor import Visitor

CALLBACK = "http://localhost:8250/oidc/callback"
Connect = Callable[[str], hvac.Client]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with oidc_provider_mock() as provider:
        yield provider


def test_a_machine_logs_in_with_a_token(client: Any, connect: Connect, name: str) -> None:
    client.sys.enable_auth_method("jwt", path=name)
    jwt = client.auth.jwt
    jwt.configure(jwt_validation_pubkeys=[pem("rsa")], path=name)
    assert jwt.read_config(path=name)["data"]["jwt_validation_pubkeys"] == [pem("rsa")]
    jwt.create_role(
        name="builds",
        role_type="jwt",
        allowed_redirect_uris=[],
        user_claim="sub",
        bound_audiences=["us"],
        bound_claims={"branch": ["main"]},
        claim_mappings={"branch": "branch"},
        token_ttl="5m",
        path=name,
    )
    assert jwt.list_roles(path=name)["data"]["keys"] == ["builds"]
    assert jwt.read_role("builds", path=name)["data"]["bound_claims"] == {"branch": ["main"]}

    machine: Any = connect("")
    now = int(time.time())
    claims = {"sub": "build-7", "aud": "us", "branch": "main", "iat": now, "exp": now + 60}
    login = machine.auth.jwt.jwt_login("builds", signed(claims), path=name)
    assert login["auth"]["metadata"] == {"branch": "main", "role": "builds"}
    assert machine.lookup_token()["data"]["display_name"] == f"{name}-build-7"
    with pytest.raises(InvalidRequest, match="bound claim"):
        machine.auth.jwt.jwt_login("builds", signed({**claims, "branch": "x"}), path=name)

    jwt.delete_role("builds", path=name)
    with pytest.raises(InvalidPath):
        jwt.read_role("builds", path=name)


def test_a_person_logs_in_at_a_provider(
    client: Any, connect: Connect, name: str, provider: Provider
) -> None:
    client.sys.enable_auth_method("oidc", path=name)
    oidc = client.auth.oidc
    oidc.configure(
        oidc_discovery_url=provider.issuer,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        default_role="people",
        path=name,
    )
    assert "oidc_client_secret" not in oidc.read_config(path=name)["data"]
    oidc.create_role(
        name="people",
        user_claim="sub",
        oidc_scopes=["email"],
        claim_mappings={"email": "email"},
        allowed_redirect_uris=[CALLBACK],
        path=name,
    )

    person: Any = connect("")
    begun = person.auth.oidc.oidc_authorization_url_request("people", CALLBACK, path=name)
    url = begun["data"]["auth_url"]
    nonce = parse_qs(urlsplit(url).query)["nonce"][0]
    visitor = Visitor(stop=CALLBACK)
    back = visitor.fill_in(visitor.open(url), {"sub": "ada"}).query
    login = person.auth.oidc.oidc_callback(back["state"], nonce, back["code"], path=name)
    assert login["auth"]["metadata"] == {"email": "ada@example.com", "role": "people"}
    assert login["warnings"] == ["Endpoint ignored these unrecognized parameters: [nonce]"]
    with pytest.raises(InvalidRequest, match="Expired or missing OAuth state"):
        person.auth.oidc.oidc_callback(back["state"], nonce, back["code"], path=name)
    elsewhere = person.auth.oidc.oidc_authorization_url_request(
        "people", "https://elsewhere.example/", path=name
    )
    assert elsewhere["data"]["auth_url"] == ""
    with pytest.raises(Forbidden):
        person.auth.oidc.read_config(path=name)
