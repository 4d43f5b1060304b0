"""Bytes as WebAuthn's JSON has them: base64url without padding."""

import base64
import re

_TEXT = re.compile(r"[A-Za-z0-9_-]*")


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes | None:
    """The bytes; None for what is no base64url, or has padding."""
    if not _TEXT.fullmatch(text) or len(text) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
