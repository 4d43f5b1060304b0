"""Shares: the field's arithmetic against FIPS 197, the format against a real OpenBao."""

import json
import os
import random
import secrets
import sys
from base64 import b64decode
from itertools import permutations
from types import FrameType
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wardgate.barrier import shamir
from wardgate.barrier.shamir import ShareError, combine, invert, multiply, split

# Made by OpenBao 2.7.2 for five shares and a threshold of three, thrown away afterwards.
OPENBAO_SHARES = [
    "56303ee50f8e3f5502b3deab6c86ec884800723c0dd5bacb40922c74598caed838",
    "4162f527be7820ada7d62db6e3a5af1fcb3fbcaf12cceed8d1cb7a149268974fed",
    "b4de170e7d339ff079de62fe41f7570f6c861d01b8a52906dcc8677cade685af6f",
    "3e371b23f939ec887fd129fc842bd4f9fb11d86fa9f1125150e7ff442f65d305d0",
    "2b4eba7b1f761105209087bbfd3da75da1b3ea545bbc4f8ded29d5e6859e4e6762",
]
# What that server stored of its root key: nonce, then AES-256-GCM of a JSON list under the key that
# the shares give.
OPENBAO_STORED_ROOT_KEY = bytes.fromhex(
    "7a70c773d36531199a2a6c94fb33cce31d1e1e499214edf4eb4579c7885c306d61531befd556"
    "03ace06c92ce9b84921cb4183bada7608d7d3882b95910c62b2aef075bb17c28f80ed93c3e2c"
)


def slow_product(a: int, b: int) -> int:
    """Long multiplication of polynomials, then division by x^8 + x^4 + x^3 + x + 1."""
    product = 0
    for power in range(8):
        if b & 1 << power:
            product ^= a << power
    for power in range(14, 7, -1):
        if product & 1 << power:
            product ^= 0x11B << power - 8
    return product


# The field


@pytest.mark.parametrize(
    ("a", "b", "product"),
    [
        (0x57, 0x83, 0xC1),  # FIPS 197, 4.2
        (0x57, 0x13, 0xFE),  # FIPS 197, 4.2.1
        (0x57, 0x02, 0xAE),
        (0x57, 0x04, 0x47),
        (0x57, 0x08, 0x8E),
        (0x57, 0x10, 0x07),
        (0x53, 0xCA, 0x01),  # the inverses behind the S-box, FIPS 197, 5.1.1
    ],
)
def test_products_are_those_of_fips_197(a: int, b: int, product: int) -> None:
    assert multiply(a, b) == product
    assert multiply(b, a) == product


def test_every_product_is_that_of_long_multiplication() -> None:
    assert all(multiply(a, b) == slow_product(a, b) for a in range(256) for b in range(256))


def test_every_inverse_is_one() -> None:
    assert all(slow_product(a, invert(a)) == 1 for a in range(1, 256))


# Shares


def test_shares_computed_by_hand_combine() -> None:
    """The line secret + {57}x, whose values at 2, 4 and 16 FIPS 197 prints."""
    shares = [bytes((0x2A ^ 0xAE, 2)), bytes((0x2A ^ 0x47, 4)), bytes((0x2A ^ 0x07, 16))]
    assert {combine(list(pair)) for pair in permutations(shares, 2)} == {b"\x2a"}


def test_shares_of_openbao_combine_to_what_opens_its_root_key() -> None:
    shares = [bytes.fromhex(share) for share in OPENBAO_SHARES]
    keys = {combine(list(three)) for three in permutations(shares, 3)}
    keys |= {combine(list(four)) for four in permutations(shares, 4)} | {combine(shares)}
    assert len(keys) == 1
    nonce, ciphertext = OPENBAO_STORED_ROOT_KEY[:12], OPENBAO_STORED_ROOT_KEY[12:]
    (root_key,) = json.loads(AESGCM(keys.pop()).decrypt(nonce, ciphertext, None))
    assert len(b64decode(root_key)) == 32


def test_two_shares_of_three_tell_nothing() -> None:
    shares = [bytes.fromhex(share) for share in OPENBAO_SHARES]
    key = combine(shares[:3])
    assert all(combine(list(two)) != key for two in permutations(shares, 2))


def test_a_share_is_the_values_and_then_its_point() -> None:
    shares = split(b"secret", 255, 2)
    assert {len(share) for share in shares} == {7}
    points = [share[-1] for share in shares]
    assert sorted(points) == list(range(1, 256))
    assert points != sorted(points), "the points are not in random order"


def test_splitting_twice_gives_other_shares_at_the_same_points() -> None:
    one, other = ({share[-1]: share for share in split(bytes(32), 255, 2)} for _ in range(2))
    assert all(one[point] != other[point] for point in one)


@pytest.mark.parametrize(
    ("shares", "threshold"), [(1, 1), (5, 1), (2, 3), (256, 2), (0, 0), (-1, 2), (5, -1)]
)
def test_impossible_counts_are_refused(shares: int, threshold: int) -> None:
    with pytest.raises(ValueError, match="2 <= threshold <= shares <= 255"):
        split(b"secret", shares, threshold)


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        split(b"", 5, 3)


@pytest.mark.parametrize(
    ("shares", "problem"),
    [
        ([], "at least two shares"),
        ([b"a\x01"], "at least two shares"),
        ([b"\x01", b"\x02"], "two bytes"),
        ([b"", b""], "two bytes"),
        ([b"ab\x01", b"a\x02"], "differ in length"),
        ([b"a\x00", b"a\x02"], "point zero"),
        ([b"a\x02", b"b\x02"], "same point"),
    ],
)
def test_shares_that_cannot_belong_together_are_refused(shares: list[bytes], problem: str) -> None:
    with pytest.raises(ShareError, match=problem):
        combine(shares)


# Side channels


def lines_run(function: Any, *arguments: Any) -> list[int]:
    """The lines of `shamir` that a call runs, in order."""
    lines: list[int] = []

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename != shamir.__file__:
            return None
        lines.append(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(before)
    return lines


SECRETS = [bytes(32), b"\xff" * 32, b"\x01" + bytes(31), bytes(range(32)), os.urandom(32)]


def test_what_runs_when_combining_depends_on_the_points_alone() -> None:
    points = (7, 200, 31)
    runs = [
        lines_run(combine, [secret + bytes((x,)) for secret, x in zip(three, points, strict=True)])
        for three in permutations(SECRETS, 3)
    ]
    assert runs[0]
    assert all(run == runs[0] for run in runs)


def test_what_runs_when_splitting_depends_on_the_points_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(secrets, "SystemRandom", lambda: random.Random(1))
    runs = [lines_run(split, secret, 5, 3) for secret in SECRETS]
    assert runs[0]
    assert all(run == runs[0] for run in runs)
