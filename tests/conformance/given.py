"""Local services whose variables scenarios can use: both servers talk to the same one.

A topic names a service with a line `given NAME`. It is started when the first scenario needs it,
lives until the run ends, and gives variables: addresses, certificates, keys, tokens that it signed.
Their names begin with the service's own and an underscore, so that `$kubernetes_ca` comes from
`given kubernetes`. A text with line ends, such as PEM, goes into a body by the option `field`, which
escapes it; a text in the body itself has to be what JSON takes there.

A new service is a function that starts it, as a context manager of its variables without that
beginning, and a line in `SERVICES`.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack

from tests.conformance.given_kubernetes import kubernetes
from tests.conformance.given_ldap import ldap
from tests.conformance.given_oidc import oidc

Variables = Mapping[str, str]
Start = Callable[[], AbstractContextManager[Variables]]

SERVICES: dict[str, Start] = {"kubernetes": kubernetes, "ldap": ldap, "oidc": oidc}


class Given:
    """The services that the scenarios have asked for so far, each started once."""

    def __init__(self, running: ExitStack, services: Mapping[str, Start] = SERVICES) -> None:
        """`running` stops them when it is closed."""
        self._running = running
        self._services = services
        self._variables: dict[str, Variables] = {}

    def variables(self, names: Iterable[str]) -> dict[str, str]:
        """The variables of these services. Raises `KeyError` for one that is not known."""
        found: dict[str, str] = {}
        for name in names:
            if name not in self._variables:
                self._variables[name] = self._running.enter_context(self._services[name]())
            found |= {f"{name}_{key}": value for key, value in self._variables[name].items()}
        return found
