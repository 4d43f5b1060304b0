"""A client's settings, as the environment gives them.

Every setting is read from ``WARDGATE_<NAME>``, else ``BAO_<NAME>``, else ``VAULT_<NAME>``; an
empty value counts as none. The names are those of the Vault CLI:
https://developer.hashicorp.com/vault/docs/commands#environment-variables
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from wardgate.client.failures import Misconfigured
from wardgate.client.tls import Tls
from wardgate.durations import parse_nanoseconds

PREFIXES = ("WARDGATE_", "BAO_", "VAULT_")
DEFAULT_ADDRESS = "https://127.0.0.1:8200"
DEFAULT_TIMEOUT = 60.0

_TRUE = frozenset({"1", "t", "true"})
_FALSE = frozenset({"0", "f", "false"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the server is and how to reach it. `timeout` is in seconds."""

    address: str = DEFAULT_ADDRESS
    token: str | None = field(default=None, repr=False)
    namespace: str | None = None
    tls: Tls = field(default_factory=Tls)
    timeout: float = DEFAULT_TIMEOUT

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> "Settings":
        """Raises `Misconfigured` when a variable has a value that cannot be used."""

        def read(name: str) -> str | None:
            return variable(name, environment)

        timeout = read("CLIENT_TIMEOUT")
        return Settings(
            address=read("ADDR") or DEFAULT_ADDRESS,
            token=read("TOKEN"),
            namespace=read("NAMESPACE"),
            tls=Tls(
                ca_cert=read("CACERT"),
                ca_path=read("CAPATH"),
                client_cert=read("CLIENT_CERT"),
                client_key=read("CLIENT_KEY"),
                server_name=read("TLS_SERVER_NAME"),
                skip_verify=switch("SKIP_VERIFY", environment),
            ),
            timeout=DEFAULT_TIMEOUT if timeout is None else _seconds("CLIENT_TIMEOUT", timeout),
        )


def variable(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The value of the first variable of that name that is set."""
    return next((value for p in PREFIXES if (value := environment.get(p + name))), None)


def switch(name: str, environment: Mapping[str, str] = os.environ) -> bool:
    """A variable that is on or off; off when it is not set."""
    value = (variable(name, environment) or "false").lower()
    if value not in _TRUE | _FALSE:
        raise Misconfigured(f"the environment's {name} must be true or false")
    return value in _TRUE


def _seconds(name: str, text: str) -> float:
    try:
        nanoseconds = parse_nanoseconds(text)
    except ValueError as error:
        raise Misconfigured(f"{name} must be a duration such as 90, 30s or 1h30m") from error
    if nanoseconds < 0:
        raise Misconfigured(f"{name} must not be negative")
    return nanoseconds / 1e9
