"""What Kubernetes puts into the pod that this server may run in: certificates and a token.

Both are exchanged while the server runs, so they are read whenever they are needed: that takes some
ten microseconds, in a thread.
"""

from pathlib import Path

from wardgate.core.outgoing import trust
from wardgate.errors import BadGateway

FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where Kubernetes puts them; tests have another one."""
_LONGEST = 64 * 1024  # bytes


def ca_pem() -> str:
    """The certificates that the API's is signed by; `BadGateway` where there are none."""
    try:
        found = _text("ca.crt")
        trust(found)
    except (OSError, ValueError):
        raise BadGateway(
            "the certificates of the pod that this server runs in cannot be read; set"
            " kubernetes_ca_cert in the configuration"
        ) from None
    return found


def token() -> str:
    """The token of the pod's own service account, or an empty text."""
    try:
        return _text("token").strip()
    except (OSError, ValueError):
        return ""


def _text(name: str) -> str:
    with (FOLDER / name).open(encoding="ascii") as file:
        found = file.read(_LONGEST)
    if not found.strip():
        raise ValueError("an empty file")
    return found
