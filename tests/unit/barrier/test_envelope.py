"""Records under one key: only that key opens them, only in their place, only unchanged."""

import pytest

from wardgate.barrier.envelope import unwrap, wrap
from wardgate.barrier.errors import BarrierError, WrongKey

KEY = bytes(range(32))
PLACE = "barrier/keyring"


def test_what_was_wrapped_unwraps_and_never_looks_the_same() -> None:
    one, other = (wrap(KEY, PLACE, b"secret") for _ in range(2))
    assert unwrap(KEY, PLACE, one) == unwrap(KEY, PLACE, other) == b"secret"
    assert one[1:13] != other[1:13], "a nonce was used twice"
    assert len(one) == 1 + 12 + len(b"secret") + 16


def test_another_key_or_another_place_does_not_open_it() -> None:
    record = wrap(KEY, PLACE, b"secret")
    with pytest.raises(WrongKey, match=PLACE):
        unwrap(KEY[::-1], PLACE, record)
    with pytest.raises(WrongKey, match="barrier/seal"):
        unwrap(KEY, "barrier/seal", record)


def test_no_byte_of_it_can_change_and_none_can_be_missing() -> None:
    record = wrap(KEY, PLACE, b"secret")
    for at in range(len(record)):
        changed = bytearray(record)
        changed[at] ^= 1
        for bad in (bytes(changed), record[:at]):
            with pytest.raises(BarrierError, match=PLACE):
                unwrap(KEY, PLACE, bad)


@pytest.mark.parametrize("foreign", [b"", b"\x01" * 60, b'{"terms": []}' * 5])
def test_something_else_is_told_apart_from_a_wrong_key(foreign: bytes) -> None:
    with pytest.raises(BarrierError, match="damaged or was not written by Wardgate"):
        unwrap(KEY, PLACE, foreign)
