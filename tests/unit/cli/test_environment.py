"""A client's settings from the environment."""

import pytest

from wardgate.client import Misconfigured, Settings


def test_wardgates_own_names_win_over_those_of_bao_and_vault() -> None:
    names = ["WARDGATE_ADDR", "BAO_ADDR", "VAULT_ADDR"]
    environment = {name: f"http://{name.lower().replace('_', '-')}" for name in names}
    for name in names:
        assert Settings.from_environment(environment).address == environment[name]
        environment[name] = ""
    assert Settings.from_environment(environment).address == "https://127.0.0.1:8200"


def test_every_setting_has_its_variable() -> None:
    settings = Settings.from_environment(
        {
            "VAULT_TOKEN": "s.token",
            "VAULT_NAMESPACE": "team",
            "VAULT_CACERT": "ca",
            "VAULT_CAPATH": "cas",
            "VAULT_CLIENT_CERT": "cert",
            "VAULT_CLIENT_KEY": "key",
            "VAULT_TLS_SERVER_NAME": "name",
            "VAULT_SKIP_VERIFY": "1",
            "VAULT_CLIENT_TIMEOUT": "1m30s",
        }
    )
    assert (settings.token, settings.namespace, settings.timeout) == ("s.token", "team", 90)
    assert (settings.tls.ca_cert, settings.tls.ca_path) == ("ca", "cas")
    assert (settings.tls.client_cert, settings.tls.client_key) == ("cert", "key")
    assert (settings.tls.server_name, settings.tls.skip_verify) == ("name", True)
    assert "s.token" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"), [("VAULT_SKIP_VERIFY", "maybe"), ("BAO_CLIENT_TIMEOUT", "soon")]
)
def test_a_variable_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=name.partition("_")[2]) as caught:
        Settings.from_environment({name: value})
    assert value not in str(caught.value)


def test_a_timeout_keeps_its_part_of_a_second() -> None:
    assert Settings.from_environment({"VAULT_CLIENT_TIMEOUT": "1500ms"}).timeout == 1.5


def test_a_timeout_is_not_negative() -> None:
    with pytest.raises(Misconfigured, match="CLIENT_TIMEOUT must not be negative"):
        Settings.from_environment({"VAULT_CLIENT_TIMEOUT": "-1s"})
