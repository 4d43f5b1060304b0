"""Address ranges that a token or role is bound to."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from wardgate.errors import InvalidRequest


@lru_cache(maxsize=4096)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)


def parse_cidrs(field: str, values: Iterable[str]) -> tuple[str, ...]:
    """Blocks or single addresses in canonical form: a single address stays one, host bits go.

    `InvalidRequest` names `field` when one of them is neither.
    """
    found = []
    for value in values:
        try:
            network = _network(value.strip())
        except ValueError:
            raise InvalidRequest(
                f"{field}: each value must be an IP address or a CIDR block such as 10.0.0.0/8"
            ) from None
        single = network.num_addresses == 1
        found.append(str(network.network_address) if single else str(network))
    return tuple(found)


def checked_blocks(field: str, values: Iterable[str]) -> tuple[str, ...]:
    """Blocks as they were written, for settings that are shown as they were made.

    `InvalidRequest` names `field` when one of them is none: an address by itself is no block.
    """
    blocks = tuple(value.strip() for value in values)
    parse_cidrs(field, blocks)
    if not all("/" in block for block in blocks):
        raise InvalidRequest(
            f"{field}: each value must be a CIDR block; one address is 10.0.0.1/32"
        )
    return blocks


def within(blocks: tuple[str, ...], outer: tuple[str, ...]) -> bool:
    """Whether each of `blocks` lies in one of `outer`; everything does where there is no outer."""
    around = [_network(block) for block in outer]
    return not around or all(
        any(_lies_in(_network(block), each) for each in around) for block in blocks
    )


def _lies_in(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def narrowed(cidrs: tuple[str, ...], outer: tuple[str, ...]) -> tuple[str, ...]:
    """What is left of `cidrs` within `outer`; without blocks on one side, the other side counts.

    `InvalidRequest` when the two have nothing in common, since no blocks would mean all addresses.
    """
    if not cidrs or not outer:
        return cidrs or outer
    left = []
    for one in map(_network, cidrs):
        for other in map(_network, outer):
            if one.version == other.version and one.overlaps(other):
                inner = one if one.prefixlen >= other.prefixlen else other
                left.append(str(inner))
    if not left:
        raise InvalidRequest(
            "token_bound_cidrs: the role's blocks and those of the token or secret id that is used"
            " have nothing in common"
        )
    return parse_cidrs("token_bound_cidrs", dict.fromkeys(left))


def address_allowed(address: str, cidrs: tuple[str, ...]) -> bool:
    """Whether `address` lies in one of the blocks; without blocks every address does.

    An address that cannot be read (as over a unix socket) lies in none.
    """
    if not cidrs:
        return True
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return any((mapped or parsed) in _network(cidr) or parsed in _network(cidr) for cidr in cidrs)
