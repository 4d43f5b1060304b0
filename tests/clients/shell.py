"""The shells that the tests of the command line type into."""

import io
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from tests.servers import clean_environment
from wardgate.cli.main import run

BIN = Path(sys.executable).parent
_PATIENCE = 120.0


@dataclass
class Shell:
    """Runs commands as a user with an own home and without a developer's own settings."""

    home: Path
    address: str
    variables: dict[str, str] = field(default_factory=dict)
    umask: int = 0o022

    def run(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run `wardgate` with these words, in this very process, which saves the loading."""
        out, errors = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, self.environment, clear=True),
            patch.object(sys, "stdin", io.StringIO(stdin)),
            redirect_stdout(out),
            redirect_stderr(errors),
            chdir(self.home),
        ):
            code = run(words)
        return subprocess.CompletedProcess(words, code, out.getvalue(), errors.getvalue())

    def start(
        self, *words: str, stdin: str = "", program: str = "wardgate"
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program as a shell does."""
        return subprocess.run(
            [str(BIN / program), *words],
            input=stdin,
            env=self.environment,
            cwd=self.home,
            umask=self.umask,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )

    def ok(self, *words: str, stdin: str = "") -> str:
        """The output of a command that succeeds."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def at_terminal(self, words: Sequence[str], answers: dict[str, str]) -> tuple[int, str]:
        """Run `wardgate` on a terminal of its own; type each answer when its prompt is shown.

        Returns the exit code and everything that stood on the screen.
        """
        screen, keyboard = os.openpty()
        # The first terminal that a new session opens controls it, and that is what a program
        # asks for passwords.
        start = (
            "import os, sys; os.setsid(); t = os.open(sys.argv[1], os.O_RDWR); "
            "[os.dup2(t, n) for n in range(3)]; os.execv(sys.argv[2], sys.argv[2:])"
        )
        line = [sys.executable, "-c", start, os.ttyname(keyboard), str(BIN / "wardgate"), *words]
        process = subprocess.Popen(line, env=self.environment, cwd=self.home)
        shown = ""
        waiting = dict(answers)
        while process.poll() is None or select.select([screen], [], [], 0)[0]:
            if not select.select([screen], [], [], 0.05)[0]:
                continue
            shown += os.read(screen, 65536).decode()
            for prompt in [prompt for prompt in waiting if prompt in shown]:
                os.write(screen, waiting.pop(prompt).encode() + b"\n")
        os.close(screen)
        os.close(keyboard)
        return process.returncode, shown

    @property
    def environment(self) -> dict[str, str]:
        own = {"VAULT_ADDR": self.address, "COLUMNS": "200", "TERM": "xterm", "LANG": "C.UTF-8"}
        return clean_environment(self.home) | own | self.variables
