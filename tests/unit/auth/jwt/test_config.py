"""The configuration of a JWT mount."""

from typing import Any

import pytest

from tests.issuer import pem
from tests.node import NodeUnderTest, errors, with_node

CONFIG = "auth/jwt/config"


async def mounted(node: NodeUnderTest, kind: str = "jwt") -> None:
    await node.ok("sys/auth/jwt", {"type": kind})


@with_node
async def test_a_configuration_is_read_without_its_secrets(node: NodeUnderTest) -> None:
    await mounted(node)
    assert (await node.read(CONFIG)).status == 404
    await node.ok(CONFIG, {"jwt_validation_pubkeys": [pem("ec")], "default_role": "Dev"})
    shown = (await node.read(CONFIG)).data
    assert (shown["default_role"], shown["status"]) == ("dev", "valid")
    assert shown["jwt_validation_pubkeys"] == (pem("ec"),)
    assert not {name for name in shown if "secret" in name or "written" in name}


@with_node
async def test_a_write_replaces_the_whole_configuration(node: NodeUnderTest) -> None:
    await mounted(node)
    keys = {"jwt_validation_pubkeys": pem("ec")}
    await node.ok(CONFIG, {**keys, "bound_issuer": "us", "namespace_in_state": False})
    await node.ok(CONFIG, keys)
    shown = (await node.read(CONFIG)).data
    assert (shown["bound_issuer"], shown["namespace_in_state"]) == ("", False)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "exactly one of"),
        ({"jwks_url": "https://a/jwks"}, "exactly one of"),
        ({"jwks_pairs": [{"jwks_url": "https://a/jwks"}]}, "exactly one of"),
        ({"jwt_validation_pubkeys": "-----BEGIN"}, "jwt_validation_pubkeys: neither a public key"),
        ({"oidc_client_id": "me"}, "both 'oidc_client_id' and 'oidc_client_secret'"),
        ({"oidc_client_id": "a", "oidc_client_secret": "b"}, "'oidc_discovery_url' must be set"),
        ({"jwt_supported_algs": "HS256"}, "unsupported signing algorithm"),
        ({"jwt_supported_algs": "none"}, "unsupported signing algorithm"),
        ({"oidc_response_types": "token"}, "invalid response_types"),
        ({"oidc_response_types": "id_token"}, "query response_mode may not"),
        ({"oidc_response_mode": "fragment"}, "invalid response_mode"),
        ({"provider_config": {"a": 1}}, "'provider' field not found"),
        ({"provider_config": {"provider": "acme"}}, "'provider' is one of azure"),
        ({"default_role": "a role"}, "default_role: no role can"),
        ({"jwks_ca_pem": "junk"}, "jwks_ca_pem: expected one or more certificates"),
        ({"jwks_ca_pem": "é"}, "jwks_ca_pem: expected one or more certificates"),
        ({"oidc_discovery_ca_pem": "é"}, "oidc_discovery_ca_pem: expected one or more"),
        ({"unsupported_critical_cert_extensions": "1.2.3"}, "unsupported_critical_cert_ext"),
    ],
)
def test_what_cannot_work_is_refused(fields: dict[str, Any], message: str) -> None:
    @with_node
    async def run(node: NodeUnderTest) -> None:
        await mounted(node)
        keys = {} if not fields else {"jwt_validation_pubkeys": pem("ec")}
        response = await node.write(CONFIG, {**keys, **fields})
        assert response.status == 400
        assert message in errors(response)[0]
        assert (await node.read(CONFIG)).status == 404

    run()


@pytest.mark.parametrize(
    "address",
    ["http://[", "http://[::1", "http://℀/", "https://a:port/", "https://a:70000/", "https:", "a"],
)
@pytest.mark.parametrize("field", ["oidc_discovery_url", "jwks_url", "jwks_pairs"])
def test_what_is_no_address_is_refused(field: str, address: str) -> None:
    @with_node
    async def run(node: NodeUnderTest) -> None:
        await mounted(node)
        pairs = [{"jwks_url": address}]
        fields = {field: pairs if field == "jwks_pairs" else address, "skip_jwks_validation": True}
        refused = await node.write(CONFIG, fields)
        assert refused.status == 400
        assert errors(refused)[0].startswith(f"{field}: must be an address")

    run()


@with_node
async def test_a_certificate_of_a_pair_that_is_no_text_of_pem_is_refused(
    node: NodeUnderTest,
) -> None:
    await mounted(node)
    pairs = [{"jwks_url": "https://127.0.0.1:9/", "jwks_ca_pem": "é"}]
    refused = await node.write(CONFIG, {"jwks_pairs": pairs, "skip_jwks_validation": True})
    assert errors(refused)[0].startswith("jwks_pairs: expected one or more certificates")
