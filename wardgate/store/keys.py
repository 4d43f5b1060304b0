"""What a key may look like, and what a commit is once its keys have been checked.

The rules are the same in every engine, so that data can move from one to another. NUL is refused
because PostgreSQL's text cannot hold it, lone surrogates because UTF-8 cannot.
"""

from collections.abc import Mapping, Sequence
from itertools import filterfalse

import msgspec

from wardgate.store.interface import MAX_KEY_BYTES, Put, StoreError, Write


class InvalidKey(StoreError, ValueError):
    """A key or prefix that no engine takes. The message names the rule, never the key."""


class CheckedCommit(msgspec.Struct, frozen=True):
    """A commit whose keys are valid, as an engine applies it."""

    expect: Mapping[str, int]
    """Keys and the versions that they must have."""

    writes: Sequence[tuple[str, bytes, bytes | None]]
    """Key as text and as bytes, and new value, in order; None deletes."""


def encode_key(key: str) -> bytes:
    """The UTF-8 bytes of `key`; raises `InvalidKey` unless it is one that can be stored."""
    try:
        raw = key.encode()
    except UnicodeEncodeError:
        raise _not_unicode() from None
    if len(raw) > MAX_KEY_BYTES:
        raise InvalidKey(f"a storage key must not be longer than {MAX_KEY_BYTES} bytes of UTF-8")
    if "//" in f"/{key}/":
        raise InvalidKey(f"a storage key must not {'have an empty segment' if key else 'be empty'}")
    if "\0" in key:
        raise InvalidKey("a storage key must not contain NUL")
    return raw


def encode_prefix(prefix: str) -> bytes:
    """The UTF-8 bytes of `prefix`; raises `InvalidKey` unless it is empty or ends in ``/``.

    A prefix under which no valid key can lie is no error: nothing is there.
    """
    if prefix and prefix[-1] != "/":
        raise InvalidKey("a storage prefix must be empty or end in /")
    return _encode(prefix)


def encode_name(name: str) -> bytes:
    """The UTF-8 bytes of any text that names are compared with; it need not be a valid name."""
    return _encode(name)


def check(expect: Mapping[str, int], writes: Sequence[Write]) -> CheckedCommit:
    """Encode what `Store.commit` was given; raises `InvalidKey`, or `TypeError` for a value that
    is not `bytes` (which could change while the commit waits)."""
    for key in filterfalse(_expected_before.__contains__, expect):
        encode_key(key)
        if len(_expected_before) >= _MOST:
            _expected_before.clear()
        _expected_before.add(key)
    encoded: list[tuple[str, bytes, bytes | None]] = []
    for write in writes:
        key, value = write.key, None
        if type(write) is Put:
            value = write.value
            if type(value) is not bytes:
                raise TypeError("a stored value must be bytes")
        raw = key.encode() if key in _expected_before else encode_key(key)
        encoded.append((key, raw, value))
    # a copy: what the caller does with its own while this one waits must not matter
    return CheckedCommit(dict(expect), encoded)


_expected_before: set[str] = set()
"""Keys that can be stored: most commits expect the same few."""
_MOST = 4096


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise _not_unicode() from None


def _not_unicode() -> InvalidKey:
    """The error that Python raises repeats the text, so this one is not chained to it."""
    return InvalidKey("a storage key must be valid Unicode without lone surrogates")
