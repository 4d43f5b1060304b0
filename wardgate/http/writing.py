"""The bytes of an answer (RFC 9112)."""

import re
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

Fields = list[tuple[str, str]]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_NO_LENGTH = 204
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile("[\t\x20-\x7e\x80-\ud7ff\ue000-\U0010ffff]*")


def answer_bytes(
    status: int, fields: Fields, body: bytes, date: bytes, *, connection: str = "", bare: bool
) -> bytes:
    """The whole answer; to HEAD without the body, if `bare`. `connection` is what the field of that
    name says, if there is need for it. Raises `ValueError` for a field that would not be one."""
    head = _head(status, tuple(fields))
    if connection:
        head += b"connection: %s\r\n" % connection.encode()
    if bare or status == _NO_LENGTH:
        return b"%sdate: %s\r\n\r\n" % (head, date)
    return b"%scontent-length: %d\r\ndate: %s\r\n\r\n%s" % (head, len(body), date, body)


def date_bytes(now: float) -> bytes:
    """What the field `Date` says at this time, in seconds since the epoch."""
    return formatdate(now, usegmt=True).encode()


@lru_cache(maxsize=256)
def _head(status: int, fields: tuple[tuple[str, str], ...]) -> bytes:
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
    for name, value in fields:
        if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            raise ValueError(f"the header {name!a} of an answer cannot be sent")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, ""]).encode("utf-8")
