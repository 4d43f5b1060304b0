"""How a client decides whom to trust, and who it says it is."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from wardgate.client.failures import Misconfigured


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS settings. Every path is a PEM file, except `ca_path`, a directory of them.

    A given CA replaces the system's. `server_name` is what the certificate must name when it is
    not the host of the address. `skip_verify` turns off every check.
    """

    ca_cert: str | None = None
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    server_name: str | None = None
    skip_verify: bool = False

    def context(self) -> ssl.SSLContext:
        """Raises `Misconfigured` when a file is missing or is not what it should be."""
        if bool(self.client_cert) != bool(self.client_key):
            raise Misconfigured("a client certificate and its key go together: give both")
        context = ssl.create_default_context(cafile=None) if not self._own_ca else _empty_context()
        for path in self._ca_files():
            with _naming("CA certificate", path):
                context.load_verify_locations(cafile=path)
        if self.client_cert and self.client_key:
            with _naming("client certificate", self.client_cert):
                context.load_cert_chain(self.client_cert, self.client_key)
        if self.skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    @property
    def _own_ca(self) -> bool:
        return bool(self.ca_cert or self.ca_path)

    def _ca_files(self) -> list[str]:
        if self.ca_cert:
            return [self.ca_cert]
        if not self.ca_path:
            return []
        # OpenSSL's own directory lookup wants hashed file names; Vault's clients take any name.
        with _naming("CA directory", self.ca_path):
            return sorted(str(path) for path in Path(self.ca_path).iterdir() if path.is_file())


def _empty_context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class _naming:
    """Turns a failure with a file into one that says which file."""

    def __init__(self, what: str, path: str) -> None:
        self.what = what
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            reason = "not a usable PEM file" if isinstance(error, ssl.SSLError) else error.strerror
            raise Misconfigured(f"{self.what} {self.path}: {reason}") from error
