"""The signed tokens and the public keys of both servers say the same."""

import json
import secrets
from typing import Any

import pytest

from tests.conformance.conftest import Pair
from tests.conformance.exchange import Client
from tests.jose import Jwk, claims_of, header_of, verifies

PASSWORD = "correct horse"
ISSUER = "https://id.example.com:8200"
POLICY = 'path "identity/oidc/*" { capabilities = ["read"] }'
TEMPLATES = [
    "",
    "{}",
    '{"id": {{identity.entity.id}}, "m": {{identity.entity.metadata}}}',
    '{"m": {{identity.entity.metadata.team}}, "g": {{identity.entity.groups.names}}}',
    '{"g": {{identity.entity.groups.ids}}, "t": {{time.now}}, "u": {{time.now.plus.1h}}}',
    '{"a": {{identity.entity.aliases.ACCESSOR.name}}, "i": {{identity.entity.aliases.x.id}}}',
    '{"m": {{identity.entity.aliases.ACCESSOR.metadata}}, "c": {{identity.entity.aliases.'
    "ACCESSOR.custom_metadata}}}",
    '{"m": {{identity.entity.aliases.ACCESSOR.metadata.x}}, "n": {{identity.entity.aliases.x.name}}}',
    '{"l": [{{time.now.minus.1h}}, {"o": null} ], "f": 1.5, "nbf": 0, "e": "\\u00e9<>"}',
    "{{identity.entity.metadata}}",
    "eyJhIjp7e2lkZW50aXR5LmVudGl0eS5pZH19fQ==",
]


class Server:
    """One of the two servers, with somebody who has an entity."""

    def __init__(self, client: Client, run: str) -> None:
        self._client = client
        self.run = run
        self.ask("POST", f"sys/auth/{run}", {"type": "userpass"})
        self.ask("POST", f"sys/policies/acl/{run}", {"policy": POLICY})
        self.ask("POST", f"auth/{run}/users/ada", {"password": PASSWORD, "policies": run})
        login = self.ask("POST", f"auth/{run}/login/ada", {"password": PASSWORD})
        self.token: str = login["auth"]["client_token"]
        self.entity: str = login["auth"]["entity_id"]
        self.accessor: str = self.ask("GET", f"sys/auth/{run}")["data"]["accessor"]
        self.meaning = {self.entity: "the entity"}
        metadata = {"team": 'eng"ines\\', "sub": "somebody else"}
        self.ask("POST", f"identity/entity/id/{self.entity}", {"metadata": metadata})
        inner = self._group("b-inner", {"member_entity_ids": [self.entity]})
        self._group("a-outer", {"member_group_ids": [inner]})
        self.ask("POST", "identity/oidc/config", {"issuer": ISSUER})

    def _group(self, name: str, members: dict[str, list[str]]) -> str:
        given = {"name": f"{name}-{self.run}", **members}
        made: str = self.ask("POST", "identity/group", given)["data"]["id"]
        self.meaning[made] = name
        return made

    def ask(self, method: str, path: str, body: Any = None, token: str = "root") -> Any:
        data = None if body is None else json.dumps(body).encode()
        answer = self._client.send(method, f"/v1/{path}", [("X-Vault-Token", token)], data)
        assert answer.status < 300, answer
        return answer.body

    def signed(self, template: str, algorithm: str) -> tuple[str, list[Jwk]]:
        """A token of a role with this template, and the keys that are published then."""
        name = f"{self.run}-{algorithm}"
        self.ask(
            "POST",
            f"identity/oidc/key/{name}",
            {"algorithm": algorithm, "allowed_client_ids": "*"},
        )
        template = template.replace("ACCESSOR", self.accessor)
        role = {"key": name, "client_id": "client", "ttl": "1h", "template": template}
        self.ask("POST", f"identity/oidc/role/{name}", role)
        token: str = self.ask("GET", f"identity/oidc/token/{name}", token=self.token)["data"][
            "token"
        ]
        keys: list[Jwk] = self.ask("GET", "identity/oidc/.well-known/keys")["keys"]
        return token, keys

    def known(self, value: Any, issued: int) -> Any:
        """A claim, with what each server chooses for itself replaced by its meaning, and times
        by their distance to when the token was issued. Lists, as of groups, have no order."""
        if isinstance(value, dict):
            return {name: self.known(inner, issued) for name, inner in value.items()}
        if isinstance(value, list):
            return sorted((self.known(inner, issued) for inner in value), key=str)
        if isinstance(value, int) and value > 1_000_000_000:
            return f"{value - issued} seconds after it was issued"
        return self.meaning.get(value, value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def servers(pair: Pair) -> tuple[Server, Server]:
    run = f"tokens-{secrets.token_hex(3)}"
    return Server(pair.ours, run), Server(pair.theirs, run)


@pytest.mark.parametrize("template", TEMPLATES)
def test_claims_are_those_of_openbao(servers: tuple[Server, Server], template: str) -> None:
    said = []
    for server in servers:
        claims = claims_of(server.signed(template, "EdDSA")[0])
        said.append(server.known(claims, claims["iat"]))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "algorithm", ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA"]
)
def test_tokens_and_keys_have_the_same_form(servers: tuple[Server, Server], algorithm: str) -> None:
    forms = []
    for server in servers:
        token, keys = server.signed("", algorithm)
        assert verifies(token, keys)
        header = header_of(token)
        named = [key for key in keys if key["kid"] == header["kid"]]
        assert len(named) == 1
        forms.append(
            (
                sorted(header),
                header["alg"],
                {
                    name: len(value) if name in ("n", "x", "y", "kid") else value
                    for name, value in named[0].items()
                },
            )
        )
    assert forms[0] == forms[1]
