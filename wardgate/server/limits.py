"""How many connections the server can have at once."""

import resource

_WANTED_FILES = 65_536
_OTHER_FILES = 256  # the store, logs, what runs for a moment


def most_connections() -> int:
    """How many connections all listeners together may have; the rest waits to be accepted.

    Each is an open file, and systems are careful with the number of those at first, so it is raised
    to what this process may have. Half of them are kept for connections that have not said who they
    are yet: TLS handshakes are not counted.
    """
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if most == resource.RLIM_INFINITY else min(most, _WANTED_FILES)
    if files != resource.RLIM_INFINITY and files < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
        files = wanted
    if files == resource.RLIM_INFINITY:
        files = _WANTED_FILES
    return max((files - _OTHER_FILES) // 2, 16)
