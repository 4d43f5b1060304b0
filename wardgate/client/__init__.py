"""An async client for any Vault-compatible server.

    async with Client("https://127.0.0.1:8200", token=token) as client:
        reply = await client.read("secret/data/app")

It knows nothing of Wardgate's server. What goes wrong is one of three: `ApiError` (the server
answered with an error), `ConnectionFailed` (it did not answer) and `Misconfigured` (the request
could not even be tried).
"""

from typing import TYPE_CHECKING, Any

from wardgate.client.environment import Settings
from wardgate.client.failures import ApiError, ConnectionFailed, Misconfigured
from wardgate.client.reply import Reply
from wardgate.client.tls import Tls

if TYPE_CHECKING:
    from wardgate.client.client import Client

__all__ = ["ApiError", "Client", "ConnectionFailed", "Misconfigured", "Reply", "Settings", "Tls"]


def __getattr__(name: str) -> Any:
    # The client's HTTP library takes long to load, and not everybody who has settings connects.
    if name == "Client":
        from wardgate.client.client import Client

        return Client
    raise AttributeError(name)
