"""What a provider may send a browser back to is what the role lists, but for a loopback's port."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wardgate.auth.jwt.oidc.redirects import is_allowed

HOSTS = ["localhost", "127.0.0.1", "[::1]", "app.example", "localhost.example", "127.0.0.11"]
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """Addresses that are alike enough to be taken for each other."""
    scheme = draw(st.sampled_from(["http", "https", "HTTP", "app"]))
    user = draw(st.sampled_from(["", "", "", "localhost@", "a:b@"]))
    port = draw(st.sampled_from(["", ":", ":1", ":8250", ":08250", ":65536", ":x"]))
    path = draw(st.sampled_from(["", "/", "/cb", "/cb/", "/cb?a=b", "/cb#a", "/%63b", "\\cb"]))
    return f"{scheme}://{user}{draw(st.sampled_from(HOSTS))}{port}{path}"


def without_port(address: str) -> str | None:
    """The address without its port, taken apart by hand."""
    scheme, _, rest = address.partition("://")
    end = min((rest.find(sign) for sign in "/?#" if sign in rest), default=len(rest))
    where, behind = rest[:end], rest[end:]
    host, colon, port = where.rpartition(":")
    if not colon or "]" in port:
        host = where
    elif port and not port.isdigit():
        return None
    return f"{scheme}://{host}{behind}"


@given(addresses() | st.text(), st.lists(addresses(), max_size=3))
@example("http://localhost:1\n/cb", ["http://localhost:1/cb"])
@example("http://localhost:1\\@evil.example/cb", ["http://localhost:2\\@evil.example/cb"])
def test_nothing_else_is_allowed(uri: str, allowed: list[str]) -> None:
    if not is_allowed(uri, allowed):
        return
    if urlsplit(uri).hostname not in LOOPBACK:
        assert uri in allowed
    else:
        assert without_port(uri) in [without_port(each) for each in allowed]


@given(addresses())
def test_what_is_listed_is_allowed_if_it_is_an_address(uri: str) -> None:
    port = urlsplit(uri).netloc.rpartition(":")[2]
    sound = "\\" not in uri and (":" not in urlsplit(uri).netloc or port not in ("65536", "x"))
    if sound or (urlsplit(uri).hostname not in LOOPBACK and "\\" not in uri):
        assert is_allowed(uri, [uri])


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_program_may_listen_on_any_port_of_the_loopback_and_nothing_else_may_differ(
    host: str,
) -> None:
    listed = [f"http://{host}:8250/cb", f"https://{host}:8250/cb"]
    assert is_allowed(f"http://{host}:65535/cb", listed)
    assert is_allowed(f"http://{host}/cb", listed)
    assert is_allowed(listed[1], listed)
    for other in (
        f"HTTP://{host}:1/cb", f"http://{host.upper()}x:1/cb", f"http://{host}:1/cb#",
        f"http://{host}:1/cb?", f"http://{host}:0/cb", f"http://{host}:01/cb",
        f"http://{host}:65536/cb", f"http://{host}:/cb", f"https://{host}:1/cb",
        f"http://u@{host}:1/cb",
    ):  # fmt: skip
        assert not is_allowed(other, listed)
