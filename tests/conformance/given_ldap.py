"""Directories that both servers use. Variables, all beginning with ``ldap_``:

url, tls_url, ca        a directory without and with TLS, and who has signed its certificate
client, client_key      a certificate and its key, which `demanding` knows
demanding               LDAPS of a directory that wants to see a certificate of its clients
unauthenticated         a directory that takes binds with a name alone, and lets everybody in by them
away, hanging           an address where nobody answers, and one where nobody says anything
windows                 the first directory, which knows groups by their identifiers and people by
                        their principal names, too
base, people, groups, posix, ad, elsewhere   DNs
deep                    the base of a directory with nested groups, at the same address
service, service_password   the service account
"""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.servers import free_port
from tests.services.active_directory import active_directory, serving
from tests.services.directory_entries import (
    AD,
    BASE,
    DEEP,
    GROUPS,
    PEOPLE,
    SERVICE,
    SERVICE_PASSWORD,
)
from tests.services.slapd import slapd


class _Hanging(socketserver.BaseRequestHandler):
    """Reads nothing and says nothing until the other side is gone or the tests end."""

    def handle(self) -> None:
        threading.Event().wait(600)


@contextmanager
def ldap() -> Iterator[dict[str, str]]:
    """The running directories' variables."""
    with ExitStack() as running:
        directory = running.enter_context(slapd())
        demanding = running.enter_context(slapd(client_certificates=True))
        unauthenticated = running.enter_context(slapd(unauthenticated_binds=True))
        client, key = demanding.client_pem
        yield {
            "url": directory.url,
            "tls_url": directory.tls_url,
            "ca": directory.ca_pem,
            "client": client,
            "client_key": key,
            "demanding": demanding.tls_url,
            "demanding_ca": demanding.ca_pem,
            "unauthenticated": unauthenticated.url,
            "away": f"ldap://127.0.0.1:{free_port()}",
            "hanging": f"ldap://{running.enter_context(serving(_Hanging))}",
            "windows": running.enter_context(active_directory(directory.port)),
            "base": BASE,
            "people": PEOPLE,
            "groups": GROUPS,
            "posix": f"ou=posix,{BASE}",
            "ad": AD,
            "elsewhere": f"ou=elsewhere,{BASE}",
            "deep": DEEP,
            "service": SERVICE,
            "service_password": SERVICE_PASSWORD,
        }
