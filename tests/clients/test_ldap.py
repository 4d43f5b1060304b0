"""People of a directory log in: by hvac, by the real `bao` and by `wardgate login`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import hvac
import pytest
from hvac.exceptions import InvalidRequest

from tests.clients.conftest import Bao
from tests.clients.shell import Shell
from tests.servers import Server, old_bao
from tests.services.directory_entries import (
    GROUPS,
    PASSWORDS,
    PEOPLE,
    SERVICE,
    SERVICE_PASSWORD,
)
from tests.services.slapd import shared_slapd

ADA = PASSWORDS["ada"]


@pytest.fixture
def mount(client: Any, name: str) -> str:
    """A mount before the directory; whoever is an engineer has the policy "eng"."""
    directory = shared_slapd()
    client.sys.enable_auth_method("ldap", path=name)
    client.auth.ldap.configure(
        userdn=PEOPLE,
        groupdn=GROUPS,
        url=directory.url,
        userattr="uid",
        binddn=SERVICE,
        bindpass=SERVICE_PASSWORD,
        starttls=True,
        certificate=directory.ca_pem,
        mount_point=name,
    )
    client.auth.ldap.create_or_update_group("engineers", policies=["eng"], mount_point=name)
    return name


def test_hvac_configures_and_logs_in(
    client: Any, connect: Callable[[str], hvac.Client], mount: str
) -> None:
    ldap = client.auth.ldap
    shown = ldap.read_configuration(mount_point=mount)["data"]
    assert (shown["userdn"], shown["starttls"]) == (PEOPLE, True)
    assert "bindpass" not in shown
    login = ldap.login("ada", ADA, mount_point=mount, use_token=False)
    assert login["auth"]["policies"] == ["default", "eng"]
    token = connect(login["auth"]["client_token"])
    assert token.auth.token.lookup_self()["data"]["meta"] == {"username": "ada"}
    assert token.auth.token.renew_self()["auth"]["renewable"] is True
    with pytest.raises(InvalidRequest, match="failed to bind as user"):
        ldap.login("ada", "wrong", mount_point=mount)


def test_hvac_maps_users_and_groups(client: Any, mount: str) -> None:
    ldap = client.auth.ldap
    ldap.create_or_update_user("kim", policies=["own"], groups=["engineers"], mount_point=mount)
    assert ldap.read_user("kim", mount_point=mount)["data"] == {
        "groups": "engineers",
        "policies": ["own"],
    }
    assert ldap.list_users(mount_point=mount)["data"]["keys"] == ["kim"]
    assert ldap.list_groups(mount_point=mount)["data"]["keys"] == ["engineers"]
    login = ldap.login("kim", PASSWORDS["kim"], mount_point=mount, use_token=False)
    assert login["auth"]["policies"] == ["default", "eng", "own"]
    ldap.delete_user("kim", mount_point=mount)
    ldap.delete_group("engineers", mount_point=mount)
    login = ldap.login("kim", PASSWORDS["kim"], mount_point=mount, use_token=False)
    assert login["auth"]["policies"] == ["default"]


def test_the_real_bao_logs_in(bao: Bao, mount: str) -> None:
    old = replace(bao, program=old_bao("2.6.2"))
    words = ("login", "-method=ldap", f"-path={mount}", "-no-store", "username=ada")
    done = old.json(*words, f"password={ADA}")
    assert done["auth"]["policies"] == ["default", "eng"]
    assert "failed to bind as user" in old.refused(*words, "password=wrong")


@pytest.fixture
def shell(server: Server, tmp_path: Path) -> Shell:
    return Shell(tmp_path, server.address)


def test_wardgate_takes_the_password_from_stdin_file_or_environment(
    shell: Shell, mount: str
) -> None:
    login = ("login", "-method=ldap", f"-path={mount}", "-field=token_meta_username")
    assert shell.ok(*login, "username=ada", "password=-", stdin=f"{ADA}\n") == "ada"
    assert (shell.home / ".vault-token").read_text()
    (shell.home / "password").write_text(f"{ADA}\n")
    assert shell.ok(*login, "username=ADA", "password=@password") == "ada"
    shell.variables["VAULT_LDAP_PASSWORD"] = ADA
    assert shell.ok(*login, "username=ada") == "ada"


def test_wardgate_asks_for_the_password_and_does_not_show_it(shell: Shell, mount: str) -> None:
    words = ["login", "-method=ldap", f"-path={mount}", "username=ada"]
    code, screen = shell.at_terminal(words, {"Password (will be hidden): ": ADA})
    assert (code, "Success!" in screen) == (0, True)
    assert ADA not in screen


def test_wardgate_takes_the_name_of_whoever_runs_it(shell: Shell, mount: str) -> None:
    login = ("login", "-method=ldap", f"-path={mount}", "-field=token_meta_username")
    shell.variables |= {"VAULT_LDAP_PASSWORD": ADA, "LOGNAME": "", "USER": ""}
    done = shell.run(*login)
    assert (done.returncode, "username=NAME" in done.stderr) == (1, True)
    shell.variables["USER"] = "ada"
    assert shell.ok(*login) == "ada"
    shell.variables["LOGNAME"] = "kim"
    assert shell.run(*login).returncode == 2  # with Ada's password
    assert shell.ok(*login, "username=ada") == "ada"
    assert shell.run(*login, "username=").returncode == 1


def test_wardgate_refuses_settings_that_it_does_not_know(shell: Shell, mount: str) -> None:
    login = ("login", "-method=ldap", f"-path={mount}", "username=ada", f"password={ADA}")
    done = shell.run(*login, "passwort=hunter2")
    assert (done.returncode, "ldap takes these settings: password, username" in done.stderr) == (
        1,
        True,
    )
    assert "hunter2" not in done.stderr


def test_wardgate_says_what_is_wrong_without_the_password(shell: Shell, mount: str) -> None:
    login = ("login", "-method=ldap", f"-path={mount}")
    done = shell.run(*login, "username=ada", "password=wrong-horse")
    assert (done.returncode, "failed to bind" in done.stderr) == (2, True)
    assert "wrong-horse" not in done.stderr
    assert shell.run(*login, "password=x").returncode == 1
    done = shell.run(*login, "username=ada")
    assert (done.returncode, "cannot be asked for" in done.stderr) == (1, True)
