"""The hashes in the audit log are HMAC-SHA256 (RFC 2104)."""

import hmac

import pytest

from wardgate.core.audit.hashing import Hasher


@pytest.mark.parametrize("salt", [b"", b"salt", b"x" * 32, b"x" * 64, b"x" * 65, b"x" * 200])
@pytest.mark.parametrize("text", ["", "text", "\u2603" * 100, "\ud800", "x" * 5000])
def test_hash_is_hmac_sha256(salt: bytes, text: str) -> None:
    expected = hmac.digest(salt, text.encode("utf-8", "surrogatepass"), "sha256").hex()
    hasher = Hasher(salt)
    for _ in range(2):
        assert hasher.text(text) == f"hmac-sha256:{expected}"
