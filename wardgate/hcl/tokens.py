"""Cuts HCL 1 into tokens: keys, texts, numbers and signs, without comments and white space."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from wardgate.hcl.document import HclError, Place

# No possessive quantifiers, which early releases of Python 3.11 get wrong for groups. None of these
# can be matched in two ways, so a failed match costs no more than its length.
_TOKEN = re.compile(
    r"""
      (?P<skip>    [ \t\r\n]+ | \#[^\n]* | //[^\n]* | /\*.*?\*/ )
    | (?P<name>    [^\W\d][\w.-]* )
    | (?P<sign>    [{}\[\]=,] )
    | (?P<text>    "[^"\\\n$]* (?: (?: \\[^\n] | \$(?!\{) ) [^"\\\n$]* )*" )
    | (?P<number>  (?: -? (?: 0[xX][0-9a-fA-F]+ | [0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)? )
                     | \.[0-9]+(?:[eE][+-]?[0-9]+)?
                   ) (?![\w.]) )
    | (?P<heredoc> <<-?\w+\n )
    """,
    re.VERBOSE | re.DOTALL,
)
_TEXT_PIECE = re.compile(r'(?P<plain>(?:[^"\\\n$]|\\[^\n]|\$(?!\{))+)|(?P<open>\$\{)|(?P<close>")')
_TEMPLATE_PIECE = re.compile(r"(?:[^{}\\]|\\[^\n])+|\{|\}")
_ESCAPE = re.compile(
    rb'\\(?:([abfnrtv\\"])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|)'
)
_CHARS = dict(zip(b'abfnrtv\\"', b'\a\b\f\n\r\t\v\\"', strict=True))


class Token(NamedTuple):
    """`kind` is "text", "number", "name", "truth", "end", or the sign itself. Of a text, `text` is
    what it means; of all others, what is written.
    """

    kind: str
    text: str
    line: int


def tokens(text: str, file: str) -> Iterator[Token]:
    """All tokens; the last is the end, on the last line. Raises `HclError`."""
    # So that a text of several lines means the same on every system.
    text = text.replace("\r\n", "\n")
    at, line = 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None and text[at] != '"':
            raise HclError(_unreadable(text, at), Place(file, line))
        kind, end = (match.lastgroup, match.end()) if match else ("templates", at)
        if kind == "sign":
            yield Token(text[at], text[at], line)
        elif kind == "name":
            name = text[at:end]
            yield Token("truth" if name in ("true", "false") else "name", name, line)
        elif kind == "text":
            yield Token("text", _unescaped(text[at + 1 : end - 1], Place(file, line)), line)
        elif kind == "number":
            yield Token("number", text[at:end], line)
        elif kind == "heredoc":
            body, end = _heredoc(text, at, end, Place(file, line))
            yield Token("text", body, line)
        elif kind == "templates":
            body, end = _text_with_templates(text, at, Place(file, line))
            yield Token("text", body, line)
        line += text.count("\n", at, end)
        at = end
    yield Token("end", "", line)


def _text_with_templates(text: str, start: int, place: Place) -> tuple[str, int]:
    """The text that opens at `start`, and where what follows it begins.

    ``${`` in it means nothing here. But as other readers of HCL 1 see a template, up to its closing
    brace quotation marks and line breaks are part of the text, and no escape is replaced.
    """
    parts: list[str] = []
    at = start + 1
    while piece := _TEXT_PIECE.match(text, at):
        if piece["close"]:
            return "".join(parts), piece.end()
        at = piece.end()
        if piece["plain"]:
            parts.append(_unescaped(piece[0], place))
        else:
            end = _template_end(text, at, place)
            _unescaped(text[at:end], place)  # for its errors
            parts.append(text[piece.start() : end])
            at = end
    raise HclError("a text is not closed; end it on the same line with a quotation mark", place)


def _template_end(text: str, at: int, place: Place) -> int:
    depth = 1
    while depth and (piece := _TEMPLATE_PIECE.match(text, at)):
        depth += (piece[0] == "{") - (piece[0] == "}")
        at = piece.end()
    if depth:
        raise HclError("a ${ is not closed; end it with }", place)
    return at


def _unreadable(text: str, at: int) -> str:
    if text.startswith("/*", at):
        return "a comment is not closed; end it with */"
    if text.startswith("<<", at):
        return "a heredoc must begin with << or <<- and a name alone on the rest of the line"
    if text[at] in "-.0123456789":
        return "a number runs into other characters; texts and durations stand in quotation marks"
    return "a character that has no meaning here; texts stand in quotation marks"


def _heredoc(text: str, start: int, body: int, place: Place) -> tuple[str, int]:
    """The lines up to the marker, and where what follows them begins.

    As in bao, a marker after ``<<-`` must be indented, and what it is indented by is taken off all
    lines or none; after ``<<`` it may be indented, and its indentation belongs to the text.
    """
    trims = text[start + 2] == "-"
    last_line = text[start + 3 if trims else start + 2 : body]
    end = body - 1
    while (end := text.find(last_line, end + 1)) >= 0:
        line = text.rfind("\n", body - 1, end) + 1
        indent = text[line:end]
        if not indent.strip(" \t") and (indent or not trims):
            break
    else:
        raise HclError(
            "a heredoc is not closed; end it with its name alone on a line, indented after <<-",
            place,
        )
    after = end + len(last_line)
    if not trims:
        return text[body:end], after
    lines = text[body:line].split("\n")[:-1]
    if all(each.startswith(indent) for each in lines):
        return "".join(each.removeprefix(indent) + "\n" for each in lines), after
    return text[body:line], after


def _unescaped(text: str, place: Place) -> str:
    if "\\" not in text:
        return text
    try:
        return _ESCAPE.sub(_char, text.encode()).decode()
    except ValueError:
        problem = "a text has an unknown \\ escape, or one that is no character"
        raise HclError(f"{problem}; write \\\\ for a backslash", place) from None


def _char(escape: re.Match[bytes]) -> bytes:
    """What an escape stands for; ``\\x`` and octal numbers are bytes of UTF-8."""
    char, octal, byte, short, long = escape.groups()
    if char:
        return bytes([_CHARS[char[0]]])
    if octal or byte:
        return bytes([int(octal, 8) if octal else int(byte, 16)])
    return chr(int(short or long or b"-1", 16)).encode()
