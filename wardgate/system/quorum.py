"""What a number of share holders do together, over many requests: an attempt, and who may touch it.

An attempt is one record in the storage, so every process sees the same. It counts which shares were
given, by their marks: no share is ever stored. It ends by itself when nobody goes on with it.

Where a listener lets calls without a token through, anybody can call. Such strangers may begin an
attempt and look at one, but are not shown its nonce; without the nonce they can neither cancel it
nor add to it, and a wrong share changes nothing. What they began themselves gives way to everybody
who has a token or a share, so they keep nobody from anything (CVE-2026-5807).
"""

import hmac
from typing import TypeVar

import msgspec

from wardgate.barrier.shares import ShareMarks
from wardgate.core.ids import new_uuid
from wardgate.core.request import JsonMap, Request
from wardgate.errors import InvalidRequest
from wardgate.system.key_text import read_share

LIFETIME = 24 * 3600.0
"""Seconds that an attempt lives on after it was begun, and after each share."""
STRANGERS_LIFETIME = 600.0
"""The same for what a stranger began and no share holder has joined."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What all attempts have. `given` are the numbers of the shares in the set `share_set`."""

    nonce: str
    expires: float
    stranger: bool = False
    """Begun with neither a token nor a share, and nobody who has a share has joined."""
    share_set: bytes = b""
    given: tuple[int, ...] = ()


A = TypeVar("A", bound=Attempt)


def living(attempt: A | None, now: float) -> A | None:
    """The attempt, unless it has expired."""
    return attempt if attempt is not None and now < attempt.expires else None


def check_may_begin(
    request: Request, under_way: Attempt | None, marks: ShareMarks, key: str, busy: str
) -> bool:
    """Whether a stranger begins. `InvalidRequest` with the message `busy` when an attempt is under
    way that does not give way to the caller.

    `key` is a share, empty when none was given: it shows that the caller is no stranger.
    """
    stranger = request.token is None and not key
    if key and marks.number(read_share(key)) is None:
        raise InvalidRequest(WRONG_SHARE)
    if under_way is not None and (stranger or not under_way.stranger):
        raise InvalidRequest(busy)
    return stranger


def first_fields(request: Request, marks: ShareMarks, stranger: bool) -> JsonMap:
    """The fields of `Attempt` for one that begins now."""
    lifetime = STRANGERS_LIFETIME if stranger else LIFETIME
    return {
        "nonce": new_uuid(),
        "expires": request.time + lifetime,
        "stranger": stranger,
        "share_set": marks.id,
    }


def check_may_cancel(request: Request, nonces: tuple[str, ...], given: str) -> None:
    """`InvalidRequest` unless the caller has a token, or knows one of the attempt's nonces."""
    if request.token is not None:
        return
    if not any(same_text(nonce, given) for nonce in nonces):
        raise InvalidRequest(
            "nonce: must be that of the attempt, which whoever began it was told; or send a token"
        )


def check_nonce(nonce: str, given: str) -> None:
    """`InvalidRequest` when the nonce that came with a share is another one."""
    if not same_text(nonce, given):
        raise InvalidRequest("nonce: incorrect; use the one that was given out at the beginning")


def shown_nonce(request: Request, nonce: str) -> str:
    """The nonce as the answer to `request` may show it: not to strangers."""
    return "" if request.token is None else nonce


def progress(attempt: Attempt, marks: ShareMarks) -> int:
    """How many shares count: those of a set that was replaced meanwhile do not."""
    return len(attempt.given) if attempt.share_set == marks.id else 0


def with_share(request: Request, attempt: A, marks: ShareMarks, share: bytes, again: str) -> A:
    """The attempt with one more share. `InvalidRequest` for a wrong one, and with the message
    `again` for one that counts already; either leaves the attempt as it is."""
    number = marks.number(share)
    if number is None:
        raise InvalidRequest(WRONG_SHARE)
    given = attempt.given if attempt.share_set == marks.id else ()
    if number in given:
        raise InvalidRequest(again)
    return msgspec.structs.replace(
        attempt,
        given=(*given, number),
        share_set=marks.id,
        stranger=False,
        expires=request.time + LIFETIME,
    )


WRONG_SHARE = (
    "invalid key: it is none of the keys that are in force; nothing has changed, give another one"
)


def same_text(one: str, other: str) -> bool:
    """Whether two texts are the same, in a time that does not tell how much of them is."""
    return hmac.compare_digest(one.encode(), other.encode())
