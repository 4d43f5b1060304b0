"""A real directory: Debian's slapd as a process of its own over a temporary folder.

People and groups are those of `tests.services.directory_entries`. It listens on a port for LDAP (with
StartTLS) and one for LDAPS, both on the loopback; its certificate is made when it starts. It refuses
simple binds of nobody ("unauthenticated binds") unless it was started to allow them, as old
directories do.
"""

import atexit
import functools
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.server.certificates import Authority, Certificate
from tests.servers import free_port
from tests.services.directory_entries import (
    BASE,
    DEEP,
    GROUPS,
    MANAGER,
    PASSWORDS,
    PEOPLE,
    SCHEMA,
    SECRET,
    SERVICE,
    SERVICE_PASSWORD,
    deep_ldif,
    ldif,
)

START_SECONDS = 60.0
STOP_SECONDS = 30.0
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LDAPNOINIT": "1"}  # nobody's own settings
_SLAPD = "/usr/sbin/slapd"
_SCHEMAS = ("core", "cosine", "nis", "inetorgperson", "dyngroup")


@dataclass
class Slapd:
    """A directory that can be stopped and started again on the same ports."""

    folder: Path
    authority: Authority
    client: Certificate
    port: int
    tls_port: int
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Its address without TLS, or for StartTLS."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """Its address for LDAPS."""
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def ca_pem(self) -> str:
        """The authority that has signed its certificate and the client's."""
        return self.authority.ca_file.read_text()

    @property
    def client_pem(self) -> tuple[str, str]:
        """Certificate and key of a client that the directory knows."""
        return self.client.cert_file.read_text(), self.client.key_file.read_text()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it answers on both ports."""
        log = self.folder / "slapd.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    _SLAPD,
                    *("-d", "none"),
                    *("-f", str(self.folder / "slapd.conf")),
                    *("-h", f"{self.url}/ {self.tls_url}/"),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        while not (_listens(self.port) and _listens(self.tls_port)):
            assert self._process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "slapd does not answer"
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it; connections to it are closed."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def add(self, entries: str, base: str = BASE) -> None:
        """Add entries in LDIF."""
        self._as_manager("ldapadd", entries, base)

    def change(self, changes: str, base: str = BASE) -> None:
        """Make changes in LDIF."""
        self._as_manager("ldapmodify", changes, base)

    def remove(self, dn: str) -> None:
        """Remove an entry."""
        self._as_manager("ldapmodify", f"dn: {dn}\nchangetype: delete\n", BASE)

    def _as_manager(self, program: str, text: str, base: str) -> None:
        command = [program, "-x", "-H", self.url, "-D", f"{MANAGER},{base}", "-w", SECRET]
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, env=_ENVIRONMENT, check=False
        )
        assert done.returncode == 0, done.stderr.decode()


@contextmanager
def slapd(
    *, client_certificates: bool = False, unauthenticated_binds: bool = False
) -> Iterator[Slapd]:
    """A running directory. With `client_certificates` TLS is for those alone who show one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = Authority(folder)
        certificate, client = authority.issue("directory"), authority.issue("client")
        directory = Slapd(folder, authority, client, free_port(), free_port())
        lines = [
            *(f"include /etc/ldap/schema/{each}.schema" for each in _SCHEMAS),
            SCHEMA,
            "modulepath /usr/lib/ldap",
            *(f"moduleload {each}" for each in ("back_mdb", "memberof", "dynlist")),
            f"TLSCACertificateFile {authority.ca_file}",
            f"TLSCertificateFile {certificate.cert_file}",
            f"TLSCertificateKeyFile {certificate.key_file}",
            f"TLSVerifyClient {'demand' if client_certificates else 'never'}",
            *(["allow bind_anon_cred bind_anon_dn"] if unauthenticated_binds else []),
            f"pidfile {folder}/pid",
            *_database(folder, BASE, "overlay memberof\nmemberof-refint TRUE"),
            *_database(
                folder,
                DEEP,
                "overlay dynlist\n"
                "dynlist-attrset groupOfURLs memberURL member+memberOf@groupOfNames*",
            ),
        ]
        (folder / "slapd.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        directory.start()
        try:
            # not by slapadd, which leaves memberOf out
            directory.add(ldif())
            directory.add(deep_ldif(), DEEP)
            yield directory
        finally:
            directory.stop()


@functools.cache
def shared_slapd() -> Slapd:
    """A directory for all tests of this process that leave it as it was; stopped when that ends."""
    running = ExitStack()
    atexit.register(running.close)
    return running.enter_context(slapd())


def _database(folder: Path, suffix: str, overlay: str) -> list[str]:
    """What only somebody who is known may read is the same in both: people and their groups."""
    place = folder / suffix.replace(",", "-")
    place.mkdir()
    return [
        "database mdb",
        f'suffix "{suffix}"',
        f"directory {place}",
        "dbnosync",
        "maxsize 33554432",
        f'rootdn "{MANAGER},{suffix}"',
        f"rootpw {SECRET}",
        # a search gets five entries at most, unless it asks for pages of three at most
        "sizelimit size.soft=5 size.hard=5 size.pr=3 size.prtotal=unlimited",
        "index objectClass eq",
        "access to attrs=userPassword by anonymous auth by * none",
        f'access to dn.subtree="ou=hidden,{suffix}" by users read by * none',
        "access to * by * read",
        overlay,
    ]


def main() -> None:
    """Run a directory until this is interrupted, and say how to try a server against it."""
    with slapd() as directory, suppress(KeyboardInterrupt):
        print(f"""A directory is running. In another terminal, with a server that runs:

    vault auth enable ldap
    vault write auth/ldap/config url={directory.url} userattr=uid \\
      userdn={PEOPLE} groupdn={GROUPS} \\
      binddn={SERVICE} bindpass={SERVICE_PASSWORD}
    vault write auth/ldap/groups/engineers policies=default
    vault login -method=ldap username=ada password={PASSWORDS["ada"]}
""")
        signal.pause()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
