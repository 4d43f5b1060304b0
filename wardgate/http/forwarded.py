"""Who sent a request that came through a proxy, as the proxy says in X-Forwarded-For.

Only proxies whose address the operator named are believed; whoever else sends the header could make
up any address. What follows from the address (CIDR blocks of tokens, quotas, audit records) then
holds for the client and not for the proxy.
"""

from dataclasses import dataclass
from ipaddress import ip_address

from wardgate.core.cidr import address_allowed
from wardgate.errors import InvalidRequest

HEADER = "x-forwarded-for"
MAX_HOPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardedFor:
    """`trusted` are addresses and CIDR blocks of proxies. `hop_skips` is how many addresses at the
    end of the header stand for further proxies."""

    trusted: tuple[str, ...]
    hop_skips: int = 0
    reject_not_present: bool = False
    reject_not_authorized: bool = False

    def client(self, peer: str, sent: list[str], *, unreadable: bool = False) -> str:
        """Address and port of whoever sent the request, when `peer` (address and port) sent it on
        with these headers. `InvalidRequest` when it is refused, as when the header is `unreadable`:
        a proxy may have put the address behind what a client wrote there, and without it the client
        would pass for the proxy."""
        if unreadable:
            raise InvalidRequest("x-forwarded-for: must be printable ASCII")
        hops = [hop for hop in (part.strip() for part in ",".join(sent).split(",")) if hop]
        if not hops:
            if self.reject_not_present:
                raise InvalidRequest(
                    "missing x-forwarded-for header and configured to reject when not present"
                )
            return peer
        address, _, port = peer.rpartition(":")
        if not address_allowed(address.strip("[]"), self.trusted):
            if self.reject_not_authorized:
                raise InvalidRequest(
                    "client address not authorized for x-forwarded-for and configured to reject"
                    " connection"
                )
            return peer
        if len(hops) <= self.hop_skips or len(hops) > MAX_HOPS:
            raise InvalidRequest(
                "malformed x-forwarded-for configuration or request, hops to skip would skip"
                " before earliest chain link"
            )
        client = _address(hops[-1 - self.hop_skips])
        return f"[{client}]:{port}" if ":" in client else f"{client}:{port}"


def _address(text: str) -> str:
    """The address in "192.0.2.1", "192.0.2.1:80", "2001:db8::1" or "[2001:db8::1]:80"; one of IPv4
    that is written as one of IPv6 is that of IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        raise InvalidRequest(
            "x-forwarded-for: the client's place in it must hold an IP address"
        ) from None
    return str(getattr(found, "ipv4_mapped", None) or found)
