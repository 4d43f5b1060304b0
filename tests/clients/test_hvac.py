"""hvac runs a server: initialise, unseal, mounts, auth methods, policies, capabilities, health."""

from collections.abc import Callable, Iterator
from typing import Any

import hvac
import pytest
from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest, VaultDown

from tests.servers import Server

Connect = Callable[[str], hvac.Client]


@pytest.fixture
def system(client: hvac.Client) -> Any:
    """sys/…, as root. Untyped, as hvac's own types lack half of it."""
    return client.sys


class TestState:
    def test_a_development_server_is_ready(self, client: Any, system: Any) -> None:
        assert client.is_authenticated()
        assert system.is_initialized()
        assert not system.is_sealed()
        assert client.seal_status["sealed"] is False
        status = system.read_seal_status()
        assert status["type"] == "shamir"
        assert (status["t"], status["n"], status["progress"]) == (1, 1, 0)
        leader = system.read_leader_status()
        assert isinstance(leader["ha_enabled"], bool)

    def test_health_answers_with_the_status_asked_for(self, system: Any) -> None:
        assert system.read_health_status().status_code == 200
        # hvac sends the codes with GET only
        health = system.read_health_status(active_code=234, method="GET")
        assert health.status_code == 234
        health = system.read_health_status(method="GET")
        assert health["initialized"] is True
        assert health["sealed"] is False
        assert health["standby"] is False

    def test_the_encryption_key_is_rotated(self, system: Any) -> None:
        before = system.get_encryption_key_status()["data"]["term"]
        assert system.rotate_encryption_key().status_code == 204
        assert system.get_encryption_key_status()["data"]["term"] == before + 1


class TestInitialisation:
    @pytest.fixture
    def fresh(self, new_server: Server) -> Iterator[hvac.Client]:
        client = hvac.Client(url=new_server.address, token="")
        yield client
        client.adapter.close()

    def test_shares_open_the_server_and_sealing_closes_it(self, fresh: hvac.Client) -> None:
        system: Any = fresh.sys
        assert not system.is_initialized()
        assert system.read_health_status().status_code == 501
        made = system.initialize(secret_shares=5, secret_threshold=3)
        assert len(made["keys"]) == len(made["keys_base64"]) == 5
        assert system.is_initialized()
        assert system.is_sealed()
        assert system.read_health_status().status_code == 503
        with pytest.raises(InvalidRequest):
            system.initialize(secret_shares=1, secret_threshold=1)

        assert system.submit_unseal_key(made["keys"][4])["progress"] == 1
        assert system.submit_unseal_key(made["keys_base64"][1])["progress"] == 2
        assert system.submit_unseal_key(reset=True)["progress"] == 0
        assert system.submit_unseal_keys(made["keys"][1:4])["sealed"] is False

        fresh.token = made["root_token"]
        assert fresh.is_authenticated()
        assert system.seal().status_code == 204
        assert system.is_sealed()
        with pytest.raises(VaultDown):
            system.list_mounted_secrets_engines()

    def test_wrong_shares_do_not_open_it(self, fresh: hvac.Client) -> None:
        system: Any = fresh.sys
        made = system.initialize(secret_shares=2, secret_threshold=2)
        wrong = "00" * (len(made["keys"][0]) // 2)
        system.submit_unseal_key(made["keys"][0])
        with pytest.raises(InvalidRequest):
            system.submit_unseal_key(wrong)
        assert system.is_sealed()
        assert system.submit_unseal_keys(made["keys"])["sealed"] is False


class TestSecretsEngines:
    def test_an_engine_is_enabled_tuned_moved_and_disabled(self, system: Any, name: str) -> None:
        system.enable_secrets_engine(
            "kv",
            path=name,
            description="a shelf",
            config={"default_lease_ttl": "1h", "max_lease_ttl": "2h"},
            options={"version": "1"},
        )
        mount = system.list_mounted_secrets_engines()["data"][f"{name}/"]
        assert mount["type"] == "kv"
        assert mount["description"] == "a shelf"
        assert mount["options"] == {"version": "1"}
        assert mount["config"]["default_lease_ttl"] == 3600
        assert system.retrieve_mount_option(name, "version") == "1"

        system.tune_mount_configuration(name, default_lease_ttl="30m", description="a drawer")
        tuned = system.read_mount_configuration(name)["data"]
        assert tuned["default_lease_ttl"] == 1800
        assert tuned["max_lease_ttl"] == 7200
        assert tuned["description"] == "a drawer"

        system.move_backend(name, f"{name}-moved")
        mounts = system.list_mounted_secrets_engines()["data"]
        assert f"{name}-moved/" in mounts
        assert f"{name}/" not in mounts
        system.disable_secrets_engine(f"{name}-moved")
        assert f"{name}-moved/" not in system.list_mounted_secrets_engines()["data"]

    def test_what_an_engine_holds_moves_and_goes_with_it(
        self, client: hvac.Client, system: Any, name: str
    ) -> None:
        kv = client.secrets.kv.v1
        system.enable_secrets_engine("kv", path=name, options={"version": "1"})
        kv.create_or_update_secret("one", {"a": "b"}, mount_point=name)
        system.move_backend(name, f"{name}-moved")
        assert kv.read_secret("one", mount_point=f"{name}-moved")["data"] == {"a": "b"}
        system.disable_secrets_engine(f"{name}-moved")
        system.enable_secrets_engine("kv", path=f"{name}-moved", options={"version": "1"})
        with pytest.raises(InvalidPath):
            kv.read_secret("one", mount_point=f"{name}-moved")
        system.disable_secrets_engine(f"{name}-moved")

    def test_impossible_mounts_are_refused(self, system: Any, name: str) -> None:
        with pytest.raises(InvalidRequest):
            system.enable_secrets_engine("no-such-engine", path=name)
        system.enable_secrets_engine("kv", path=name)
        with pytest.raises(InvalidRequest):
            system.enable_secrets_engine("kv", path=name)
        with pytest.raises(InvalidRequest):
            system.enable_secrets_engine("kv", path=f"{name}/below")
        system.disable_secrets_engine(name)
        with pytest.raises(InvalidRequest):
            system.disable_secrets_engine("sys")


class TestAuthMethods:
    def test_a_method_is_enabled_tuned_and_disabled(self, system: Any, name: str) -> None:
        system.enable_auth_method(
            "userpass", description="people", config={"default_lease_ttl": "1h"}, path=name
        )
        method = system.list_auth_methods()["data"][f"{name}/"]
        assert method["type"] == "userpass"
        assert method["description"] == "people"
        assert method["accessor"].startswith("auth_userpass_")
        assert method["config"]["default_lease_ttl"] == 3600

        system.tune_auth_method(
            name, default_lease_ttl="30m", max_lease_ttl="10h", listing_visibility="unauth"
        )
        tuned = system.read_auth_method_tuning(name)["data"]
        assert tuned["default_lease_ttl"] == 1800
        assert tuned["max_lease_ttl"] == 36000
        assert tuned["listing_visibility"] == "unauth"

        system.disable_auth_method(name)
        assert f"{name}/" not in system.list_auth_methods()["data"]

    def test_tokens_are_always_there(self, system: Any) -> None:
        assert system.list_auth_methods()["data"]["token/"]["type"] == "token"
        with pytest.raises(InvalidRequest):
            system.disable_auth_method("token")


class TestPolicies:
    HCL = 'path "secret/data/app/*" {\n  capabilities = ["read", "list"]\n}\n'

    def test_a_policy_is_written_read_listed_and_deleted(self, system: Any, name: str) -> None:
        system.create_or_update_policy(name, self.HCL)
        assert system.read_policy(name)["data"]["rules"] == self.HCL
        assert name in system.list_policies()["data"]["policies"]
        system.delete_policy(name)
        with pytest.raises(InvalidPath):
            system.read_policy(name)

    def test_an_acl_policy_is_written_as_a_dictionary(self, system: Any, name: str) -> None:
        rules = {"path": {"secret/data/app/*": {"capabilities": ["read"]}}}
        system.create_or_update_acl_policy(name, rules)
        data = system.read_acl_policy(name)["data"]
        assert data["name"] == name
        assert "secret/data/app/*" in data["policy"]
        assert name in system.list_acl_policies()["data"]["keys"]
        system.delete_acl_policy(name)
        assert name not in system.list_acl_policies()["data"]["keys"]

    def test_root_and_default_are_kept(self, system: Any) -> None:
        assert {"root", "default"} <= set(system.list_policies()["data"]["policies"])
        for policy in ("root", "default"):
            with pytest.raises(InvalidRequest):
                system.delete_policy(policy)

    def test_a_policy_that_does_not_parse_is_refused(self, system: Any, name: str) -> None:
        with pytest.raises(InvalidRequest):
            system.create_or_update_policy(name, 'path "a" { capabilities = ["fly"] }')

    def test_a_token_does_what_its_policy_allows_and_no_more(
        self, client: Any, connect: Connect, system: Any, name: str
    ) -> None:
        system.create_or_update_policy(
            name,
            f"""
            path "secret/data/{name}/*"      {{ capabilities = ["create", "read"] }}
            path "secret/data/{name}/secret" {{ capabilities = ["deny"] }}
            """,
        )
        token = client.auth.token.create(policies=[name])["auth"]["client_token"]
        person = connect(token)
        kv = person.secrets.kv.v2
        kv.create_or_update_secret(f"{name}/one", {"a": "b"})
        shown = kv.read_secret_version(f"{name}/one", raise_on_deleted_version=True)
        assert shown["data"]["data"] == {"a": "b"}
        with pytest.raises(Forbidden):
            kv.create_or_update_secret(f"{name}/one", {"a": "changed"})
        with pytest.raises(Forbidden):
            kv.read_secret_version(f"{name}/secret", raise_on_deleted_version=True)
        with pytest.raises(Forbidden):
            kv.list_secrets(name)

        mine: Any = person.sys
        paths = [f"secret/data/{name}/x", f"secret/data/{name}/secret", "sys/mounts"]
        expected = {paths[0]: ["create", "read"], paths[1]: ["deny"], paths[2]: ["deny"]}
        for found in (
            mine.get_capabilities(paths)["data"],
            system.get_capabilities(paths, token=token)["data"],
            system.get_capabilities(paths, accessor=client.lookup_token(token)["data"]["accessor"])[
                "data"
            ],
        ):
            assert {path: found[path] for path in paths} == expected
        assert system.get_capabilities(["sys/mounts"])["data"]["capabilities"] == ["root"]


class TestWrapping:
    def test_a_value_is_wrapped_and_unwrapped_once(self, client: hvac.Client, system: Any) -> None:
        wrapped = system.wrap({"pin": "1234"}, ttl=60)
        token = wrapped["wrap_info"]["token"]
        assert wrapped["wrap_info"]["ttl"] == 60
        assert system.unwrap(token)["data"] == {"pin": "1234"}
        with pytest.raises((InvalidRequest, Forbidden)):
            system.unwrap(token)


class TestPlainPaths:
    def test_read_write_list_and_delete_work_on_any_path(self, client: Any, name: str) -> None:
        client.write_data(f"cubbyhole/{name}/one", data={"a": "b"})
        shown = client.read(f"cubbyhole/{name}/one")
        assert shown["data"] == {"a": "b"}
        assert client.list(f"cubbyhole/{name}")["data"]["keys"] == ["one"]
        client.delete(f"cubbyhole/{name}/one")
        assert client.read(f"cubbyhole/{name}/one") is None
        assert client.list(f"cubbyhole/{name}") is None

    def test_a_path_that_nobody_serves_is_not_found(self, client: hvac.Client, name: str) -> None:
        with pytest.raises(InvalidPath):
            client.write_data(f"{name}/x", data={"a": "b"})
