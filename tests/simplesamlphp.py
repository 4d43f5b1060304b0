"""SimpleSAMLphp as an identity provider: Debian's package in PHP's own web server, on the loopback.

Its configuration, keys and data are in a temporary folder; nothing of the machine's own is touched.
People log in with a name and a password.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.saml_idp import Key
from tests.servers import START_SECONDS, STOP_SECONDS, ServerDidNotStart, free_port

WWW = Path("/usr/share/simplesamlphp/www")
PASSWORD = "not a secret outside of tests"
_PEOPLE = {"ada": ("engineers", "on-call"), "grace": ("admirals",)}
_EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


class Sp(msgspec.Struct, frozen=True, kw_only=True):
    """A server that people may log in to. `encryption` is the URI of an algorithm; assertions are
    encrypted to `certificate`, base64 of DER, where it is set."""

    entity_id: str
    acs_url: str
    sign_response: bool = True
    encryption: str = ""
    certificate: str = ""


class Idp(msgspec.Struct, frozen=True):
    """A provider that answers."""

    address: str
    folder: Path

    @property
    def metadata_url(self) -> str:
        return f"{self.address}/saml2/idp/metadata.php"

    def know(self, *sps: Sp) -> None:
        """From now on, people may log in to these servers."""
        known = "".join(f"$metadata[{_php(sp.entity_id)}] = {_php(_sp(sp))};\n" for sp in sps)
        # in one step, since the provider may read it at any time
        path = self.folder / "metadata" / "saml20-sp-remote.php"
        path.with_suffix(".new").write_text(f"<?php\n{known}")
        path.with_suffix(".new").replace(path)


def _sp(sp: Sp) -> dict[str, object]:
    keys = [{"type": "X509Certificate", "encryption": True, "signing": False}]
    return {
        "AssertionConsumerService": [{"Binding": _POST, "Location": sp.acs_url, "index": 0}],
        "NameIDFormat": _EMAIL,
        "simplesaml.nameidattribute": "mail",
        "saml20.sign.response": sp.sign_response,
        "saml20.sign.assertion": True,
        "assertion.encryption": bool(sp.encryption),
        **({"sharedkey_algorithm": sp.encryption} if sp.encryption else {}),
        "keys": [{**key, "X509Certificate": sp.certificate} for key in keys if sp.certificate],
    }


@contextmanager
def simplesamlphp() -> Iterator[Idp]:
    """A provider that knows nobody yet."""
    with tempfile.TemporaryDirectory(prefix="wardgate-idp-") as name:
        folder, port = Path(name), free_port()
        idp = Idp(f"http://127.0.0.1:{port}", folder)
        _configure(idp)
        idp.know()
        environment = {
            "PATH": os.environ["PATH"],
            "SIMPLESAMLPHP_CONFIG_DIR": str(folder / "config"),
            "PHP_CLI_SERVER_WORKERS": "2",
        }
        with (folder / "output").open("wb") as output:
            settings = ["-d", "display_errors=0", "-d", f"sys_temp_dir={folder}"]
            process = subprocess.Popen(
                ["php", *settings, "-S", f"127.0.0.1:{port}", "-t", str(WWW)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
            try:
                _wait_until_up(process, idp)
                yield idp
            finally:
                _stop(process)


def _configure(idp: Idp) -> None:
    key = Key()
    for name in ("config", "metadata", "cert", "data", "log", "tmp"):
        (idp.folder / name).mkdir()
    (idp.folder / "cert" / "server.pem").write_text(key.private_pem)
    (idp.folder / "cert" / "server.crt").write_text(key.certificate_pem)
    configuration = {
        "baseurlpath": f"{idp.address}/",
        "certdir": f"{idp.folder}/cert/",
        "loggingdir": f"{idp.folder}/log/",
        "datadir": f"{idp.folder}/data/",
        "tempdir": f"{idp.folder}/tmp",
        "metadatadir": f"{idp.folder}/metadata/",
        "secretsalt": os.urandom(16).hex(),
        "auth.adminpassword": os.urandom(16).hex(),
        "technicalcontact_email": "na@example.org",
        "timezone": "UTC",
        "logging.handler": "file",
        "enable.saml20-idp": True,
        "module.enable": {"exampleauth": True, "core": True, "saml": True},
        "session.cookie.secure": False,
        "session.cookie.samesite": None,
        "session.phpsession.savepath": f"{idp.folder}/tmp",
        "language.cookie.secure": False,
        "store.type": "phpsession",
        "metadata.sources": [{"type": "flatfile"}],
        "admin.checkforupdates": False,
        "authproc.idp": {},
    }
    people = {
        f"{name}:{PASSWORD}": {
            "uid": [name],
            "mail": [f"{name}@example.com"],
            "groups": list(groups),
        }
        for name, groups in _PEOPLE.items()
    }
    hosted = {
        "host": "__DEFAULT__",
        "privatekey": "server.pem",
        "certificate": "server.crt",
        "auth": "people",
    }
    files = {
        "config/config.php": f"$config = {_php(configuration)};",
        "config/authsources.php": f"$config = {_php({'people': _Userpass(people)})};",
        "metadata/saml20-idp-hosted.php": f"$metadata['__DYNAMIC:1__'] = {_php(hosted)};",
    }
    for name, text in files.items():
        (idp.folder / name).write_text(f"<?php\n{text}\n")


class _Userpass:
    """A source of people, which PHP writes as a list that has names, too."""

    def __init__(self, people: Mapping[str, object]) -> None:
        self.people = people


def _php(value: object) -> str:
    """A value as PHP writes it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        case _Userpass():
            return "['exampleauth:UserPass', " + _php(value.people)[1:]
        case dict():
            return "[" + ", ".join(f"{_php(k)} => {_php(v)}" for k, v in value.items()) + "]"
        case Sequence():
            return "[" + ", ".join(map(_php, value)) + "]"
        case _:
            raise TypeError(type(value))


def _wait_until_up(process: subprocess.Popen[bytes], idp: Idp) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(idp.metadata_url, timeout=START_SECONDS).close()
            return
        except urllib.error.HTTPError as error:
            raise ServerDidNotStart(error.read().decode(errors="replace")[:3000]) from None
        except OSError:
            ended = process.poll() is not None
        if ended or time.monotonic() > deadline:
            raise ServerDidNotStart((idp.folder / "output").read_text()[-2000:])
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    # it has workers, which would stay
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main() -> None:
    """Serve the people of this module to a mount of a server that runs, until interrupted."""
    mount = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8200/v1/auth/saml"
    with simplesamlphp() as idp:
        idp.know(Sp(entity_id=mount, acs_url=f"{mount}/callback"))
        print(f"metadata: {idp.metadata_url}")
        print(f"people:   {', '.join(_PEOPLE)}; the password is: {PASSWORD}", flush=True)
        ends = {signal.SIGINT, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)
        signal.sigwait(ends)


if __name__ == "__main__":
    main()
