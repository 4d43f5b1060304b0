"""Connects to the directory: its addresses in turn, with or without TLS."""

import base64
import ipaddress
import os
import re
import socket
import ssl
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import msgspec

from wardgate.auth.ldap.config import Config
from wardgate.auth.ldap.connection import Connection, wrapped
from wardgate.auth.ldap.effort import DirectoryFailed, Effort

REST = 15.0
"""Seconds for which an address that did not answer is tried last."""
_PORTS = {"ldap": 389, "ldaps": 636}
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?")
_VERSIONS = {
    "tls10": ssl.TLSVersion.TLSv1,
    "tls11": ssl.TLSVersion.TLSv1_1,
    "tls12": ssl.TLSVersion.TLSv1_2,
    "tls13": ssl.TLSVersion.TLSv1_3,
}
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


class Address(msgspec.Struct, frozen=True):
    """Where a directory listens."""

    host: str
    port: int
    tls: bool

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, with nobody between."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def addresses(url: str) -> list[Address]:
    """The addresses in a configuration's ``url``. `ValueError` where one of them is none."""
    found = []
    for each in (part.strip(" ") for part in url.split(",")):
        parts = urlsplit(each)
        host = parts.hostname or ""
        if parts.scheme not in _PORTS or not _HOST.fullmatch(host) or parts.username is not None:
            raise ValueError
        if not each.isprintable():  # what is not would be left out
            raise ValueError
        if parts.path not in ("", "/") or parts.query or parts.fragment or parts.port == 0:
            raise ValueError
        tls = parts.scheme == "ldaps"
        found.append(Address(host, parts.port or _PORTS[parts.scheme], tls))
    return found


class Dialer:
    """Makes connections as a configuration says. For any number of threads."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._addresses = addresses(config.url)
        self._context = tls_context(config)
        self._resting: dict[Address, float] = {}

    def dial(self, effort: Effort) -> Connection:
        """A connection to the first address that answers. Raises `DirectoryFailed`."""
        failed = DirectoryFailed("no address is configured")
        for address in self._in_turn():
            try:
                connection = self._connected(address, effort)
            except DirectoryFailed as error:
                failed = error
                self._resting[address] = time.monotonic() + REST
            else:
                self._resting.pop(address, None)
                return connection
            effort.left()
        raise failed

    def _in_turn(self) -> list[Address]:
        """In the order of the configuration, those that did not answer just now behind the others."""
        now = time.monotonic()
        return sorted(self._addresses, key=lambda each: self._resting.get(each, 0.0) > now)

    def _connected(self, address: Address, effort: Effort) -> Connection:
        whole = effort.left()
        patience = Effort(min(whole, self._config.connection_timeout or whole))
        opened = _opened(address, patience)
        if address.tls:
            opened = wrapped(opened, self._context, address.host, patience)
        connection = Connection(opened, patience)
        if self._config.starttls and not address.tls:
            try:
                connection.start_tls(self._context, address.host)
            except DirectoryFailed:
                connection.close()
                raise
        connection.effort = effort
        return connection


def _opened(address: Address, effort: Effort) -> socket.socket:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise DirectoryFailed("the directory's name is not known") from None
    reason = "the directory cannot be reached"
    for tried, (family, kind, protocol, _, where) in enumerate(found):
        opened = socket.socket(family, kind, protocol)
        try:
            opened.settimeout(effort.left() / (len(found) - tried))  # one must leave time to others
            opened.connect(where)
        except ConnectionRefusedError:
            reason = "the directory cannot be reached: connection refused"
        except TimeoutError:
            reason = "the directory cannot be reached in time"
        except DirectoryFailed:
            opened.close()
            break
        except OSError:
            pass
        else:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return opened
        opened.close()
    raise DirectoryFailed(reason)


def tls_context(config: Config) -> ssl.SSLContext:
    """How TLS is spoken with the directory. `ValueError` where certificates or keys are none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with warnings.catch_warnings():  # of versions that whoever configures them has to know
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = _VERSIONS[config.tls_min_version]
        context.maximum_version = _VERSIONS[config.tls_max_version]
    if config.tls_min_version in ("tls10", "tls11"):
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL 3 has none for these else
    if config.insecure_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif config.certificate:
        try:
            context.load_verify_locations(cadata=_certificates(config.certificate))
        except (ssl.SSLError, ValueError, TypeError):
            raise ValueError("certificate") from None
    else:
        context.load_default_certs()
    if config.client_tls_cert:
        pem = f"{config.client_tls_cert}\n{config.client_tls_key}\n"
        try:
            with _file(pem) as path:
                # (a password that is asked for on the terminal would stop the server)
                context.load_cert_chain(path, password=lambda: b"")
        except (OSError, ValueError):
            raise ValueError("client") from None
    return context


def _certificates(text: str) -> str:
    """Certificates in PEM. `ValueError` where there is anything else: the text is shown to whoever may
    read the configuration, and a private key has no business there."""
    from cryptography import x509

    rest = _BLOCK.sub("", text)
    if rest.strip() or not _BLOCK.search(text):
        raise ValueError("not just certificates")
    for block in _BLOCK.finditer(text):
        x509.load_der_x509_certificate(base64.b64decode("".join(block[1].split()), validate=True))
    return text


@contextmanager
def _file(text: str) -> Iterator[str]:
    """A file that OpenSSL can read: in memory alone where the system can do that, else one for the
    owner's eyes that is gone at the end."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("client-certificate")
        try:
            os.write(descriptor, text.encode())
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        with tempfile.NamedTemporaryFile("w") as file:  # made with mode 0600
            file.write(text)
            file.flush()
            yield file.name
