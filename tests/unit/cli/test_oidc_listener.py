"""The listener to which a browser comes back after a login."""

import ipaddress
import socket
import threading
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

from wardgate.cli.failure import CommandFailed
from wardgate.cli.login_methods.oidc_listener import Callback, Listener
from wardgate.pages import HEADERS

STATE = "st_of-this-login"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener("localhost", 0) as listener:
        listener.expect(STATE)
        yield listener


def ask(listener: Listener, path: str, form: bytes | None = None) -> tuple[int, str]:
    """Status and text of an answer, whose headers have to be those of a page."""
    url = f"http://127.0.0.1:{listener.port}{path}"
    try:
        response = urllib.request.urlopen(url, form, timeout=60)
    except HTTPError as error:
        response = error
    with response:
        for name, value in HEADERS:
            assert response.headers[name] == value
        return response.status, response.read().decode()


def answered(listener: Listener, path: str, form: bytes | None = None) -> tuple[Callback, str]:
    """What a request brings when it is taken, and the page that it sees."""
    found: list[tuple[int, str]] = []
    browser = threading.Thread(target=lambda: found.append(ask(listener, path, form)))
    browser.start()
    callback = listener.wait(60)
    assert callback is not None
    callback.answer("Done <b>", "text & more")
    browser.join(60)
    assert found[0][0] == 200
    return callback, found[0][1]


def test_it_takes_the_login_that_it_waits_for(listener: Listener) -> None:
    query = urlencode({"state": STATE, "code": "c", "iss": "https://p.example", "other": "x"})
    callback, text = answered(listener, f"/oidc/callback?{query}")
    assert callback.fields == {"state": STATE, "code": "c", "iss": "https://p.example"}
    assert not callback.posted
    assert "Done &lt;b&gt;" in text
    assert "text &amp; more" in text


def test_it_takes_a_form(listener: Listener) -> None:
    form = urlencode({"state": STATE, "id_token": "a.b.c"}).encode()
    callback, _ = answered(listener, "/oidc/callback", form)
    assert callback.posted
    assert callback.fields == {"state": STATE, "id_token": "a.b.c"}


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/", None, 404),
        ("/favicon.ico", None, 404),
        (f"/oidc/callback/?state={STATE}", None, 404),
        ("/oidc/callback", None, 400),
        ("/oidc/callback?state=&code=c", None, 400),
        (f"/oidc/callback?state={STATE}x&code=c", None, 400),
        (f"/oidc/callback?state={STATE[:-1]}&code=c", None, 400),
        ("/oidc/callback?state=%ff", None, 400),
        (f"/oidc/callback?state=x&state={STATE}", None, 400),
        (f"/oidc/callback?state={STATE}&" + "a=b&" * 60, None, 400),
        (f"/oidc/callback?state={STATE}", b"code=c", 400),
        ("/oidc/callback", b"a" * (256 * 1024 + 1), 413),
    ],
)
def test_what_it_does_not_wait_for_changes_nothing(
    listener: Listener, path: str, form: bytes | None, status: int
) -> None:
    found, text = ask(listener, path, form)
    assert found == status
    assert STATE not in text
    answered(listener, f"/oidc/callback?state={STATE}")


def test_a_login_is_taken_once(listener: Listener) -> None:
    answered(listener, f"/oidc/callback?state={STATE}")
    assert ask(listener, f"/oidc/callback?state={STATE}")[0] == 400


def test_nothing_is_taken_before_a_login_is_known() -> None:
    with Listener("localhost", 0) as listener:
        assert ask(listener, "/oidc/callback?state=")[0] == 400
        listener.expect("")  # from a provider's address without a state
        assert ask(listener, "/oidc/callback?state=")[0] == 400


def test_it_gives_up() -> None:
    with Listener("localhost", 0) as listener:
        assert listener.wait(0.01) is None


def test_a_browser_that_says_nothing_is_in_nobodys_way(listener: Listener) -> None:
    with socket.create_connection(("127.0.0.1", listener.port)):
        answered(listener, f"/oidc/callback?state={STATE}")


def test_it_is_for_this_machine_alone(listener: Listener) -> None:
    addresses = [str(server.server_address[0]) for server in listener._servers]
    assert addresses
    assert all(ipaddress.ip_address(each).is_loopback for each in addresses)


def test_a_port_that_is_taken_is_said(listener: Listener) -> None:
    with pytest.raises(CommandFailed, match="give another port="):
        Listener("127.0.0.1", listener.port)


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b", "a\0b"])
def test_an_address_of_another_machine_is_said(host: str) -> None:
    with pytest.raises(CommandFailed, match=r"listenaddress: .*; give an address of this machine"):
        Listener(host, 0)


@pytest.mark.parametrize(
    ("headers", "status", "text"),
    [
        ({}, 411, "The form came without its length (Content-Length)."),
        ({"Content-Length": "-1"}, 411, "The form came without its length (Content-Length)."),
        ({"Content-Length": "300000"}, 413, "The form is too long."),
        ({"Content-Length": "9" * 5000}, 413, "The form is too long."),
    ],
    ids=["none", "negative", "long", "endless"],
)
def test_a_form_without_a_length_or_of_a_great_one_is_refused(
    listener: Listener, headers: dict[str, str], status: int, text: str
) -> None:
    connection = HTTPConnection("127.0.0.1", listener.port, timeout=60)
    connection.putrequest("POST", "/oidc/callback")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == status
    assert text in response.read().decode()
    connection.close()
