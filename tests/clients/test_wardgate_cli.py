"""A day's work with `wardgate`, typed into a shell, against a real server."""

import json
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.clients.shell import Shell
from tests.servers import ROOT_TOKEN, Server, development


@pytest.fixture
def shell(server: Server, tmp_path: Path) -> Shell:
    """Somebody who has not logged in."""
    return Shell(tmp_path, server.address)


@pytest.fixture
def root(server: Server, tmp_path: Path) -> Shell:
    return Shell(tmp_path, server.address, {"VAULT_TOKEN": ROOT_TOKEN})


def test_secrets_are_written_read_changed_deleted_and_brought_back(root: Shell) -> None:
    assert "kv-v2 secrets engine at: day/" in root.ok("secrets", "enable", "-path=day", "kv-v2")
    first = root.ok("kv", "put", "-mount=day", "app", "user=alice", "password=-", stdin="s3cret")
    assert "day/data/app" in first
    assert "version            1" in first
    assert root.ok("kv", "get", "-field=password", "day/app") == "s3cret"

    root.ok("kv", "patch", "day/app", "user=bob")
    refused = root.run("kv", "put", "-cas=1", "day/app", "user=eve")
    assert refused.returncode == 2
    assert "Code: 400" in refused.stderr
    assert root.ok("kv", "get", "--version", "1", "--field", "user", "day/app") == "alice"
    assert json.loads(root.ok("kv", "get", "day/app", "-format=json"))["data"]["data"] == {
        "user": "bob",
        "password": "s3cret",
    }

    root.ok("kv", "delete", "day/app")
    assert root.run("kv", "get", "-field=user", "day/app").returncode == 2
    root.ok("kv", "undelete", "-versions=2", "day/app")
    root.ok("kv", "rollback", "-version=1", "day/app")
    assert root.ok("kv", "get", "-field=user", "day/app") == "alice"

    root.ok("kv", "destroy", "-versions=1", "-versions=2", "day/app")
    root.ok("kv", "metadata", "put", "-max-versions=3", "-custom-metadata=team=a", "day/app")
    known = root.ok("kv", "metadata", "get", "day/app")
    assert "map[team:a]" in known
    assert "Version 3" in known
    assert root.ok("kv", "list", "day").split() == ["Keys", "----", "app"]
    root.ok("kv", "metadata", "delete", "day/app")
    assert root.run("kv", "list", "day").returncode == 2


def test_a_mount_of_version_1_becomes_version_2(root: Shell) -> None:
    root.ok("secrets", "enable", "-path=old", "-version=1", "kv")
    root.ok("kv", "put", "old/app", "a=1")
    assert root.ok("kv", "get", "-field=a", "old/app") == "1"
    unversioned = root.run("kv", "put", "-cas=1", "old/app", "a=2")
    assert unversioned.returncode == 1
    assert "version 1" in unversioned.stderr
    root.ok("kv", "enable-versioning", "old")
    assert '"version": "2"' in root.ok("read", "-format=json", "sys/mounts/old")


def test_a_patch_without_the_patch_capability_reads_and_writes_instead(root: Shell) -> None:
    root.ok("secrets", "enable", "-path=narrow", "kv-v2")
    root.ok("kv", "put", "narrow/app", "a=1", "b=2", "c=3")
    rules = 'path "narrow/data/app" { capabilities = ["read", "update"] }'
    root.ok("policy", "write", "narrow", "-", stdin=rules)
    narrow = root.ok("token", "create", "-policy=narrow", "-field=token")
    user = Shell(root.home, root.address, {"VAULT_TOKEN": narrow})
    assert user.run("kv", "patch", "-method=patch", "narrow/app", "a=9").returncode == 2
    user.ok("kv", "patch", "-remove-data=c", "narrow/app", "a=9")
    found = json.loads(user.ok("kv", "get", "-format=json", "narrow/app"))
    assert found["data"]["data"] == {"a": "9", "b": "2"}


def test_a_user_with_a_password_may_do_what_the_policy_says(root: Shell, shell: Shell) -> None:
    root.ok("auth", "enable", "-path=people", "-description=all", "userpass")
    rules = 'path "cubbyhole/team" {capabilities=["read"]}'
    (root.home / "rules.hcl").write_text(rules)
    root.ok("policy", "fmt", "rules.hcl")
    assert (root.home / "rules.hcl").read_text() == (
        'path "cubbyhole/team" {\n  capabilities = ["read"]\n}\n'
    )
    root.ok("policy", "write", "team", "rules.hcl")
    assert "team" in root.ok("policy", "list").split()
    user = "auth/people/users/alice"
    root.ok("write", user, "password=-", "token_policies=team", stdin="pa55")

    # The password comes from stdin and the token from the file: neither is ever in argv.
    line = ["login", "-method=userpass", "-path=people", "username=alice", "password=-"]
    shell.ok(*line, "-no-print", stdin="pa55")
    assert shell.ok("token", "lookup", "-field=path") == "auth/people/login/alice"
    assert shell.ok("token", "capabilities", "cubbyhole/team").strip() == "read"
    assert shell.run("policy", "list").returncode == 2

    root.ok("policy", "delete", "team")
    assert root.run("policy", "read", "team").returncode == 2
    root.ok("auth", "disable", "people")
    assert shell.run("token", "lookup").returncode == 2


def test_a_login_leaves_its_token_where_only_the_user_and_both_clients_find_it(
    shell: Shell,
) -> None:
    shell.umask = 0o000
    file = shell.home / ".vault-token"
    file.write_text("old")
    file.chmod(0o644)
    assert shell.start("login", "-", stdin=f"{ROOT_TOKEN}\n").returncode == 0
    assert file.read_text() == ROOT_TOKEN
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in shell.home.iterdir()] == [".vault-token"]
    assert shell.start("token", "lookup", program="bao").returncode == 0
    assert shell.ok("print", "token") == f"{ROOT_TOKEN}\n"

    shell.variables["WARDGATE_TOKEN_FILE"] = str(shell.home / "other")
    assert shell.ok("print", "token") == "\n"


def test_a_failed_login_leaves_the_token_alone(shell: Shell) -> None:
    shell.ok("login", "-no-print", "-", stdin=ROOT_TOKEN)
    failed = shell.run("login", "-", stdin="s.wrong")
    assert failed.returncode == 2
    assert "s.wrong" not in failed.stderr
    assert shell.ok("print", "token") == f"{ROOT_TOKEN}\n"


def test_who_has_a_passkey_is_shown_to_the_page(shell: Shell) -> None:
    refused = shell.run("login", "-method=webauthn")
    assert refused.returncode == 1
    assert "/ui/login" in refused.stderr


def test_a_login_that_is_not_kept_prints_the_token(shell: Shell) -> None:
    assert shell.ok("login", "-token-only", "-", stdin=ROOT_TOKEN) == ROOT_TOKEN
    assert shell.run("login", "-no-store", "-", stdin=ROOT_TOKEN).returncode == 0
    assert list(shell.home.iterdir()) == []


def test_a_token_is_created_looked_up_renewed_and_revoked(root: Shell) -> None:
    flags = ["-policy=default", "-metadata=team=a", "-ttl=1h", "-use-limit=0"]
    made = json.loads(root.ok("token", "create", "-format=json", *flags))["auth"]
    token, accessor = made["client_token"], made["accessor"]
    assert made["metadata"] == {"team": "a"}
    assert made["lease_duration"] == 3600

    assert root.ok("token", "lookup", "-field=accessor", "-", stdin=token) == accessor
    assert "30m" in root.ok("token", "renew", "-increment=30m", "-accessor", accessor)
    assert "read" in root.ok("token", "capabilities", "-", "cubbyhole/x", stdin=token)
    root.ok("token", "revoke", "-", stdin=token)
    assert root.run("token", "lookup", "-", stdin=token).returncode == 2

    fixed = root.ok("token", "create", "-renewable=false", "-ttl=1h", "-field=token_renewable")
    assert fixed == "false"


def test_an_answer_is_wrapped_for_one_reader(root: Shell, shell: Shell) -> None:
    root.ok("write", "cubbyhole/gift", "a=1")
    wrapping = root.ok("read", "-wrap-ttl=1m", "-field=wrapping_token", "cubbyhole/gift")
    assert shell.ok("unwrap", "-field=a", "-", stdin=wrapping) == "1"
    again = shell.run("unwrap", "-", stdin=wrapping)
    assert again.returncode == 2
    assert wrapping not in again.stderr


def test_mounts_are_tuned_and_moved(root: Shell) -> None:
    root.ok("secrets", "enable", "-path=first", "-description=one", "kv")
    root.ok("kv", "put", "first/app", "a=1")
    root.ok("secrets", "tune", "-description=two", "-max-lease-ttl=1h", "first/")
    root.ok("secrets", "move", "first", "second")
    assert root.ok("kv", "get", "-field=a", "second/app") == "1"
    mount = json.loads(root.ok("secrets", "list", "-format=json"))["second/"]
    assert (mount["description"], mount["config"]["max_lease_ttl"]) == ("two", 3600)
    root.ok("secrets", "disable", "second")

    root.ok("auth", "enable", "-path=here", "userpass")
    root.ok("auth", "tune", "-default-lease-ttl=30m", "here")
    root.ok("auth", "move", "here", "there")
    assert "1800" in root.ok("auth", "list", "-detailed").split("there/")[1].splitlines()[0]


def test_a_number_keeps_all_its_digits(root: Shell) -> None:
    numbers = '{"f": 1.50, "big": 123456789012345678901234567890, "e": 0.1234567890123456789}'
    root.ok("write", "cubbyhole/numbers", "-", stdin=numbers)
    assert root.ok("read", "-field=f", "cubbyhole/numbers") == "1.50"
    found = root.ok("read", "-format=json", "cubbyhole/numbers")
    assert "123456789012345678901234567890" in found
    assert "0.1234567890123456789" in found


def test_options_may_stand_anywhere_and_win_over_the_environment(shell: Shell) -> None:
    shell.variables["VAULT_ADDR"] = "http://127.0.0.1:1"
    shell.variables["WARDGATE_TOKEN"] = ROOT_TOKEN
    shell.variables["VAULT_TOKEN"] = "s.wrong"
    here = f"-address={shell.address}"
    assert shell.ok(here, "token", "lookup", "--field", "id") == ROOT_TOKEN
    assert shell.ok("token", "lookup", "-field", "id", f"-{here}") == ROOT_TOKEN
    unreachable = shell.run("token", "lookup")
    assert unreachable.returncode == 2
    assert "connection refused" in unreachable.stderr


def test_a_header_is_added_but_none_of_vaults(root: Shell) -> None:
    assert root.run("read", "-header=X-Vault-Token=x", "sys/mounts").returncode == 1
    assert root.run("read", "-header=X-Trace=1", "sys/mounts").returncode == 0


def test_help_and_version_need_no_server(shell: Shell) -> None:
    shell.variables["VAULT_ADDR"] = "nonsense"
    assert shell.start("version").stdout == shell.start("-version").stdout != ""
    for line in (["-h"], ["kv", "-h"], ["kv", "get", "-help"], ["secrets", "tune", "--help"]):
        assert "Usage: wardgate" in shell.ok(*line)


def test_a_server_is_initialised_unsealed_and_sealed(new_server: Server, tmp_path: Path) -> None:
    operator = Shell(tmp_path, new_server.address)
    assert operator.run("status").returncode == 2
    assert operator.run("operator", "init", "-status").returncode == 2
    line = ["operator", "init", "-n=3", "-key-threshold=2", "-format=json"]
    made = json.loads(operator.ok(*line))
    keys = made["unseal_keys_b64"]
    assert len(keys) == 3

    assert "1/2" in operator.ok("operator", "unseal", "-", stdin=keys[0])
    assert "0/2" in operator.ok("operator", "unseal", "-reset")
    operator.ok("operator", "unseal", "-", stdin=keys[0])
    code, screen = operator.at_terminal(["operator", "unseal"], {"hidden": keys[2]})
    assert code == 0, screen
    assert keys[2] not in screen
    assert operator.run("status").returncode == 0

    operator.variables["VAULT_TOKEN"] = made["root_token"]
    assert "Key Term            2" in operator.ok("operator", "rotate")
    assert json.loads(operator.ok("operator", "key-status", "-format=json"))["term"] == 2
    operator.ok("operator", "seal")
    assert json.loads(operator.run("status", "-format=json").stdout)["sealed"] is True


def test_a_password_is_asked_for_and_not_shown(root: Shell, shell: Shell) -> None:
    root.ok("auth", "enable", "-path=door", "userpass")
    root.ok("write", "auth/door/users/bob", "password=-", stdin="pa55")
    line = ["login", "-method=userpass", "-path=door", "username=bob"]
    code, screen = shell.at_terminal(line, {"Password (will be hidden)": "pa55"})
    assert code == 0, screen
    assert "pa55" not in screen
    assert "token_policies" in screen

    assert shell.run(*line).returncode == 1
    code, screen = shell.at_terminal([*line, "-non-interactive"], {})
    assert (code, "-non-interactive" in screen) == (1, True)


def test_tls_needs_a_ca_that_is_known(target: Sequence[str], tmp_path: Path) -> None:
    with development(target, "-dev-tls", f"-dev-tls-cert-dir={tmp_path}") as server:
        user = Shell(tmp_path, server.address)
        untrusted = user.run("status")
        assert untrusted.returncode == 1
        assert "not trusted" in untrusted.stderr
        (ca,) = tmp_path.glob("*ca.pem")
        user.ok("status", f"-ca-cert={ca}")
        user.ok("status", "-tls-skip-verify")
        user.variables["VAULT_CACERT"] = str(ca)
        user.ok("status")
        wrong_name = user.run("status", "-tls-server-name=elsewhere.example")
        assert "not trusted" in wrong_name.stderr
        missing = user.run("status", "-ca-cert=/no/such/file")
        assert missing.returncode == 1
        assert "/no/such/file" in missing.stderr
