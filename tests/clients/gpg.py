"""People with PGP keys, and the real `gpg` program."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Gpg:
    """A key ring in `home`, which must be a short path: gpg's agent listens on a socket there."""

    home: Path

    def person(self, name: str) -> Path:
        """Make a key without a password; the file with its public half."""
        address = f"{name}@example.com"
        self._run("--passphrase", "", "--quick-generate-key", address, "future-default")
        file = self.home / f"{name}.pgp"
        file.write_bytes(self._run("--export", address))
        return file

    def read(self, message: bytes) -> str:
        """What is in a message to somebody whose key is here."""
        return self._run("--decrypt", stdin=message).decode()

    def stop(self) -> None:
        """End the agent that gpg has started."""
        subprocess.run(
            ["gpgconf", "--kill", "gpg-agent"], env=self._environment, check=False, timeout=120
        )

    @property
    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "GNUPGHOME": str(self.home), "LANG": "C.UTF-8"}

    def _run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        done = subprocess.run(
            ["gpg", "--batch", "--quiet", *arguments],
            env=self._environment,
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout
