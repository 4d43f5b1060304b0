"""Data for a write, as words of the command line.

``key=value`` is a text; ``key=@file`` the content of a file; ``key=-`` what stdin holds;
``key=\\@text`` a text that starts with ``@``. ``@file`` and ``-`` alone are a JSON object from a
file or stdin. A key that is given again collects its values in a list.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from wardgate.cli.failure import UsageError


def parse_data(words: Iterable[str], stdin: TextIO | None = None) -> dict[str, Any]:
    """Raises `UsageError`, naming the word by its place: its text may be a secret."""
    data: dict[str, Any] = {}
    for place, word in enumerate(words, start=1):
        for key, value in _members(place, word, stdin or sys.stdin).items():
            _add(data, key, value)
    return data


def parse_texts(words: Iterable[str], name: str) -> dict[str, str]:
    """``key=value`` pairs of the option `name`, values as they stand; the last of a key wins."""
    pairs = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"option -{name} looks like -{name}=KEY=VALUE")
        pairs[key] = value
    return pairs


def _members(place: int, word: str, stdin: TextIO) -> dict[str, Any]:
    if word == "-":
        return _json_object(place, stdin.read())
    if word.startswith("@"):
        return _json_object(place, _content(place, word[1:]))
    key, equals, value = word.partition("=")
    if not equals:
        raise UsageError(f"data word {place} must look like key=value, @file or -")
    if value == "-":
        return {key: stdin.read()}
    if value.startswith("@"):
        return {key: _content(place, value[1:])}
    return {key: value.removeprefix("\\") if value.startswith("\\@") else value}


def _content(place: int, path: str) -> str:
    try:
        return Path(path).expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(f"the file of data word {place} cannot be read: {reason}") from error


def _json_object(place: int, text: str) -> dict[str, Any]:
    from wardgate.client import wire

    try:
        value = wire.decode(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise UsageError(f"data word {place} must lead to a JSON object")
    return value


def _add(data: dict[str, Any], key: str, value: Any) -> None:
    if key not in data:
        data[key] = value
    elif isinstance(data[key], list):
        data[key] = [*data[key], value]
    else:
        data[key] = [data[key], value]
