"""The text of a policy as clients send it."""

import base64
import binascii


def plain_text(text: str) -> str:
    """The text, decoded if it came as base64, which no policy in plain text can be taken for."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return text
