"""How those who publish keys are asked: over TLS, and from within a Kubernetes cluster."""

from pathlib import Path

import pytest
from aiohttp import web

from tests.issuer import jwk, signed
from tests.node import NodeUnderTest, errors, with_node
from tests.server.certificates import Authority
from tests.serving import serving as answering
from tests.unit.auth.jwt.logins import claims, logged_in, mounted, role
from wardgate.auth.jwt import kubernetes_keys

CONFIG = "auth/jwt/config"
KEYS = {"keys": [jwk("ec", kid="ec-1")]}


async def keys(request: web.Request) -> web.Response:
    """A key set at every path."""
    return web.json_response(KEYS)


def test_a_key_set_is_trusted_by_the_configured_authority(tmp_path: Path) -> None:
    ours, other = Authority(tmp_path, "ours"), Authority(tmp_path, "other")

    @with_node
    async def run(node: NodeUnderTest) -> None:
        async with answering(keys, ours) as address:
            await node.ok("sys/auth/jwt", {"type": "jwt"})
            for ca_pem in ("", other.ca_file.read_text()):
                config = {"jwks_url": f"{address}/jwks", "jwks_ca_pem": ca_pem}
                refused = await node.write(CONFIG, config)
                assert "TLS failed" in errors(refused)[0]
            await mounted(node, jwks_url=f"{address}/jwks", jwks_ca_pem=ours.ca_file.read_text())
            await role(node)
            await logged_in(node, signed(claims(node), "ec"))
            pair = {"jwks_url": address, "jwks_ca_pem": ours.ca_file.read_text()}
            await mounted(node, jwks_pairs=[pair])
            await logged_in(node, signed(claims(node), "ec"))

    run()


def test_the_certificate_may_be_for_other_names_where_that_is_said(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")

    @with_node
    async def run(node: NodeUnderTest) -> None:
        async with answering(keys, authority) as address:
            await node.ok("sys/auth/jwt", {"type": "jwt"})
            config = {"jwks_url": address, "jwks_ca_pem": authority.ca_file.read_text()}
            wrong = {**config, "override_allowed_server_names": ["issuer.example"]}
            assert "TLS failed" in errors(await node.write(CONFIG, wrong))[0]
            both = {**config, "override_allowed_server_names": ["issuer.example", "localhost"]}
            await node.ok(CONFIG, both)

    run()


def test_keys_of_the_cluster_are_asked_for_with_the_pods_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, "cluster")
    account = tmp_path / "account"
    asked = []

    async def api(request: web.Request) -> web.Response:
        asked.append((request.path, request.headers.get("Authorization")))
        if request.path.endswith("openid-configuration"):
            address = f"https://{request.host}"
            document = {"issuer": "https://cluster.local", "jwks_uri": f"{address}/openid/v1/jwks"}
            return web.json_response(document)
        return web.json_response(KEYS)

    @with_node
    async def run(node: NodeUnderTest) -> None:
        await node.ok("sys/auth/jwt", {"type": "jwt"})
        config = {"provider_config": {"provider": "kubernetes"}}
        assert "this is no pod" in errors(await node.write(CONFIG, config))[0]
        async with answering(api, authority) as address:
            host, _, port = address.removeprefix("https://").rpartition(":")
            monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
            monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
            assert "this is no pod" in errors(await node.write(CONFIG, config))[0]
            account.mkdir()
            (account / "token").write_text("pod-token\n")
            (account / "ca.crt").write_bytes(authority.ca_file.read_bytes())
            await node.ok(CONFIG, config)
            await role(node)
            await logged_in(node, signed(claims(node), "ec", kid="ec-1"))
            assert (await node.read(CONFIG)).data["status"] == "valid"

    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr(kubernetes_keys, "ACCOUNT", account)
    run()
    assert {token for _, token in asked} == {"Bearer pod-token"}
    assert [path for path, _ in asked[:2]] == [
        "/.well-known/openid-configuration", "/openid/v1/jwks"
    ]  # fmt: skip
