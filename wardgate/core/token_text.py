"""Tokens that stand in a text where none should, such as a path: Vault once had them there."""

import re
from collections.abc import Callable

_TOKEN = re.compile(r"(?<![\w.-])(?:hv)?[sbr]\.[\w-]{20,}")


def without_tokens(text: str, shown: Callable[[str], str]) -> str:
    """`text` with `shown` of each token in the token's place."""
    if "." not in text:
        return text
    return _TOKEN.sub(lambda match: shown(match[0]), text)
