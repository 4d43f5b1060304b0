"""Response wrapping: an answer is kept, and a token that gives it out once goes instead.

The answer lies in the wrapping token's cubbyhole, under ``response``, as Vault has it, so that old
clients that read ``cubbyhole/response`` work too. The token has one use; of many who unwrap at the
same time one is given the answer.
"""

from typing import TYPE_CHECKING

import msgspec

from wardgate.core.envelope import envelope
from wardgate.core.json import decode, encode
from wardgate.core.operation import LISTINGS
from wardgate.core.policies import RESPONSE_WRAPPING
from wardgate.core.records import BytesCodec
from wardgate.core.request import JsonMap, Request, Response
from wardgate.core.storage import Transaction
from wardgate.core.tokens.record import Token
from wardgate.core.tokens.store import CUBBYHOLES, Found, TokenStore
from wardgate.errors import InvalidRequest
from wardgate.timestamps import rfc3339

if TYPE_CHECKING:
    from wardgate.core.mounts import MountTable

_BYTES = BytesCodec()


def not_a_wrapping_token() -> InvalidRequest:
    """The one answer to every token that wraps nothing (any more)."""
    return InvalidRequest("wrapping token is not valid or does not exist")


class Wrapping:
    """Wraps answers and gives them out, inside a transaction."""

    def __init__(self, tokens: TokenStore) -> None:
        self._tokens = tokens

    async def wrap(self, request: Request, response: Response, table: "MountTable") -> Response:
        """A response with ``wrap_info`` in the place of `response`."""
        assert request.wrap_ttl
        path = request.path
        if request.operation in LISTINGS and not path.endswith("/"):
            path += "/"  # a list is of a folder
        return await self.keep(
            request,
            encode(envelope(request.id, response)),
            ttl=request.wrap_ttl,
            path=path,
            issuer=table.by_path["auth/token/"].uuid,
            accessor=response.auth["accessor"] if response.auth else response.accessor,
        )

    async def keep(
        self, request: Request, answer: bytes, *, ttl: int, path: str, issuer: str, accessor: str
    ) -> Response:
        """Keep `answer` (a JSON envelope) for `ttl` seconds behind a new wrapping token."""
        transaction, now = request.transaction, request.time
        token = Token(
            policies=(RESPONSE_WRAPPING,),
            path=path,
            issuer=issuer,
            issued=now,
            expires=now + ttl,
            ttl=ttl,
            explicit_max_ttl=ttl,
            num_uses=1,
            has_dependents=True,
            metadata={"wrapped_accessor": accessor} if accessor else None,
        )
        token_id, token = await self._tokens.create(transaction, token)
        name = await self._tokens.name(transaction, token_id)
        kept = encode({"response": answer.decode()})
        transaction.put(_place(name), kept, _BYTES)
        info: JsonMap = {
            "token": token_id,
            "accessor": token.accessor,
            "ttl": ttl,
            "creation_time": rfc3339(now),
            "creation_path": path,
        }
        if accessor:
            info["wrapped_accessor"] = accessor
        wrapped = Response()
        wrapped.wrap_info = info
        return wrapped

    async def find(self, transaction: Transaction, token_id: str, now: float) -> Found:
        """The living wrapping token with this id; `InvalidRequest` when it is none."""
        found = await self._tokens.find(transaction, token_id, now)
        if found is None or found.token.policies != (RESPONSE_WRAPPING,):
            raise not_a_wrapping_token()
        return found

    async def take(self, transaction: Transaction, found: Found) -> bytes:
        """The kept answer; the token ends with it."""
        kept = await transaction.get(_place(found.name), _BYTES)
        if kept is None:
            raise not_a_wrapping_token()
        await self._tokens.revoke(transaction, found.name)
        answer: str = decode(kept)["response"]
        return answer.encode()


def unwrapped(answer: bytes) -> Response:
    """A kept answer as a response of its own."""
    kept: JsonMap = msgspec.json.decode(answer, type=dict[str, msgspec.Raw])
    auth: JsonMap | None = decode(kept["auth"])
    return Response(
        msgspec.Raw(kept["data"]),
        auth=auth,
        warnings=decode(kept["warnings"]),
        lease_id=decode(kept["lease_id"]),
        lease_duration=decode(kept["lease_duration"]),
        renewable=decode(kept["renewable"]),
    )


def _place(name: str) -> str:
    return f"{CUBBYHOLES}{name}/response"
