"""The real `bao` command logs in, makes tokens, policies and mounts, and uses plain paths."""

import stat

from tests.clients.conftest import Bao


class TestLogin:
    def test_a_login_with_a_token_is_kept_for_the_next_command(self, bao: Bao) -> None:
        token = bao("token", "create", "-policy=default", "-field=token").strip()
        person = bao.carrying("")
        assert "Success! You are now authenticated" in person("login", "-", stdin=token)
        file = bao.home / ".vault-token"
        assert file.read_text() == token
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert person.json("token", "lookup")["data"]["policies"] == ["default"]

    def test_a_wrong_token_does_not_log_in(self, bao: Bao) -> None:
        person = bao.carrying("")
        said = person.refused("login", "-", stdin="s.thisTokenWasNeverIssued00")
        assert "Code: 403" in said
        assert "permission denied" in person.refused("secrets", "list")

    def test_a_login_with_name_and_password(self, bao: Bao, name: str) -> None:
        bao("auth", "enable", f"-path={name}", "userpass")
        bao("write", f"auth/{name}/users/anna", "password=-", "policies=default", stdin="first")
        arguments = ("login", "-method=userpass", f"-path={name}", "username=anna", "password=-")
        auth = bao.carrying("").json(*arguments, stdin="first")["auth"]
        assert auth["policies"] == ["default"]
        assert auth["metadata"] == {"username": "anna"}
        assert bao.carrying("").json("token", "lookup")["data"]["path"] == f"auth/{name}/login/anna"
        bao.carrying("").refused(*arguments, stdin="second")
        bao("auth", "disable", name)
        bao.carrying("").refused("token", "lookup")


class TestToken:
    def test_a_token_is_created_renewed_and_revoked(self, bao: Bao) -> None:
        auth = bao.json(
            "token",
            "create",
            "-policy=default",
            "-ttl=1h",
            "-explicit-max-ttl=3h",
            "-display-name=nightly",
            "-metadata=team=billing",
        )["auth"]
        assert auth["lease_duration"] == 3600
        assert auth["renewable"] is True
        assert auth["metadata"] == {"team": "billing"}
        data = bao.json("token", "lookup", "-accessor", auth["accessor"])["data"]
        assert data["display_name"] == "token-nightly"
        assert data["explicit_max_ttl"] == 10800

        person = bao.carrying(auth["client_token"])
        renewed = person.json("token", "renew", "-increment=30m")["auth"]
        assert renewed["lease_duration"] == 1800
        assert "Success! Revoked token" in bao("token", "revoke", "-accessor", auth["accessor"])
        assert "permission denied" in person.refused("token", "lookup")

    def test_orphan_and_batch_tokens(self, bao: Bao) -> None:
        assert bao.json("token", "create", "-orphan", "-policy=default")["auth"]["orphan"] is True
        batch = bao("token", "create", "-type=batch", "-policy=default", "-field=token")
        assert batch.startswith("b.")

    def test_a_token_revokes_itself(self, bao: Bao) -> None:
        person = bao.carrying(bao("token", "create", "-policy=default", "-field=token").strip())
        person("token", "revoke", "-self")
        person.refused("token", "lookup")

    def test_a_role_makes_tokens(self, bao: Bao, name: str) -> None:
        bao("write", f"auth/token/roles/{name}", "allowed_policies=default", "orphan=true")
        assert name in bao.json("list", "auth/token/roles")
        auth = bao.json("token", "create", f"-role={name}")["auth"]
        assert auth["orphan"] is True
        bao("delete", f"auth/token/roles/{name}")
        bao.refused("token", "create", f"-role={name}")

    def test_a_wrapped_token_is_unwrapped_once(self, bao: Bao) -> None:
        arguments = ("token", "create", "-policy=default", "-wrap-ttl=60s")
        wrapping = bao(*arguments, "-field=wrapping_token").strip()
        person = bao.carrying(wrapping)
        assert person.json("unwrap")["auth"]["token_policies"] == ["default"]
        person.refused("unwrap")


class TestPolicy:
    def test_a_policy_is_written_read_listed_and_deleted(self, bao: Bao, name: str) -> None:
        rules = 'path "secret/data/app" {\n  capabilities = ["read"]\n}\n'
        said = bao("policy", "write", name, "-", stdin=rules)
        assert f"Success! Uploaded policy: {name}" in said
        assert bao("policy", "read", name).strip() == rules.strip()
        assert {name, "default", "root"} <= set(bao("policy", "list").split())
        bao("policy", "delete", name)
        assert "No policy named" in bao.refused("policy", "read", name)

    def test_capabilities_show_what_a_token_may(self, bao: Bao, name: str) -> None:
        rules = f'path "secret/data/{name}" {{ capabilities = ["update", "read"] }}'
        bao("policy", "write", name, "-", stdin=rules)
        token = bao("token", "create", f"-policy={name}", "-field=token").strip()
        assert bao("token", "capabilities", token, f"secret/data/{name}").strip() == "read, update"
        person = bao.carrying(token)
        assert person("token", "capabilities", f"secret/data/{name}").strip() == "read, update"
        assert person("token", "capabilities", "sys/mounts").strip() == "deny"
        assert bao("token", "capabilities", "sys/mounts").strip() == "root"
        assert "permission denied" in person.refused("secrets", "list")


class TestAuth:
    def test_a_method_is_enabled_tuned_listed_and_disabled(self, bao: Bao, name: str) -> None:
        said = bao("auth", "enable", f"-path={name}", "-description=people", "userpass")
        assert "Success! Enabled userpass auth method" in said
        bao("auth", "tune", "-default-lease-ttl=30m", "-max-lease-ttl=10h", f"{name}/")
        method = bao.json("auth", "list")[f"{name}/"]
        assert method["type"] == "userpass"
        assert method["description"] == "people"
        assert method["config"]["default_lease_ttl"] == 1800
        assert method["config"]["max_lease_ttl"] == 36000
        assert f"{name}/" in bao("auth", "list", "-detailed")
        bao("auth", "disable", name)
        assert f"{name}/" not in bao.json("auth", "list")


class TestSecrets:
    def test_an_engine_is_enabled_tuned_moved_and_disabled(self, bao: Bao, name: str) -> None:
        bao("secrets", "enable", f"-path={name}", "-version=1", "-description=a shelf", "kv")
        bao("secrets", "tune", "-default-lease-ttl=30m", name)
        bao("kv", "put", f"{name}/one", "a=b")
        said = bao("secrets", "move", name, f"{name}-moved")
        assert "Finished moving secrets engine" in said
        mount = bao.json("secrets", "list")[f"{name}-moved/"]
        assert mount["type"] == "kv"
        assert mount["description"] == "a shelf"
        assert mount["options"] == {"version": "1"}
        assert mount["config"]["default_lease_ttl"] == 1800
        assert bao("kv", "get", "-field=a", f"{name}-moved/one").strip() == "b"
        assert f"{name}/" not in bao.json("secrets", "list")
        bao("secrets", "disable", f"{name}-moved")
        assert f"{name}-moved/" not in bao("secrets", "list")

    def test_a_taken_path_is_refused(self, bao: Bao, name: str) -> None:
        bao("secrets", "enable", f"-path={name}", "kv")
        assert "Code: 400" in bao.refused("secrets", "enable", f"-path={name}", "kv")
        bao("secrets", "disable", name)


class TestPlainPaths:
    def test_write_read_list_and_delete(self, bao: Bao, name: str) -> None:
        path = f"cubbyhole/{name}/one"
        assert "Success! Data written" in bao("write", path, "a=b", "c=-", stdin="d")
        assert bao.json("read", path)["data"] == {"a": "b", "c": "d"}
        assert bao("read", "-field=c", path).strip() == "d"
        assert bao.json("list", f"cubbyhole/{name}") == ["one"]
        bao("delete", path)
        assert "No value found" in bao.refused("read", path)
        assert "No value found" in bao.refused("list", f"cubbyhole/{name}")

    def test_write_takes_a_json_document(self, bao: Bao, name: str) -> None:
        path = f"cubbyhole/{name}"
        bao("write", path, "-", stdin='{"number": 5, "list": ["a", "b"], "flag": true}')
        assert bao.json("read", path)["data"] == {"number": 5, "list": ["a", "b"], "flag": True}

    def test_help_explains_a_path(self, bao: Bao) -> None:
        shown = bao("path-help", "secret")
        assert "DESCRIPTION" in shown

    def test_a_path_that_nobody_serves_is_refused(self, bao: Bao, name: str) -> None:
        assert "Code: 404" in bao.refused("write", f"{name}/x", "a=b")
