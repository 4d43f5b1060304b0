"""The bounds and the errors of configuration files.

A file is read into a `wardgate.hcl.Table`, in which every key keeps its place, so that whoever
finds a value wrong can say where it stands.
"""

from wardgate.errors import WardgateError
from wardgate.hcl import Limits, Place

MAX_FILE_BYTES = 1024 * 1024
LIMITS = Limits(size=MAX_FILE_BYTES, depth=32)


class ConfigError(WardgateError):
    """A configuration that cannot be used.

    The message names file, line and key and how to mend it. It never repeats a value, since that
    may be a secret in the wrong place. `key` is empty when the file as a whole is the problem.
    """

    def __init__(self, problem: str, place: Place, key: str = "") -> None:
        super().__init__(place.located(f"{key}: {problem}" if key else problem))
        self.problem = problem
        self.file = place.file
        self.line = place.line
        self.key = key


def shown(key: str) -> str:
    """A key as it may stand in a message: on one line, and not longer than a name would be."""
    printable = key if key.isprintable() else ascii(key)[1:-1]
    return printable if len(printable) <= 60 else printable[:60] + "..."
