"""``seal "static"``: a key that lies beside the configuration, in a file or the environment.

It protects the data where they are kept apart from the key (backups, a disk that is thrown away),
not from somebody who can read both.
"""

import base64
import binascii
import logging
import os
import re
import stat

from wardgate.barrier import envelope
from wardgate.barrier.auto_seal import Wrapped
from wardgate.barrier.envelope import KEY_BYTES
from wardgate.barrier.errors import BarrierError, SealFailed, WrongKey
from wardgate.barrier.keys import SEAL
from wardgate.server.document import ConfigError
from wardgate.server.seals.config import StaticSeal

_MAX_FILE_BYTES = 4096
_HEX = re.compile(rb"[0-9a-fA-F]{64}\s*")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{43}=\s*")
_FIX = "make one with `openssl rand -out FILE 32`"

_log = logging.getLogger("wardgate.seal")


class StaticWrapper:
    """Encrypts under the current key, and knows the one before it, so that keys can change."""

    type = "static"

    def __init__(self, current_id: str, keys: dict[str, bytes]) -> None:
        """`keys` leads from ids to keys of 32 bytes, `current_id` among them."""
        self._current_id = current_id
        self._keys = keys

    @classmethod
    def open(cls, seal: StaticSeal) -> "StaticWrapper":
        """Read the keys. Raises `ConfigError`."""
        keys = {seal.current_key_id: _key(seal, "current_key", seal.current_key)}
        if seal.previous_key:
            previous = _key(seal, "previous_key", seal.previous_key)
            if keys.setdefault(seal.previous_key_id, previous) != previous:
                problem = "two different keys have the same id; give the new key a new id"
                raise _error(seal, "previous_key_id", problem)
        return cls(seal.current_key_id, keys)

    async def wrap(self, plaintext: bytes) -> Wrapped:
        key = self._keys[self._current_id]
        return Wrapped(self._current_id, envelope.wrap(key, SEAL, plaintext))

    async def unwrap(self, wrapped: Wrapped) -> bytes:
        key = self._keys.get(wrapped.key_id)
        if key is None:
            raise SealFailed(
                "the root key was encrypted under a key with another id than current_key_id and "
                "previous_key_id; set previous_key and previous_key_id to that key"
            )
        try:
            return envelope.unwrap(key, SEAL, wrapped.ciphertext)
        except WrongKey:
            raise SealFailed(
                f"the key of this id is not the one that the root key was encrypted under, or {SEAL} "
                "in storage was altered; restore the one or the other"
            ) from None
        except BarrierError as error:
            raise SealFailed(str(error)) from None

    async def maintain(self) -> None:
        """A key in memory needs nothing."""

    async def close(self) -> None:
        """Forget the keys."""
        self._keys = {}


def _key(seal: StaticSeal, name: str, given: str) -> bytes:
    """The 32 bytes that a setting stands for: raw, or as hexadecimal digits or base64, which may
    end in a line break."""
    if given.startswith("file://"):
        raw = _file(seal, name, given)
    elif given.startswith("env://"):
        text = seal.environ.get(given.removeprefix("env://"), "")
        if not text:
            raise _error(seal, name, "the variable that it names is not set")
        raw = os.fsencode(text)
    else:
        raw = os.fsencode(given)
    key = _decoded(raw)
    if key is None:
        problem = f"must be a key of {KEY_BYTES} bytes, raw or as hexadecimal digits or base64"
        raise _error(seal, name, f"{problem}; {_FIX}")
    if all(32 <= byte < 127 for byte in key):
        _log.warning(
            '%s: seal "static": %s is text of 32 characters, not 32 random bytes; %s',
            seal.place,
            name,
            _FIX,
        )
    return key


def _decoded(raw: bytes) -> bytes | None:
    if len(raw) == KEY_BYTES:
        return raw
    if _HEX.fullmatch(raw):
        return bytes.fromhex(raw.decode())
    if _BASE64.fullmatch(raw):
        try:
            return base64.b64decode(raw.strip(), validate=True)
        except binascii.Error:
            return None
    return None


def _file(seal: StaticSeal, name: str, given: str) -> bytes:
    try:
        with open(given.removeprefix("file://"), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(_MAX_FILE_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise _error(seal, name, f"the key file cannot be read: {reason}") from None
    if stat.S_IMODE(mode) & stat.S_IRWXO:
        _log.warning(
            '%s: seal "static": every user of this machine can use the file of %s; chmod it to 0400',
            seal.place,
            name,
        )
    return raw


def _error(seal: StaticSeal, name: str, problem: str) -> ConfigError:
    return ConfigError(problem, seal.place, f'seal "static": {name}')
