"""Stored ACL policies, and the compiled rights of a token.

A policy is parsed when it is written; its rules are stored beside its text. The rules of a whole
set of policies are compiled once and used for as long as none of the policies, and neither the
entity nor a group that templates speak of, has changed.
"""

import math
from typing import TYPE_CHECKING

import msgspec

from wardgate.core.bounded import Bounded
from wardgate.core.policy import Acl, PolicyRules
from wardgate.core.premise import Premise
from wardgate.core.records import Codec
from wardgate.core.storage import Transaction
from wardgate.errors import InvalidRequest

if TYPE_CHECKING:
    from wardgate.core.identity import Standing

POLICIES = "policy/acl/"
ROOT = "root"
DEFAULT = "default"
RESPONSE_WRAPPING = "response-wrapping"
IMMUTABLE = (ROOT, RESPONSE_WRAPPING)

_ANYBODY, _NOBODY = "", "-"
"""Whose compiled rights are: without templates most users have the same."""

_KEPT = str.maketrans({"/": "\x1f", "\x1f": "\x1e"})
"""A name may have slashes and is one segment of a key. No name can be written that has control
characters, so none of those that a token may be given leads to the policy of another."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A policy as it was written, with the rules that its text holds. Times are seconds since the
    epoch; `expires` 0 means never."""

    name: str
    text: str
    rules: PolicyRules
    version: int = 1
    modified: float = 0
    cas_required: bool = False
    expires: float = 0

    @property
    def templated(self) -> bool:
        return "{{" in self.text


_POLICY: Codec[Policy] = Codec(Policy)


class _Compiled:
    __slots__ = ("acl", "premise")

    def __init__(self, acl: Acl, premise: Premise) -> None:
        self.acl = acl
        self.premise = premise


def canonical_name(name: str) -> str:
    """Policy names are case-insensitive; spaces around them do not count."""
    return name.strip().lower()


def _key(name: str) -> str:
    return POLICIES + name.translate(_KEPT)


def _whose(standing: "Standing | None") -> str:
    """Whose rights templates make of policies: this entity's, or those of tokens without one."""
    return _NOBODY if standing is None else standing.entity.id


class Policies:
    """Reads, writes and compiles policies inside a transaction."""

    def __init__(self) -> None:
        self._compiled: Bounded[tuple[tuple[str, ...], str], _Compiled] = Bounded()
        self._root = Acl.compile((), root=True)

    async def get(self, transaction: Transaction, name: str) -> Policy | None:
        """The policy called `name`; None for ``root``, which has no text."""
        return await transaction.get(_key(name), _POLICY)

    async def names(self, transaction: Transaction) -> list[str]:
        """The names of all policies that have a text, sorted."""
        kept = await transaction.list(POLICIES)
        return sorted(name.replace("\x1f", "/") for name in kept)

    def put(self, transaction: Transaction, policy: Policy) -> None:
        transaction.put(_key(policy.name), policy, _POLICY)

    def delete(self, transaction: Transaction, name: str) -> None:
        if name in IMMUTABLE:
            raise InvalidRequest(f'cannot delete "{name}" policy')
        if name == DEFAULT:
            raise InvalidRequest("cannot delete default policy")
        transaction.delete(_key(name))

    async def acl(
        self,
        transaction: Transaction,
        names: tuple[str, ...],
        standing: "Standing | None",
        now: float,
    ) -> Acl:
        """The rights that these policies give together, for whoever has this standing; ask `known`
        before."""
        if ROOT in names:
            return self._root
        reads: dict[str, int] = {}
        policies = []
        for name in names:
            policy = await self.get(transaction, name)
            version = transaction.reads.get(_key(name))
            if version is None:
                continue  # no policy can have such a name
            reads[_key(name)] = version
            if policy is not None and not 0 < policy.expires <= now:
                policies.append(policy)
        templated = any(policy.templated for policy in policies)
        subject = None
        if standing is not None and templated:
            subject = standing.template_subject()
            for source in standing.sources:
                # absent for a record that this very transaction writes: -1 matches no version
                reads[source] = transaction.reads.get(source, -1)
        acl = Acl.compile(
            [policy.rules for policy in policies],
            subject,
            now=now,
            names=[policy.name for policy in policies],
            valid_until=min(
                (policy.expires for policy in policies if policy.expires), default=math.inf
            ),
        )
        if -1 not in reads.values():
            owner = _whose(standing) if templated else _ANYBODY
            self._compiled.put((names, owner), _Compiled(acl, Premise(reads)), acl.size)
        return acl

    def known(
        self,
        transaction: Transaction,
        names: tuple[str, ...],
        standing: "Standing | None",
        now: float,
    ) -> Acl | None:
        """What `acl` gives, if it was compiled from what is true still."""
        if ROOT in names:
            return self._root
        for owner in (_ANYBODY, _whose(standing)):
            compiled = self._compiled.get((names, owner))
            if (
                compiled is not None
                and now < compiled.acl.valid_until
                and compiled.premise.holds(transaction)
            ):
                return compiled.acl
        return None

    def forget(self) -> None:
        """Drop everything compiled (when the barrier is sealed)."""
        self._compiled.clear()
