"""Names of people and groups, and how they stand in distinguished names (RFC 4514)."""

import re
import unicodedata
from collections.abc import Iterator

LONGEST_NAME = 256
"""Characters of a name that somebody logs in with."""
_IGNORED = {"Cc", "Cf", "Cs", "Co", "Cn"}  # nothing that can be seen, or is no character
_NO_TEXT = {"Cc", "Cs", "Zl", "Zp"}  # controls, halves of characters, ends of lines and paragraphs
_ESCAPED = frozenset('"+,;<>\\#')
_RDN = re.compile(
    r"\s*(?P<kind>[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)\s*="
    r"(?P<value>(?:\\[0-9A-Fa-f]{2}|\\[^0-9A-Fa-f]|[^\\,+;])*)(?P<end>[,+;]|$)",
    re.DOTALL,
)
_PAIR = re.compile(rb"\\([0-9A-Fa-f]{2})|\\(.)", re.DOTALL)


def login_name(sent: str, *, case_sensitive: bool) -> str:
    """The one form of all spellings of a name that mean the same person to a directory (RFC 4518):
    without spaces around it, each inside once, compatible characters as one, and in lower case unless
    that counts. Empty for what can be nobody's name."""
    if len(sent) > LONGEST_NAME:
        return ""
    name = " ".join(unicodedata.normalize("NFKC", sent).split())
    if any(unicodedata.category(each) in _IGNORED for each in name):
        return ""
    return name if case_sensitive else name.lower()


def is_text(value: str) -> bool:
    """Whether a value is one line of text, without characters that control something."""
    return all(unicodedata.category(each) not in _NO_TEXT for each in value)


def escaped_value(value: str) -> str:
    """A name as a value in a distinguished name: nothing in it can end the value."""
    pieces = []
    last = len(value.encode()) - 1
    for position, byte in enumerate(value.encode()):
        character = chr(byte)
        if character in _ESCAPED or (character == " " and position in (0, last)):
            pieces.append("\\" + character)
        elif " " <= character <= "~":
            pieces.append(character)
        else:
            pieces.append(f"\\{byte:02x}")
    return "".join(pieces)


def common_name(dn: str, *, upper_case_alone: bool) -> str:
    """The first CN in a distinguished name; what is no such name, or has none, as it is.

    With `upper_case_alone`, "cn" in small letters is none.
    """
    parts = list(_parts(dn))
    for kind, value in parts:
        if kind == "CN" or (not upper_case_alone and kind.upper() == "CN"):
            return value
    return dn


def _parts(dn: str) -> Iterator[tuple[str, str]]:
    """The attributes and values of a distinguished name from its beginning; none where it is none."""
    found, position = [], 0
    while True:
        match = _RDN.match(dn, position)
        if match is None:
            return
        found.append((match["kind"], _plain(match["value"])))
        position = match.end()
        if not match["end"]:
            yield from found
            return


def _plain(value: str) -> str:
    """A value without its escapes; spaces around it do not count unless they are escaped."""
    stripped = value.lstrip(" ")
    while stripped.endswith(" ") and not _ends_escaped(stripped):
        stripped = stripped[:-1]
    raw = _PAIR.sub(
        lambda pair: bytes.fromhex(pair[1].decode()) if pair[1] else pair[2], stripped.encode()
    )
    return raw.decode(errors="replace")


def _ends_escaped(value: str) -> bool:
    """Whether the last character belongs to an escape."""
    before = value[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def sid_text(raw: bytes) -> str | None:
    """A security identifier (MS-DTYP 2.4.2.2) in words, ``S-1-5-21-…``; None for what is none."""
    if len(raw) < 8 or len(raw) != 8 + 4 * raw[1]:
        return None
    authority = int.from_bytes(raw[2:8])
    rest = (int.from_bytes(raw[at : at + 4], "little") for at in range(8, len(raw), 4))
    return "-".join(map(str, ("S", raw[0], authority, *rest)))
