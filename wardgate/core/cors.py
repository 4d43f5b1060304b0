"""Which web pages of other origins may talk to the server: one record, for all nodes."""

import msgspec

from wardgate.core.records import Codec
from wardgate.core.storage import Transaction

KEY = "core/config/cors"

STANDARD_HEADERS = (
    "Content-Type", "Authorization", "X-Vault-Token", "X-Vault-MFA",
    "X-Vault-No-Request-Forwarding", "X-Vault-Wrap-Format", "X-Vault-Wrap-TTL", "X-Requested-With",
    "X-Vault-AWS-IAM-Server-ID", "X-Vault-Policy-Override",
)  # fmt: skip
"""Request headers that pages may always send."""


class Cors(msgspec.Struct, frozen=True, kw_only=True):
    """While this is stored, requests of other origins than `origins` are refused. `headers` are
    those that pages may send beside the standard ones."""

    origins: tuple[str, ...]
    headers: tuple[str, ...] = ()
    credentials: bool = False

    @property
    def allowed_headers(self) -> tuple[str, ...]:
        return STANDARD_HEADERS + self.headers

    def allows(self, origin: str) -> bool:
        """Whether pages of this origin may talk to the server."""
        return origin in self.origins or self.origins == ("*",)


CORS: Codec[Cors] = Codec(Cors)


async def read_cors(transaction: Transaction) -> Cors | None:
    """The configuration; None while no origin is refused or told that it may read answers."""
    return await transaction.get(KEY, CORS)
