"""New shares in place of old ones: what `sys/rekey` and `sys/rotate/root` have in common.

Enough holders of present shares give theirs; then new shares are made and answered. At once, or
with `require_verification` when enough of the new ones were given back, they take the place of the
old ones, in one commit with everything that belongs to it. So whenever the server is killed, either
the old shares open it or the new ones.
"""

import base64
from typing import Annotated

import msgspec

from wardgate.barrier.shares import ShareMarks
from wardgate.core.ids import new_uuid
from wardgate.core.records import Codec
from wardgate.core.request import JsonMap, Request
from wardgate.errors import InvalidRequest
from wardgate.framework.fields import Body, Doc, StringList
from wardgate.system.key_text import read_share
from wardgate.system.pgp import PgpKey, encrypt_to, read_pgp_keys
from wardgate.system.quorum import (
    LIFETIME,
    WRONG_SHARE,
    Attempt,
    check_may_begin,
    check_may_cancel,
    check_nonce,
    first_fields,
    living,
    progress,
    with_share,
)
from wardgate.system.share_sets import MadeShares, ShareSet


class RekeyBody(Body):
    """How the new shares are to be."""

    secret_shares: Annotated[int, Doc("How many new shares there will be.")] = 0
    secret_threshold: Annotated[int, Doc("How many of them are needed.")] = 0
    pgp_keys: Annotated[
        StringList | None,
        Doc("Public PGP keys, base64, one for each share, that the shares are encrypted to."),
    ] = None
    backup: Annotated[bool, Doc("Keep a copy of the encrypted shares in the storage.")] = False
    require_verification: Annotated[
        bool, Doc("The old shares stay in force until enough of the new ones were given back.")
    ] = False
    key: Annotated[
        str, Doc("A share, where the call has no token: no stranger's attempt is in its way then.")
    ] = ""


class ShareBody(Body):
    """A share for an attempt."""

    key: Annotated[str, Doc("One share, as hexadecimal digits or base64.")] = ""
    nonce: Annotated[str, Doc("The nonce of the attempt.")] = ""


class CancelQuery(Body):
    """Which attempt is meant; needed where the call has no token."""

    nonce: Annotated[str, Doc("The nonce of the attempt, where the call has no token.")] = ""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """New shares that wait for being given back: `given` are the numbers of those that were."""

    nonce: str
    marks: ShareMarks
    change: bytes
    given: tuple[int, ...] = ()


class RekeyAttempt(Attempt, frozen=True, kw_only=True):
    """An attempt to replace the shares by so many others."""

    shares: int
    threshold: int
    pgp_keys: tuple[PgpKey, ...] = ()
    backup: bool = False
    verify: bool = False
    pending: Pending | None = None

    @property
    def fingerprints(self) -> list[str] | None:
        """Those of the PGP keys, None without any."""
        return [key.fingerprint for key in self.pgp_keys] or None

    @property
    def nonces(self) -> tuple[str, ...]:
        """What shows that somebody belongs to the attempt."""
        return (self.nonce,) if self.pending is None else (self.nonce, self.pending.nonce)

    @property
    def verification_nonce(self) -> str:
        """Empty until new shares are there to be verified."""
        return "" if self.pending is None else self.pending.nonce


class Backup(msgspec.Struct, frozen=True):
    """Encrypted shares of the last replacement that asked for it, by PGP fingerprint."""

    nonce: str
    keys: dict[str, list[bytes]]


class Words(msgspec.Struct, frozen=True):
    """What the older and the newer endpoints call the same."""

    busy: str
    idle: str
    none_to_verify: str
    not_verifying: str
    nothing: str
    again: str
    must_verify: str
    no_verification: str


ATTEMPT: Codec[RekeyAttempt] = Codec(RekeyAttempt)
BACKUP: Codec[Backup] = Codec(Backup)


class Rekeying:
    """Attempts to replace one set of shares."""

    def __init__(self, share_set: ShareSet, words: Words) -> None:
        self._set = share_set
        self._words = words

    @property
    def what(self) -> str:
        """What is replaced, for the log."""
        return self._set.what

    async def marks(self, request: Request) -> ShareMarks:
        """The shares in force."""
        return await self._set.marks(request.transaction)

    async def under_way(self, request: Request) -> RekeyAttempt | None:
        """The attempt under way, None without one."""
        found = await request.transaction.get(self._set.attempt_key, ATTEMPT)
        return living(found, request.time)

    async def existing(self, request: Request) -> RekeyAttempt:
        """The attempt under way; `InvalidRequest` without one."""
        attempt = await self.under_way(request)
        if attempt is None:
            raise InvalidRequest(self._words.nothing)
        return attempt

    async def begin(self, request: Request, body: RekeyBody) -> RekeyAttempt:
        """Begin an attempt, unless one is under way that does not give way to the caller."""
        marks = await self.marks(request)
        before = await self.under_way(request)
        stranger = check_may_begin(request, before, marks, body.key, self._words.busy)
        if not self._set.hands_out:
            self._check_plain(body)
        shares, threshold = self._set.counts(body.secret_shares, body.secret_threshold)
        texts = body.pgp_keys or ()
        if texts and len(texts) != body.secret_shares:
            raise InvalidRequest("pgp_keys: give one key for each share")
        if body.backup and not texts:
            raise InvalidRequest("backup: needs pgp_keys, no share is stored in clear")
        attempt = RekeyAttempt(
            **first_fields(request, marks, stranger),
            shares=shares,
            threshold=threshold,
            pgp_keys=await read_pgp_keys("pgp_keys", texts, request.time),
            backup=body.backup,
            verify=body.require_verification,
        )
        self._save(request, attempt)
        return attempt

    def _check_plain(self, body: RekeyBody) -> None:
        if body.require_verification:
            raise InvalidRequest(self._words.no_verification)
        if body.pgp_keys:
            raise InvalidRequest("PGP key encryption not supported when using stored keys")
        if body.backup:
            raise InvalidRequest("key backup not supported when using stored keys")

    async def begin_or_make(
        self, request: Request, body: RekeyBody
    ) -> tuple[RekeyAttempt, JsonMap | None]:
        """`begin`; where there are no shares yet that could authorise new ones, these are made at
        once, as by `give`."""
        attempt = await self.begin(request, body)
        if (await self.marks(request)).marks:
            return attempt, None
        return await self._finish(request, attempt)

    async def cancel(self, request: Request, nonce: str) -> None:
        """End the attempt under way, if there is one."""
        attempt = await self.under_way(request)
        if attempt is not None:
            check_may_cancel(request, attempt.nonces, nonce)
            request.transaction.delete(self._set.attempt_key)

    async def give(self, request: Request, body: ShareBody) -> tuple[RekeyAttempt, JsonMap | None]:
        """Count a present share; with the last one needed, the new shares come back, as the
        answer's fields."""
        share = read_share(body.key)
        attempt = await self.under_way(request)
        if attempt is None:
            raise InvalidRequest(self._words.idle)
        check_nonce(attempt.nonce, body.nonce)
        if attempt.pending is not None:
            raise InvalidRequest(self._words.must_verify)
        marks = await self.marks(request)
        attempt = with_share(request, attempt, marks, share, self._words.again)
        if progress(attempt, marks) < marks.threshold:
            self._save(request, attempt)
            return attempt, None
        return await self._finish(request, attempt)

    async def _finish(
        self, request: Request, attempt: RekeyAttempt
    ) -> tuple[RekeyAttempt, JsonMap]:
        made = await self._set.make(attempt.shares, attempt.threshold)
        if attempt.verify:
            pending = Pending(nonce=new_uuid(), marks=made.marks, change=made.change)
            attempt = msgspec.structs.replace(attempt, pending=pending, given=())
            self._save(request, attempt)
        else:
            await self._set.apply(request.transaction, made.marks, made.change)
            request.transaction.delete(self._set.attempt_key)
        return attempt, await self._handed_out(request, attempt, made)

    async def give_back(self, request: Request, body: ShareBody) -> tuple[RekeyAttempt, bool]:
        """Count a new share; with the last one needed, they are in force. Tells whether they are."""
        share = read_share(body.key)
        attempt = await self.under_way(request)
        if attempt is None:
            raise InvalidRequest(self._words.none_to_verify)
        pending = attempt.pending
        if pending is None:
            raise InvalidRequest(self._words.not_verifying)
        check_nonce(pending.nonce, body.nonce)
        number = pending.marks.number(share)
        if number is None:
            raise InvalidRequest(WRONG_SHARE)
        if number in pending.given:
            raise InvalidRequest(self._words.again)
        pending = msgspec.structs.replace(pending, given=(*pending.given, number))
        attempt = msgspec.structs.replace(attempt, pending=pending, expires=request.time + LIFETIME)
        complete = len(pending.given) >= pending.marks.threshold
        if complete:
            await self._set.apply(request.transaction, pending.marks, pending.change)
            request.transaction.delete(self._set.attempt_key)
        else:
            self._save(request, attempt)
        return attempt, complete

    async def restart_verification(self, request: Request, nonce: str) -> RekeyAttempt:
        """Forget which new shares were given back; the verification gets another nonce."""
        attempt = await self.existing(request)
        check_may_cancel(request, attempt.nonces, nonce)
        if attempt.pending is not None:
            pending = msgspec.structs.replace(attempt.pending, nonce=new_uuid(), given=())
            attempt = msgspec.structs.replace(attempt, pending=pending)
            self._save(request, attempt)
        return attempt

    async def backup(self, request: Request) -> JsonMap:
        """The encrypted shares that were kept, by fingerprint."""
        found = await request.transaction.get(self._set.backup_key, BACKUP)
        if found is None:
            raise InvalidRequest("no backed-up keys found")
        return {
            "nonce": found.nonce,
            "keys": {name: [key.hex() for key in keys] for name, keys in found.keys.items()},
            "keys_base64": {
                name: [base64.b64encode(key).decode() for key in keys]
                for name, keys in found.keys.items()
            },
        }

    def forget_backup(self, request: Request) -> None:
        """Remove the encrypted shares that were kept."""
        request.transaction.delete(self._set.backup_key)

    def _save(self, request: Request, attempt: RekeyAttempt) -> None:
        request.transaction.put(self._set.attempt_key, attempt, ATTEMPT)

    async def _handed_out(
        self, request: Request, attempt: RekeyAttempt, made: MadeShares
    ) -> JsonMap:
        keys = made.keys
        if attempt.pgp_keys:
            encrypted: dict[str, list[bytes]] = {}
            keys = await encrypt_to(attempt.pgp_keys, made.keys)
            for key, message in zip(attempt.pgp_keys, keys, strict=True):
                encrypted.setdefault(key.fingerprint, []).append(message)
            if attempt.backup:
                backup = Backup(attempt.nonce, encrypted)
                request.transaction.put(self._set.backup_key, backup, BACKUP)
        return {
            "nonce": attempt.nonce,
            "complete": True,
            "keys": [key.hex() for key in keys],
            "keys_base64": [base64.b64encode(key).decode() for key in keys],
            "pgp_fingerprints": attempt.fingerprints,
            "backup": attempt.backup,
            "verification_required": attempt.verify,
        }
