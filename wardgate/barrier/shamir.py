"""Shamir's secret sharing over GF(2^8), byte by byte, in the share format of Vault.

A share is the secret's length in bytes plus one: the polynomials' values, then the point x at which
they were taken (1 to 255, each share another, in random order). The field is that of AES (FIPS 197,
section 4: polynomial 0x11b), so shares made by Vault or OpenBao combine here and the other way.

Side channels. All bytes of a secret are multiplied at once, as lanes of one integer, and only ever
by public factors, which derive from the points. What runs therefore depends on the points and the
lengths alone: no table is indexed by a secret and no branch is taken on one. Python promises no
more than that. Its integers drop leading zero digits (a random 32-byte secret has a shorter one
once in 2^16), and copies of a secret stay in memory until the allocator uses the place again.
"""

import secrets
from collections.abc import Sequence
from functools import reduce

MAX_SHARES = 255
"""The points are the field's elements other than zero, where the secret itself lies."""

_REDUCTION = 0x1B
"""What x^8 leaves modulo the field's polynomial."""


class ShareError(ValueError):
    """Shares that cannot belong together. The message tells why and holds nothing of them."""


def split(secret: bytes, shares: int, threshold: int) -> list[bytes]:
    """`shares` shares of `secret`, of which any `threshold` give it back and fewer tell nothing.

    Raises `ValueError` unless 2 <= threshold <= shares <= 255 and the secret is not empty.
    """
    if not 2 <= threshold <= shares <= MAX_SHARES:
        raise ValueError(f"need 2 <= threshold <= shares <= {MAX_SHARES}")
    if not secret:
        raise ValueError("the secret is empty")
    size = len(secret)
    # The coefficient of the highest power first; all but the secret are uniform, zero included.
    coefficients = [int.from_bytes(secrets.token_bytes(size), "big") for _ in range(threshold - 1)]
    coefficients.append(int.from_bytes(secret, "big"))
    ones = _ones(size)
    points = secrets.SystemRandom().sample(range(1, MAX_SHARES + 1), shares)
    return [_evaluate(coefficients, x, ones).to_bytes(size, "big") + bytes((x,)) for x in points]


def combine(shares: Sequence[bytes]) -> bytes:
    """The secret that `shares` were split from.

    Too few shares, or shares of another secret, give a wrong secret and no error: only the caller
    can tell. Raises `ShareError` for fewer than two, different lengths, or points that are zero or
    appear twice.
    """
    if len(shares) < 2:
        raise ShareError("at least two shares are needed")
    size = len(shares[0]) - 1
    if size < 1:
        raise ShareError("a share has at least two bytes")
    if any(len(share) != size + 1 for share in shares):
        raise ShareError("the shares differ in length")
    points = [share[-1] for share in shares]
    if 0 in points:
        raise ShareError("a share has the point zero, which no split gives out")
    if len(set(points)) != len(points):
        raise ShareError("two shares have the same point")
    ones = _ones(size)
    secret = 0
    for share, weight in zip(shares, _weights(points), strict=True):
        secret ^= _times(int.from_bytes(share[:-1], "big"), weight, ones)
    return secret.to_bytes(size, "big")


def multiply(a: int, b: int) -> int:
    """The product of two field elements. `b` is public, `a` may be secret."""
    return _times(a, b, 1)


def invert(a: int) -> int:
    """The element whose product with the public, non-zero `a` is one: a^254 (Fermat)."""
    square = multiply(a, a)
    power = square
    for _ in range(6):
        square = multiply(square, square)
        power = multiply(power, square)
    return power


def _evaluate(coefficients: Sequence[int], x: int, ones: int) -> int:
    """The polynomials' values at the public `x`, by Horner's rule."""
    return reduce(lambda value, coefficient: _times(value, x, ones) ^ coefficient, coefficients)


def _weights(points: Sequence[int]) -> list[int]:
    """What each share counts for in the value at zero (Lagrange). Public, as the points are."""
    weights = []
    for x in points:
        above = below = 1
        for other in points:
            if other != x:
                above = multiply(above, other)
                below = multiply(below, other ^ x)
        weights.append(multiply(above, invert(below)))
    return weights


def _ones(size: int) -> int:
    """An integer of `size` lanes that are one each."""
    return int.from_bytes(b"\x01" * size, "big")


def _times(lanes: int, factor: int, ones: int) -> int:
    """Each byte of `lanes` times the public `factor`."""
    low = ones * 0x7F
    product = 0
    while factor:
        product ^= lanes * (factor & 1)
        lanes = ((lanes & low) << 1) ^ ((lanes >> 7 & ones) * _REDUCTION)
        factor >>= 1
    return product
