"""Password policies: what a new password must look like, and passwords made to fit.

A policy is HCL or JSON in Vault's words: a ``length``, and any number of ``rule "charset"`` blocks,
each with a ``charset`` and ``min-chars`` of it.
"""

import secrets
from collections.abc import Collection, Iterator

import msgspec

from wardgate.core.records import Codec
from wardgate.core.storage import Transaction
from wardgate.errors import InvalidRequest
from wardgate.hcl import HclError, Item, Limits, Number, Table, read

POLICIES = "policy/password/"
SHORTEST, LONGEST = 4, 100
LIMITS = Limits(size=64 * 1024)
_CHARSET_LONGEST = 1024
_NO_CHARSET = 'must be written as rule "charset" { charset = "..." }; there is no other kind'


class CharsetRule(msgspec.Struct, frozen=True):
    """At least `least` characters of `charset`."""

    charset: str
    least: int = 0


class PasswordPolicy(msgspec.Struct, frozen=True):
    """A parsed policy with the text it came from."""

    text: str
    length: int
    rules: tuple[CharsetRule, ...]


PASSWORD_POLICY: Codec[PasswordPolicy] = Codec(PasswordPolicy)


def parse_password_policy(text: str) -> PasswordPolicy:
    """The policy in `text`; `InvalidRequest` names the line and what is wrong there."""
    try:
        table = read(text, LIMITS)
    except HclError as error:
        raise InvalidRequest(f"policy: {error}") from None
    given = _by_key(table, ("length", "rule"))
    length = _whole(_single(given["length"])) if "length" in given else 0
    rules = [_rule(block) for item in given.get("rule", ()) for block in _charset_blocks(item)]
    if not SHORTEST <= length <= LONGEST:
        raise InvalidRequest(f"policy: length must be from {SHORTEST} to {LONGEST}")
    if not rules:
        raise InvalidRequest("policy: at least one 'rule \"charset\"' with a charset is needed")
    if sum(rule.least for rule in rules) > length:
        raise InvalidRequest("policy: the rules' min-chars add up to more than the length")
    return PasswordPolicy(text, length, tuple(rules))


def _charset_blocks(rule: Item) -> Iterator[Table]:
    """The blocks that one `rule` holds; lists may stand in either place, as JSON writes them."""
    for kinds in _tables(rule):
        if {kind.key for kind in kinds} != {"charset"}:
            raise _wrong(rule, _NO_CHARSET)
        for kind in kinds:
            yield from _tables(kind)


def _tables(item: Item) -> Iterator[Table]:
    for value in item.value if isinstance(item.value, tuple) else (item.value,):
        if not isinstance(value, Table):
            raise _wrong(item, _NO_CHARSET)
        yield value


def _rule(block: Table) -> CharsetRule:
    given = _by_key(block, ("charset", "min-chars"))
    if "charset" not in given:
        raise InvalidRequest("policy: " + block.place.located("a rule needs a charset"))
    charset = _single(given["charset"])
    if not isinstance(charset.value, str) or not charset.value.isprintable():
        raise _wrong(charset, "must be text of printable characters")
    characters = "".join(dict.fromkeys(charset.value))
    if not 1 <= len(characters) <= _CHARSET_LONGEST:
        raise _wrong(charset, f"must have from 1 to {_CHARSET_LONGEST} different characters")
    least = _whole(_single(given["min-chars"])) if "min-chars" in given else 0
    return CharsetRule(characters, least)


def _by_key(table: Table, known: Collection[str]) -> dict[str, list[Item]]:
    given: dict[str, list[Item]] = {}
    for item in table:
        if item.key not in known:
            expected = " and ".join(known)
            raise InvalidRequest("policy: " + item.place.located(f"only {expected} are known here"))
        given.setdefault(item.key, []).append(item)
    return given


def _single(items: list[Item]) -> Item:
    if len(items) > 1:
        raise _wrong(items[1], "is given twice")
    return items[0]


def _whole(item: Item) -> int:
    if not isinstance(item.value, Number) or item.value.value < 0:
        raise _wrong(item, "must be a number, not negative")
    # As in OpenBao, what is behind a decimal point is dropped.
    return int(item.value.value)


def _wrong(item: Item, problem: str) -> InvalidRequest:
    """The error about an item with a known key, to be raised by the caller."""
    return InvalidRequest("policy: " + item.place.located(f"{item.key} {problem}"))


def check_password(policy: PasswordPolicy, password: str) -> None:
    """`InvalidRequest` says which rule a chosen password does not meet, and nothing of it."""
    if len(password) < policy.length:
        raise InvalidRequest(f"password: must have at least {policy.length} characters")
    for number, rule in enumerate(policy.rules, start=1):
        if sum(character in rule.charset for character in password) < rule.least:
            raise InvalidRequest(
                f"password: has too few characters of charset {number} of its password policy"
                f" (at least {rule.least} are needed)"
            )


def generate_password(policy: PasswordPolicy) -> str:
    """A random password that meets `policy`."""
    everything = "".join(dict.fromkeys("".join(rule.charset for rule in policy.rules)))
    needed = [secrets.choice(rule.charset) for rule in policy.rules for _ in range(rule.least)]
    rest = [secrets.choice(everything) for _ in range(policy.length - len(needed))]
    characters = needed + rest
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)


async def password_policy(transaction: Transaction, name: str) -> PasswordPolicy | None:
    """The stored policy called `name`."""
    return await transaction.get(POLICIES + name, PASSWORD_POLICY)
