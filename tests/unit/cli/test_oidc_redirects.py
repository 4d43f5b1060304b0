"""Where a provider is told to send the browser back to, when that is the server."""

import pytest

from wardgate.cli.failure import UsageError
from wardgate.cli.login_methods.oidc import _redirect_to_server
from wardgate.cli.options import GlobalOptions
from wardgate.cli.session import Session


def redirect(address: str, namespace: str | None = None, **given: str) -> str:
    session = Session(GlobalOptions(address=address, namespace=namespace))
    return _redirect_to_server(session, given, "people")


def test_it_is_the_servers_address() -> None:
    below = "/v1/auth/people/oidc/callback"
    assert redirect("https://wardgate.example") == f"https://wardgate.example{below}"
    assert redirect("http://[::1]:8200") == f"http://[::1]:8200{below}"
    nested = redirect("https://a.example:8200", namespace="/team/one/")
    assert nested == "https://a.example:8200/v1/team/one/auth/people/oidc/callback"


def test_its_parts_can_be_others() -> None:
    found = redirect(
        "http://10.0.0.1:8200",
        callbackmethod="https",
        callbackhost="wardgate.example",
        callbackport="443/v1/auth/people",
    )
    assert found == "https://wardgate.example:443/v1/auth/people/oidc/callback"


def test_a_socket_is_no_address_for_a_browser() -> None:
    with pytest.raises(UsageError, match="callbackhost"):
        redirect("unix:///run/wardgate.sock")
    found = redirect("unix:///run/a", callbackhost="a.example", callbackmethod="https")
    assert found == "https://a.example/v1/auth/people/oidc/callback"


@pytest.mark.parametrize("address", ["https://[", "https://a.example:port"])
def test_an_address_that_is_no_url_is_said_to_be_none(address: str) -> None:
    with pytest.raises(UsageError, match="no URL"):
        redirect(address)
