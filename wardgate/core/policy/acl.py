"""Policies, compiled: what a token may do, answered in about a microsecond.

An `Acl` is made once for a set of policies (and a subject, when they hold templates) and then
shared by all requests. For a path the most specific rule alone decides: an exact one, otherwise
the first in the order of `patterns`. Whatever no rule names is refused.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from wardgate.core.operation import Operation
from wardgate.core.policy.capabilities import BITS, Capability, words_of
from wardgate.core.policy.grants import ALLOWED, REFUSED, Decision, Grant, Merging
from wardgate.core.policy.listing import filtered_path
from wardgate.core.policy.patterns import PlusPattern, Rank, has_plus, rank
from wardgate.core.policy.rules import PolicyRules
from wardgate.core.policy.templates import TemplateSubject, UnsafeValue, fill_in, is_templated

_REMEMBERED_PATHS = 512
_LONGEST_REMEMBERED = 256


class _Unseen:
    """Marks a path that was not looked up before, as opposed to one without a rule."""


_UNSEEN: Final = _Unseen()
_NOTHING: Final[tuple[Rank, Grant | None]] = ((-1, False, 0, 0, ""), None)


class Acl:
    """What one set of policies allows. Made by `compile`; does not change afterwards."""

    __slots__ = (
        "_exact",
        "_found",
        "_found_folders",
        "_lengths",
        "_plus",
        "_prefixes",
        "_root",
        "_valid_until",
        "of_one",
        "size",
    )

    def __init__(
        self,
        grants: Mapping[str, Grant],
        *,
        root: bool = False,
        valid_until: float = math.inf,
        of_one: bool = False,
    ) -> None:
        """`grants` by pattern, templates filled in."""
        self._root = root
        self.size = len(grants)
        """How many rules there are."""
        self.of_one = of_one
        """Whether templates were filled in, so that the rights are one subject's alone."""
        self._valid_until = valid_until
        self._exact: dict[str, Grant] = {}
        self._prefixes: dict[str, tuple[Rank, Grant]] = {}
        plus: list[PlusPattern[Grant]] = []
        for pattern, grant in grants.items():
            if has_plus(pattern):
                plus.append(PlusPattern.of(pattern, grant))
            elif pattern.endswith("*"):
                self._prefixes[pattern[:-1]] = (rank(pattern), grant)
            else:
                self._exact[pattern] = grant
        self._lengths = sorted({len(prefix) for prefix in self._prefixes}, reverse=True)
        self._plus = sorted(plus, key=lambda pattern: pattern.rank, reverse=True)
        # What wildcards came to for a path: saves time, and no answer depends on it.
        self._found: dict[str, Grant | None] = {}
        self._found_folders: dict[str, Grant | None] = {}

    @classmethod
    def compile(
        cls,
        policies: Sequence[PolicyRules],
        subject: TemplateSubject | None = None,
        *,
        root: bool = False,
        now: float = math.inf,
        names: Sequence[str] = (),
        valid_until: float = math.inf,
    ) -> "Acl":
        """Put policies together; their order does not matter. `names` are theirs, for `granting`.

        `subject` fills in templates: a rule that cannot be filled in is left out. `root` allows
        everything. `now`, in seconds since the Unix epoch, is needed for rules with an expiration:
        without it they count as expired. `valid_until` is when one of the policies ends as a whole.
        """
        merged: dict[str, Merging] = {}
        sources = zip(names or [""] * len(policies), policies, strict=True)
        for source, rule in ((name, rule) for name, policy in sources for rule in policy.paths):
            if rule.expiration is not None:
                if rule.expiration <= now:
                    continue
                valid_until = min(rule.expiration, valid_until)
            try:
                path = fill_in(rule.path, subject) if is_templated(rule.path) else rule.path
            except UnsafeValue:
                # Without its rule a deny would be lifted by whoever chose the value.
                if Capability.DENY in rule.capabilities:
                    return cls({}, root=root, valid_until=valid_until, of_one=True)
                continue
            if path is not None:
                merged.setdefault(path, Merging()).add(rule, source)
        grants = {path: merging.grant() for path, merging in merged.items()}
        return cls(grants, root=root, valid_until=valid_until, of_one=subject is not None)

    @property
    def valid_until(self) -> float:
        """When its first rule or policy expires (seconds since the Unix epoch, infinity for never):
        compile anew then."""
        return self._valid_until

    def allows(
        self,
        operation: Operation,
        path: str,
        data: Mapping[str, object] | None = None,
        wrap_ttl: int | None = None,
        *,
        sudo: bool = False,
    ) -> bool:
        """Whether a request may go on; see `decide`, which also tells what a listing may show."""
        return self.decide(operation, path, data, wrap_ttl, sudo=sudo).allowed

    def decide(
        self,
        operation: Operation,
        path: str,
        data: Mapping[str, object] | None = None,
        wrap_ttl: int | None = None,
        *,
        sudo: bool = False,
    ) -> Decision:
        """Decide on a request.

        `path` is what follows `/v1/`. `data` are the parameters of body and query. `wrap_ttl` is
        the wrapping asked for in seconds, None when not asked. `sudo` says that the endpoint
        demands the sudo capability as well. HELP is open to every token.
        """
        if self._root or operation is Operation.HELP:
            return ALLOWED
        if operation is Operation.LIST or operation is Operation.SCAN:
            grant = self._of_folder(path if path.endswith("/") else path + "/")
        else:
            grant = self._of(path)
        return REFUSED if grant is None else grant.decide(operation, data, wrap_ttl, sudo)

    def granting(self, operation: Operation, path: str) -> tuple[str, ...]:
        """The names of the policies that let `operation` through on `path`, sorted; for the audit
        log."""
        if self._root:
            return ("root",)
        if operation is Operation.HELP:
            return ()
        if operation is Operation.LIST or operation is Operation.SCAN:
            grant = self._of_folder(path if path.endswith("/") else path + "/")
        else:
            grant = self._of(path)
        if grant is None:
            return ()
        return tuple(name for name, mask in grant.sources if mask & BITS[operation])

    def capabilities(self, path: str) -> list[str]:
        """What may be done on a path, as `sys/capabilities` answers it.

        Sorted words, `["deny"]` when nothing may be done, `["root"]` for root. A path that ends
        in a slash is looked up as a listing would be.
        """
        if self._root:
            return ["root"]
        path = path.removeprefix("/")
        grant = self._of_folder(path) if path.endswith("/") else self._of(path)
        return words_of(0 if grant is None else grant.mask)

    def summary(self) -> dict[str, Any]:
        """What each rule for an exact path and for a prefix came to, as ``resultant-acl`` has it.

        Rules with `+` are left out: their patterns are no prefixes, which is what readers make of
        the second group.
        """
        if self._root:
            return {"root": True}
        prefixes = {prefix: grant for prefix, (_, grant) in self._prefixes.items()}
        return {
            "exact_paths": {path: grant.summary() for path, grant in self._exact.items()},
            "glob_paths": {prefix: grant.summary() for prefix, grant in prefixes.items()},
            "root": False,
        }

    def reaches(self, folder: str) -> bool:
        """Whether some rule grants something at `folder` (which ends in ``/``) or below it.

        A more specific deny may still take everything back: this tells what to show, not what to do.
        """
        if self._root:
            return True
        exact = any(
            grant.mask and not grant.denies and (path + "/").startswith(folder)
            for path, grant in self._exact.items()
        )
        return (
            exact
            or any(
                grant.mask
                and not grant.denies
                and (prefix.startswith(folder) or folder.startswith(prefix))
                for prefix, (_, grant) in self._prefixes.items()
            )
            or any(
                pattern.grant.mask and not pattern.grant.denies and pattern.overlaps(folder)
                for pattern in self._plus
            )
        )

    def shown_keys(self, decision: Decision, path: str, keys: Iterable[str]) -> list[str]:
        """The keys of a listing of `path` that the decision's filters leave.

        A key is shown when every filter leads to a path that the token may read; or, for a folder
        (a key that ends in a slash), list.
        """
        if self._root or not decision.list_filters:
            return list(keys)
        folder = path if path.endswith("/") else path + "/"
        return [
            key
            for key in keys
            if all(
                self.allows(
                    Operation.LIST if key.endswith("/") else Operation.READ,
                    filtered_path(template, folder, key),
                )
                for template in decision.list_filters
            )
        ]

    def _of(self, path: str) -> Grant | None:
        grant = self._exact.get(path)
        if grant is not None:
            return grant
        found = self._found.get(path, _UNSEEN)
        if not isinstance(found, _Unseen):
            return found
        return _remember(self._found, path, self._by_wildcard(path)[1])

    def _of_folder(self, folder: str) -> Grant | None:
        """The grant for listing a path that ends in a slash.

        A rule without the slash speaks for the folder too, when no rule fits the path as it is. A
        more specific one that denies is obeyed in any case; OpenBao overlooks it when it holds `+`.
        """
        grant = self._exact.get(folder) or self._exact.get(folder[:-1])
        if grant is not None:
            return grant
        found = self._found_folders.get(folder, _UNSEEN)
        if not isinstance(found, _Unseen):
            return found
        order, grant = self._by_wildcard(folder)
        plain_order, plain = self._by_plus(folder[:-1])
        if plain is not None and (grant is None or (plain.denies and plain_order > order)):
            grant = plain
        return _remember(self._found_folders, folder, grant)

    def _by_wildcard(self, path: str) -> tuple[Rank, Grant | None]:
        """The most specific wildcard rule for a path, and how specific it is."""
        by_prefix = _NOTHING
        for length in self._lengths:
            found = self._prefixes.get(path[:length])
            if found is not None:
                by_prefix = found
                break
        if not self._plus:
            return by_prefix
        by_plus = self._by_plus(path)
        return by_plus if by_plus[0] > by_prefix[0] else by_prefix

    def _by_plus(self, path: str) -> tuple[Rank, Grant | None]:
        """The most specific rule with `+` segments for a path."""
        for pattern in self._plus:
            if pattern.matches(path):
                return pattern.rank, pattern.grant
        return _NOTHING


def _remember(found: dict[str, Grant | None], path: str, grant: Grant | None) -> Grant | None:
    if len(path) <= _LONGEST_REMEMBERED:
        if len(found) >= _REMEMBERED_PATHS:
            found.clear()
        found[path] = grant
    return grant
