"""OpenID providers that both servers use: `provider` and `mock` are the addresses of those of
`tests.providers`, `client_id` and `client_secret` as whom the servers are known there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.providers import CLIENT_ID, CLIENT_SECRET, oidc_provider, oidc_provider_mock

_CALLBACKS = (  # of a listener and of a server, on any port
    "http://localhost:1/oidc/callback",
    "http://127.0.0.1:1/v1/auth/oidc/oidc/callback",
)


@contextmanager
def oidc() -> Iterator[Mapping[str, str]]:
    """The providers, and what scenarios have to know of them."""
    with oidc_provider(_CALLBACKS) as provider, oidc_provider_mock() as mock:
        yield {
            "provider": provider.issuer,
            "mock": mock.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }
