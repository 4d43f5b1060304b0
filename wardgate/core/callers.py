"""Who is asking and what they may do, kept from one request to the next.

Both follow from stored records and from the time. What one request found out is true for the next
one with the same token as long as none of these records changes, and until the first of the token,
its ancestors and the rules of its policies ends. Where the request came from, and a limited number
of uses, are not part of it.
"""

from wardgate.core.bounded import Bounded
from wardgate.core.cidr import address_allowed
from wardgate.core.policy import Acl
from wardgate.core.premise import Premise
from wardgate.core.request import Request
from wardgate.core.tokens.record import Token
from wardgate.core.tokens.store import Found, TokenStore
from wardgate.errors import PermissionDenied


class Caller:
    """A token with its rights."""

    __slots__ = ("acl", "name", "premise", "token", "until")

    def __init__(self, found: Found, acl: Acl, premise: Premise) -> None:
        self.name = found.name
        self.token: Token = found.token
        self.acl = acl
        self.until = min(found.until, acl.valid_until)
        self.premise = premise


class Callers:
    """The callers seen last, by the hashes of their tokens."""

    def __init__(self, tokens: TokenStore) -> None:
        self._tokens = tokens
        self._seen: Bounded[str, Caller] = Bounded()

    def known(self, request: Request) -> Caller | None:
        """Whoever sent the request, if that is known still; `PermissionDenied` when the token may not
        be used from that address."""
        transaction = request.transaction
        caller = self._seen.get(self._tokens.known_name(transaction, request.client_token))
        if caller is None or caller.until <= request.time or not caller.premise.holds(transaction):
            return None
        cidrs = caller.token.bound_cidrs
        if cidrs and not address_allowed(request.remote_address, cidrs):
            raise PermissionDenied
        return caller

    def keep(self, request: Request, found: Found) -> None:
        """Remember who sent a request that has read nothing but what it took to find that out."""
        transaction = request.transaction
        # a batch token has no name of its own
        name = found.name or self._tokens.known_name(transaction, request.client_token)
        if not name or transaction.writes:
            return
        acl = request.acl
        caller = Caller(found, acl, Premise(dict(transaction.reads)))
        self._seen.put(name, caller, acl.size if acl.of_one else 0)

    def forget(self) -> None:
        """Drop everything (when the barrier is sealed)."""
        self._seen.clear()
