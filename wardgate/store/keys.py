"""What a key may look like, and what a commit is once its keys have been checked.

The rules are the same in every engine, so that data can move from one to another. NUL is refused
because PostgreSQL's text cannot hold it, lone surrogates because UTF-8 cannot.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from wardgate.store.interface import MAX_KEY_BYTES, Put, StoreError, Write


class InvalidKey(StoreError, ValueError):
    """A key or prefix that no engine takes. The message names the rule, never the key."""


class CheckedCommit(NamedTuple):
    """A commit whose keys are valid, as an engine applies it."""

    expect: list[tuple[str, bytes, int]]
    """Key as text and as bytes, and the version that it must have."""

    writes: list[tuple[bytes, bytes | None]]
    """Key and new value in order; None deletes."""


def encode_key(key: str) -> bytes:
    """The UTF-8 bytes of `key`; raises `InvalidKey` unless it is one that can be stored."""
    try:
        raw = key.encode()
    except UnicodeEncodeError:
        raise _not_unicode() from None
    if not raw:
        raise InvalidKey("a storage key must not be empty")
    if len(raw) > MAX_KEY_BYTES:
        raise InvalidKey(f"a storage key must not be longer than {MAX_KEY_BYTES} bytes of UTF-8")
    if "//" in key or key[0] == "/" or key[-1] == "/":
        raise InvalidKey("a storage key must not have an empty segment")
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
    encoded: list[tuple[bytes, bytes | None]] = []
    for write in writes:
        value = write.value if isinstance(write, Put) else None
        if value is not None and type(value) is not bytes:
            raise TypeError("a stored value must be bytes")
        encoded.append((encode_key(write.key), value))
    return CheckedCommit(
        [(key, _expected(key), version) for key, version in expect.items()], encoded
    )


_expected = lru_cache(maxsize=4096)(encode_key)
"""Most commits expect the same few keys."""


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise _not_unicode() from None


def _not_unicode() -> InvalidKey:
    """The error that Python raises repeats the text, so this one is not chained to it."""
    return InvalidKey("a storage key must be valid Unicode without lone surrogates")
