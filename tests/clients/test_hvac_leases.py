"""hvac finds, looks up and revokes leases."""

from collections.abc import Callable
from typing import Any

import hvac
import pytest
from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest

Connect = Callable[[str], hvac.Client]


def _login(client: Any, connect: Connect, mount: str) -> hvac.Client:
    """Somebody who has logged in at a new userpass mount."""
    client.sys.enable_auth_method("userpass", path=mount)
    client.auth.userpass.create_or_update_user("ada", password="pw", mount_point=mount)
    login = client.auth.userpass.login("ada", "pw", use_token=False, mount_point=mount)
    return connect(login["auth"]["client_token"])


def test_a_login_is_found_looked_up_and_ended(client: Any, connect: Connect, name: str) -> None:
    ada: Any = _login(client, connect, name)
    assert ada.is_authenticated()
    path = f"auth/{name}/login/ada"
    (key,) = client.sys.list_leases(prefix=path)["data"]["keys"]
    lease = client.sys.read_lease(f"{path}/{key}")["data"]
    assert lease["path"] == path
    assert lease["renewable"] is True
    with pytest.raises(InvalidRequest):
        client.sys.renew_lease(f"{path}/{key}")
    with pytest.raises(Forbidden):
        ada.sys.list_leases(prefix=path)
    assert client.sys.revoke_lease(f"{path}/{key}").status_code == 204
    assert not ada.is_authenticated()
    with pytest.raises(InvalidRequest):
        client.sys.read_lease(f"{path}/{key}")


@pytest.mark.parametrize("how", ["revoke_prefix", "revoke_force"])
def test_a_prefix_is_revoked(client: Any, connect: Connect, name: str, how: str) -> None:
    ada: Any = _login(client, connect, name)
    assert getattr(client.sys, how)(prefix=f"auth/{name}").status_code == 204
    assert not ada.is_authenticated()
    with pytest.raises(InvalidPath):
        client.sys.list_leases(prefix=f"auth/{name}")
