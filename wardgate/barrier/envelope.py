"""A record encrypted under one key: how the keyring and the root key lie in storage.

Layout: format byte, 12-byte random nonce, AES-256-GCM ciphertext with its 16-byte tag. The
associated data are the format byte and the storage key, so a record cannot stand in for another.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wardgate.barrier.errors import BarrierError, WrongKey

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16

_FORMAT = b"\x02"  # 1 is the format of values, see `keyring`


def wrap(key: bytes, storage_key: str, plaintext: bytes) -> bytes:
    """Encrypt `plaintext` under `key` (32 bytes) for the place `storage_key`."""
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = AESGCM(key).encrypt(nonce, plaintext, _FORMAT + storage_key.encode())
    return _FORMAT + nonce + ciphertext


def unwrap(key: bytes, storage_key: str, record: bytes) -> bytes:
    """Undo `wrap`. Raises `WrongKey` for another key, `BarrierError` for a foreign record."""
    if record[:1] != _FORMAT or len(record) < 1 + NONCE_BYTES + TAG_BYTES:
        raise BarrierError(
            f"the record {storage_key} in storage is damaged or was not written by Wardgate; "
            "restore it from a backup"
        )
    nonce, ciphertext = record[1 : 1 + NONCE_BYTES], record[1 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, _FORMAT + storage_key.encode())
    except (InvalidTag, ValueError):
        raise WrongKey(f"the key given does not open {storage_key}, or it was altered") from None
