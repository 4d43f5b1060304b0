"""The library that looks into what authenticators send."""

import subprocess
import sys


def test_it_is_not_loaded_before_somebody_needs_it() -> None:
    program = "import sys, wardgate.server.run; sys.exit('fido2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
