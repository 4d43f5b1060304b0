"""`wardgate` and `bao` say the same about the same server: JSON, tables, exit codes.

What needs the identity engine is asked of OpenBao.
"""

import json
import re
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.clients.shell import Shell
from tests.server_process import WAIT
from tests.servers import OPENBAO, ROOT_TOKEN, Server, development, uninitialised

# What differs between two answers of one server to the same question.
CHANGING = frozenset(
    [
        *("request_id", "client_token", "accessor", "token", "wrapped_accessor", "id"),
        *("creation_time", "created_time", "updated_time", "deletion_time", "expire_time"),
        *("issue_time", "install_time", "ttl", "lease_duration", "encryptions", "term"),
        *("version", "current_version", "current_metadata_version", "versions", "entity_id"),
    ]
)

JSON = [
    "status",
    "operator init -status",
    "operator key-status",
    "operator rotate",
    "operator rotate-keys -status",
    "operator generate-root -status",
    "operator generate-root -decode=KxwE -otp=XXX",
    "read sys/mounts",
    "read sys/seal-status",
    "read sys/leader",
    "read sys/mounts/secret/tune",
    "read cubbyhole/all",
    "read -field=map cubbyhole/all",
    "read -field=empty cubbyhole/all",
    "read -wrap-ttl=60 cubbyhole/all",
    "list sys/policies/acl",
    "write sys/capabilities-self paths=secret/x paths=secret/y",
    "write cubbyhole/b a=1",
    "delete cubbyhole/b",
    "kv get secret/app",
    "kv get -mount=secret -version=1 app",
    "kv get -field=a secret/app",
    "kv get secret/gone",
    "kv get one/app",
    "kv put secret/b a=1",
    "kv put one/b a=1",
    "kv patch secret/b b=2",
    "kv rollback -version=1 secret/b",
    "kv list secret",
    "kv list one",
    "kv delete secret/b",
    "kv metadata get secret/app",
    "kv metadata put -max-versions=3 secret/b",
    "policy list",
    "policy read default",
    "token create",
    "token create -ttl=1h -policy=default -metadata=a=b -orphan -display-name=x -use-limit=3",
    "token create -wrap-ttl=60",
    "token lookup",
    "token renew child",
    "token renew -increment=10m child",
    "token lookup child",
    "token capabilities secret/x",
    "token capabilities child secret/x",
    "auth list",
    "secrets list",
    "lease lookup LEASE",
    "audit list",
    "login root",
    "login -no-store -method=userpass username=u password=pw",
    "login -no-store -wrap-ttl=60 -method=userpass username=u password=pw",
]

TABLES = [
    "status",
    "read cubbyhole/all",
    "read sys/mounts/secret/tune",
    "read one/app",
    "read -field=map cubbyhole/all",
    "read -field=ttl cubbyhole/all",
    "read -field=f cubbyhole/all",
    "list cubbyhole",
    "kv get secret/app",
    "kv get -version=1 secret/app",
    "kv get secret/gone",
    "kv get one/app",
    "kv list secret",
    "kv metadata get secret/app",
    "policy list",
    "policy read default",
    "token lookup",
    "token capabilities secret/x",
    "lease lookup LEASE",
    "secrets list",
    "secrets list -detailed",
    "auth list -detailed",
    "audit list",
    "audit list -detailed",
    "print token",
]

FAILURES = [
    "",
    "nope",
    "kv",
    "kv nope",
    "kv metadata",
    "read",
    "read -nope=1 cubbyhole/all",
    "read -format=nope cubbyhole/all",
    "read -field=nope cubbyhole/all",
    "read cubbyhole/none",
    "read nosuch/path",
    "read sys/policies/acl/x/y/z",
    "list cubbyhole/none",
    "list -format=json cubbyhole/none",
    "delete nosuch/path",
    "write cubbyhole/x",
    "write cubbyhole/x novalue",
    "write cubbyhole/x a=@/no/such/file",
    "patch cubbyhole/all a=1",
    "kv get",
    "kv get a b",
    "kv get secret/none",
    "kv get -field=nope secret/app",
    "kv get -field=a secret/gone",
    "kv get nomount/x",
    "kv put secret/app",
    "kv put -cas=99 secret/app a=1",
    "kv patch secret/none a=1",
    "kv undelete secret/app",
    "kv rollback secret/app",
    "kv rollback -version=99 secret/app",
    "kv metadata get secret/none",
    "kv metadata get one/app",
    "policy read none",
    "policy delete root",
    "policy write x",
    "policy fmt /no/such/file",
    "token create -ttl=bad",
    "token create -metadata=bad",
    "token create extra",
    "token create -role=none",
    "token lookup s.none",
    "token lookup a b",
    "token lookup -accessor",
    "token renew",
    "token revoke",
    "token revoke -self x",
    "token revoke -mode=bad x",
    "token capabilities",
    "lease",
    "lease lookup",
    "lease lookup a b",
    "lease lookup no/thing",
    "lease renew",
    "lease renew LEASE",
    "lease renew no/thing",
    "lease renew -increment=bad no/thing",
    "lease revoke",
    "lease revoke a b",
    "lease revoke -force no/thing",
    "audit",
    "audit enable",
    "audit enable nosuch",
    "audit enable file",
    "audit disable",
    "audit list x",
    "secrets enable",
    "secrets enable nosuch",
    "secrets enable -path=secret kv",
    "secrets tune nomount",
    "secrets move nomount other",
    "auth enable nosuch",
    "unwrap s.none",
    "operator init",
    "operator seal x",
    "operator rotate-keys",
    "operator rotate-keys -nonce=x key",
    "operator rotate-keys -verify -status",
    "operator rotate-keys -backup-retrieve",
    "operator rotate-keys -init -key-shares=3 -key-threshold=4",
    "operator rotate-keys -init -pgp-keys=/no/such/file",
    "operator generate-root",
    "operator generate-root -init -otp=short",
    "operator generate-root -decode=!! -otp=x",
    "operator generate-root -decode=x",
    "login s.none",
    "login -method=nosuch",
    "login -no-store -method=userpass username=u password=wrong",
    "status x",
    "status -address=http://127.0.0.1:1",
    "read -address=http://127.0.0.1:1 x",
]


@pytest.fixture(scope="module")
def root(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    values = {"ttl": 90, "f": 1.25, "map": {"a": [1, None, True, ""], "b": "x"}, "empty": ""}
    shell = Shell(tmp_path_factory.mktemp("home"), server.address, {"VAULT_TOKEN": ROOT_TOKEN})
    for line, stdin in (
        ("write cubbyhole/all -", json.dumps(values | {"lines": "a\nb", "list": [], "n": None})),
        ("kv put secret/app a=1 b=2", ""),
        ("kv put secret/app a=2", ""),
        ("kv put secret/b a=1", ""),
        ("kv put secret/gone a=1", ""),
        ("kv delete secret/gone", ""),
        ("secrets enable -path=one -version=1 kv", ""),
        ("kv put one/app a=1", ""),
        ("auth enable userpass", ""),
        ("audit enable -path=none -description=nothing -local file file_path=discard", ""),
        ("audit enable file file_path=discard", ""),
        ("audit disable file", ""),
        ("write auth/userpass/users/u password=pw", ""),
        ("token create -id=child -ttl=1h -policy=default", ""),
        ("write auth/token/roles/leased path_suffix=leased", ""),
        ("token create -role=leased -ttl=1h", ""),
    ):
        shell.ok(*line.split(), stdin=stdin)
    return shell


LEASES = "auth/token/create/leased/leased"


def _with_lease(shell: Shell, line: str) -> str:
    """The line with the id of a lease for the word LEASE."""
    if "LEASE" not in line:
        return line
    (name,) = json.loads(shell.ok("lease", "list", "-format=json", LEASES))
    return line.replace("LEASE", f"{LEASES}/{name}")


@pytest.mark.parametrize("line", JSON)
def test_json_is_equal(line: str, root: Shell) -> None:
    _compare_json(root, line)


@pytest.mark.parametrize("line", TABLES)
def test_tables_have_the_same_facts(line: str, root: Shell) -> None:
    _compare_tables(root, line)


@pytest.mark.parametrize("line", FAILURES)
def test_failures_have_the_same_exit_code_and_stay_off_stdout(line: str, root: Shell) -> None:
    line = _with_lease(root, line)
    theirs = root.start(*line.split(), program="bao")
    ours = root.run(*line.split())
    assert ours.returncode == theirs.returncode != 0
    assert ours.stdout == theirs.stdout
    assert ours.stdout or ours.stderr


def test_a_list_of_leases_is_what_bao_lists(root: Shell) -> None:
    for prefix in ("", "auth", "auth/token/create/leased/", LEASES, "no/thing"):
        path = f"sys/leases/lookup/{prefix}".rstrip("/")
        theirs = root.start("list", "-format=json", path, program="bao")
        ours = root.run("lease", "list", "-format=json", *([prefix] if prefix else []))
        assert (ours.returncode, _json(ours.stdout)) == (theirs.returncode, _json(theirs.stdout))


@pytest.mark.parametrize("program", ["wardgate", "bao"])
@pytest.mark.parametrize(
    "options", [(), ("-sync",), ("-prefix",), ("-prefix", "-sync"), ("-prefix", "-force")]
)
def test_a_lease_is_revoked(root: Shell, program: str, options: tuple[str, ...]) -> None:
    suffix = "-".join([program, *(option.strip("-") for option in options)])
    root.ok("write", "auth/token/roles/ended", f"path_suffix={suffix}")
    made = json.loads(root.ok("token", "create", "-role=ended", "-ttl=1h", "-format=json"))
    token = made["auth"]["client_token"]
    named = f"auth/token/create/ended/{suffix}"
    if "-prefix" not in options:
        (name,) = json.loads(root.ok("lease", "list", "-format=json", named))
        named = f"{named}/{name}"
    done = root.start("lease", "revoke", *options, named, program=program)
    assert done.returncode == 0, done.stderr
    deadline = time.monotonic() + WAIT
    while not root.run("token", "lookup", token).returncode:
        assert time.monotonic() < deadline, "the token goes on"
        time.sleep(0.05)


def test_what_is_known_of_each_name_is_the_same(
    server: Server, target: Sequence[str], tmp_path: Path
) -> None:
    with nullcontext(server) if target is OPENBAO else development(OPENBAO) as openbao:
        root = Shell(tmp_path, openbao.address, {"VAULT_TOKEN": ROOT_TOKEN})
        root.ok("write", "identity/entity", "name=somebody")
        _compare_json(root, "list -detailed identity/entity/id")
        _compare_tables(root, "list -detailed identity/entity/id")


def test_the_keys_of_a_new_server_are_the_same_json(target: Sequence[str], tmp_path: Path) -> None:
    found = []
    for program in ("wardgate", "bao"):
        with uninitialised(target) as server:
            shell = Shell(tmp_path, server.address)
            line = ["operator", "init", "-key-shares=2", "-key-threshold=2", "-format=json"]
            made = json.loads(shell.start(*line, program=program).stdout)
            line = ["operator", "unseal", "-format=json", made["unseal_keys_b64"][0]]
            half = json.loads(shell.start(*line, program=program).stdout)
            found.append([_shape(made), _shape(half)])
    assert found[0] == found[1]


def test_a_new_server_that_unseals_by_itself_gives_the_same_json(
    target: Sequence[str], tmp_path: Path
) -> None:
    blocks = f'\nseal "static" {{ current_key_id = "a" current_key = "{"5a" * 32}" }}\n'
    found = []
    for program in ("wardgate", "bao"):
        with uninitialised(target, blocks) as server:
            shell = Shell(tmp_path, server.address)
            line = ["operator", "init", "-recovery-shares=3", "-recovery-threshold=2"]
            made = json.loads(shell.start(*line, "-format=json", program=program).stdout)
            status = json.loads(shell.start("status", "-format=json", program=program).stdout)
            found.append([_shape(made), made["recovery_keys_threshold"], _shape(status)])
            _compare_tables(shell, "status")
    assert found[0] == found[1]


def _compare_json(shell: Shell, line: str) -> None:
    command = _with_option(_with_lease(shell, line), "-format=json")
    theirs = shell.start(*command, program="bao")
    ours = shell.run(*command)
    assert ours.returncode == theirs.returncode, ours.stderr
    assert _steady(_json(ours.stdout)) == _steady(_json(theirs.stdout))


def _compare_tables(shell: Shell, line: str) -> None:
    line = _with_lease(shell, line)
    theirs = shell.start(*line.split(), program="bao")
    ours = shell.run(*line.split())
    assert ours.returncode == theirs.returncode == 0
    assert _facts(ours.stdout) == _facts(theirs.stdout)


def _with_option(line: str, option: str) -> list[str]:
    """Behind the words of the command, where `bao` wants it."""
    words = line.split()
    groups = ("operator", "kv", "policy", "token", "auth", "secrets", "audit", "lease")
    depth = 1 + (words[0] in groups) + (words[:2] == ["kv", "metadata"])
    return [*words[:depth], option, *words[depth:]]


def _json(text: str) -> Any:
    # Some commands are silent when they have done what was asked, others say so even then.
    return json.loads(text) if text else None


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _shape(member) if key in CHANGING else _steady(member)
            for key, member in value.items()
        }
    return [_steady(member) for member in value] if isinstance(value, list) else value


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_shape(member) for member in value]
    return type(value).__name__


def _facts(text: str) -> list[str]:
    """The lines without what is only layout: spaces, rules and the frames of titles."""
    lines = (re.sub(r"\s+", " ", line).strip("= ") for line in text.splitlines())
    return [line for line in lines if line.strip("- ")]
