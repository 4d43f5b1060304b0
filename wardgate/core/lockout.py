"""User lockout: who gives wrong credentials too often is refused for a while, even with right ones.

Failures are counted in the storage, below the mount that they happened at: every process sees them,
they survive a restart, and they go with the mount. Names that nobody has are counted as well, so
that nothing tells which names there are.

Each mount has a table of `SLOTS` records with room for `PER_SLOT` names each, so whoever makes up
names fills no disk. The slot of a name depends on the mount's UUID, which strangers do not know. In
a full slot, a name that is not locked out makes room for the new one; only among 16 locked ones the
lockout that ends first is given up.
"""

import hashlib

import msgspec

from wardgate.core.backend import Backend
from wardgate.core.lockout_config import LockoutRules, UserLockout
from wardgate.core.mounts import Mount
from wardgate.core.records import Codec
from wardgate.core.request import Request
from wardgate.core.storage import Transaction
from wardgate.errors import PermissionDenied

SLOTS = 4096
PER_SLOT = 16
_FOLDER = "lockout/"
_LONGEST_NAME = 256  # characters; a longer name is counted under its beginning


class Failures(msgspec.Struct, frozen=True):
    """How often wrong credentials were given for one name, and when for the last time, in seconds
    since the epoch."""

    name: str
    count: int
    last: float

    def locks(self, rules: LockoutRules, now: float) -> bool:
        """Whether the name is locked out."""
        return self.count >= rules.threshold and self._within(rules.duration, now)

    def counts(self, rules: LockoutRules, now: float) -> bool:
        """Whether this still means something."""
        locked = self.count >= rules.threshold
        return self._within(rules.duration if locked else rules.counter_reset, now)

    def _within(self, seconds: float, now: float) -> bool:
        """Whether the last one is so short ago; if the clock was set back since by more, it is not."""
        return abs(now - self.last) < seconds


_SLOT: Codec[tuple[Failures, ...]] = Codec(tuple[Failures, ...])


def folded_name(name: str) -> str:
    """The one form of all spellings of a name; see CVE-2025-6004."""
    return name.strip().lower()[:_LONGEST_NAME]


def _folder(mount: Mount) -> str:
    return mount.storage_prefix + _FOLDER


def _slot_key(mount: Mount, name: str) -> str:
    digest = hashlib.blake2b(name.encode(), key=mount.uuid.encode(), digest_size=4).digest()
    return f"{_folder(mount)}{int.from_bytes(digest) % SLOTS:03x}"


class Attempt:
    """One attempt to log in by somebody who is not locked out, in the attempt's transaction.

    What was read keeps the answer true: of any number of attempts at once, so many are told that
    they were wrong as the threshold says, and a right one is refused if it comes after those.
    """

    def __init__(
        self,
        transaction: Transaction,
        key: str,
        slot: tuple[Failures, ...],
        name: str,
        rules: LockoutRules,
        now: float,
    ) -> None:
        self._transaction = transaction
        self._key = key
        self._slot = slot
        self._name = name
        self._rules = rules
        self._now = now

    def failed(self) -> None:
        """Count wrong credentials."""
        slot = _with_failure(self._slot, self._name, self._rules, self._now)
        self._transaction.put(self._key, slot, _SLOT)

    def succeeded(self) -> None:
        """Forget the failures of somebody who has proved who they are."""
        if any(each.name == self._name for each in self._slot):
            _forget(self._transaction, self._key, self._slot, self._name)


class Lockout:
    """Counts failed logins and refuses those who are locked out."""

    def __init__(self, settings: UserLockout) -> None:
        self._settings = settings

    def rules(self, mount: Mount) -> LockoutRules | None:
        """What holds for `mount`; None when nobody is locked out there."""
        return self._settings.rules(mount.type, mount.config.user_lockout)

    async def attempt(self, request: Request, backend: Backend) -> Attempt | None:
        """The attempt to log in that `request` is; None when it is none, or is not counted.
        `PermissionDenied` when whoever it is for is locked out."""
        rules = self.rules(request.mount)
        name = "" if rules is None else folded_name(await backend.login_alias(request))
        if rules is None or not name:
            return None
        key = _slot_key(request.mount, name)
        slot = await request.transaction.get(key, _SLOT) or ()
        if _locked(slot, name, rules, request.time):
            raise PermissionDenied
        return Attempt(request.transaction, key, slot, name, rules, request.time)

    async def locked(self, transaction: Transaction, mount: Mount, now: float) -> list[str]:
        """The names that are locked out at `mount`, sorted."""
        rules = self.rules(mount)
        if rules is None:
            return []
        found = []
        for entry in await transaction.list(_folder(mount)):
            slot = await transaction.get(_folder(mount) + entry, _SLOT) or ()
            found += [each.name for each in slot if each.locks(rules, now)]
        return sorted(found)

    async def unlock(self, transaction: Transaction, mount: Mount, name: str) -> None:
        """Forget the failures of `name` at `mount`, if there are any."""
        name = folded_name(name)
        key = _slot_key(mount, name)
        slot = await transaction.get(key, _SLOT) or ()
        if any(each.name == name for each in slot):
            _forget(transaction, key, slot, name)


def _forget(transaction: Transaction, key: str, slot: tuple[Failures, ...], name: str) -> None:
    rest = tuple(each for each in slot if each.name != name)
    if rest:
        transaction.put(key, rest, _SLOT)
    else:
        transaction.delete(key)


def _locked(slot: tuple[Failures, ...], name: str, rules: LockoutRules, now: float) -> bool:
    return any(each.name == name and each.locks(rules, now) for each in slot)


def _with_failure(
    slot: tuple[Failures, ...], name: str, rules: LockoutRules, now: float
) -> tuple[Failures, ...]:
    alive = [each for each in slot if each.counts(rules, now)]
    before = next((each.count for each in alive if each.name == name), 0)
    others = [each for each in alive if each.name != name]
    if len(others) >= PER_SLOT:
        given_up = min(others, key=lambda each: (each.locks(rules, now), each.last))
        others.remove(given_up)
    return (*others, Failures(name, before + 1, now))
