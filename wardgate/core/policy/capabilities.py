"""What a policy can grant on a path, and which of it an operation needs."""

from enum import StrEnum


class Capability(StrEnum):
    """One word of a rule's `capabilities`, as OpenBao knows them."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"
    LIST = "list"
    SCAN = "scan"
    SUDO = "sudo"
    DENY = "deny"


SHORTHAND: dict[str, frozenset[Capability]] = {
    "deny": frozenset({Capability.DENY}),
    "read": frozenset({Capability.READ, Capability.LIST}),
    "write": frozenset(
        {
            Capability.CREATE,
            Capability.READ,
            Capability.UPDATE,
            Capability.DELETE,
            Capability.LIST,
        }
    ),
}
"""What the old `policy = "..."` stands for. PATCH and SCAN are younger than it and not in it."""
SHORTHAND["sudo"] = SHORTHAND["write"] | {Capability.SUDO}

BITS: dict[str, int] = {word.value: 1 << place for place, word in enumerate(Capability)}
"""Capability (or the operation of the same name) to its bit in a grant's mask."""

SUDO_BIT = BITS[Capability.SUDO.value]
DENY_BIT = BITS[Capability.DENY.value]


def mask_of(capabilities: frozenset[Capability]) -> int:
    """The capabilities as bits. Deny takes everything else away."""
    if Capability.DENY in capabilities:
        return DENY_BIT
    return sum(BITS[word.value] for word in capabilities)


def words_of(mask: int) -> list[str]:
    """The bits as `sys/capabilities` answers them: sorted, and `deny` when nothing is left."""
    if mask & DENY_BIT or not mask:
        return [Capability.DENY.value]
    return sorted(word for word, bit in BITS.items() if mask & bit)
