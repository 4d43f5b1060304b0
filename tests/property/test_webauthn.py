"""WebAuthn: an answer of which any bit was changed proves nothing, and nothing that is sent breaks a
reader."""

import asyncio
from contextlib import suppress
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.authenticator import EDDSA, ES256, ORIGIN, RP_ID, RS256, Authenticator, b64, unb64
from wardgate.auth.webauthn.answers import read_assertion, read_registration
from wardgate.auth.webauthn.challenges import Challenge
from wardgate.auth.webauthn.verification import NewKey, Signed, registered, signed
from wardgate.errors import InvalidRequest

CHALLENGE = Challenge(
    state="st_0000" + "x" * 43,
    begun=0.0,
    purpose="login",
    rp_id=RP_ID,
    rp_origins=(ORIGIN,),
    user_verification="preferred",
    handle=bytes(64),
)
DATA = b64(CHALLENGE.data)
CREATE = {"publicKey": {"challenge": DATA, "rp": {"id": RP_ID}, "user": {"id": b64(bytes(64))}}}
GET = {"publicKey": {"challenge": DATA, "rpId": RP_ID}}


class _Known:
    """A key that is registered, a registration and a login with it."""

    def __init__(self, algorithm: int) -> None:
        browser = Authenticator(step=1)
        self.created = browser.create(CREATE, algorithm=algorithm)
        self.got = browser.get(GET)
        key = asyncio.run(registered(read_registration(self.created), CHALLENGE))
        assert key is not None
        self.attested = key.attested

    def log_in(self, credential: dict[str, Any]) -> Signed | None:
        return asyncio.run(signed(read_assertion(credential), CHALLENGE, self.attested))


ALGORITHMS = (ES256, EDDSA, RS256)


@cache
def _known(algorithm: int) -> _Known:
    return _Known(algorithm)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.binary().map(b64),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
PLACES = [("id",), ("rawId",), ("type",), ("response",)] + [
    ("response", name)
    for name in ("clientDataJSON", "attestationObject", "authenticatorData", "signature")
]


def _with_response(credential: dict[str, Any], name: str, data: bytes) -> dict[str, Any]:
    return {**credential, "response": {**credential["response"], name: b64(data)}}


def test_unchanged_they_prove_something() -> None:
    for algorithm in ALGORITHMS:
        assert _known(algorithm).log_in(_known(algorithm).got) is not None


@given(
    algorithm=st.sampled_from(ALGORITHMS),
    name=st.sampled_from(["clientDataJSON", "authenticatorData", "signature"]),
    place=st.integers(0, 10**6),
    bit=st.integers(0, 7),
)
@settings(deadline=None)
def test_a_changed_bit_proves_nothing(algorithm: int, name: str, place: int, bit: int) -> None:
    known = _known(algorithm)
    data = bytearray(unb64(known.got["response"][name]))
    data[place % len(data)] ^= 1 << bit
    try:
        assert known.log_in(_with_response(known.got, name, bytes(data))) is None
    except InvalidRequest:
        assert name == "clientDataJSON"  # no JSON of that kind any more


@given(place=st.integers(0, 10**6), change=st.binary(max_size=8), cut=st.integers(0, 40))
@settings(deadline=None)
def test_a_changed_attestation_object_breaks_nothing(place: int, change: bytes, cut: int) -> None:
    created = _known(ES256).created
    data = unb64(created["response"]["attestationObject"])
    place %= len(data)
    changed = data[:place] + change + data[place + cut :]
    answer = read_registration(_with_response(created, "attestationObject", changed))
    found = asyncio.run(registered(answer, CHALLENGE))
    assert found is None or isinstance(found, NewKey)


@given(data=st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_break_nothing(data: bytes) -> None:
    known = _known(ES256)
    answer = read_registration(_with_response(known.created, "attestationObject", data))
    assert asyncio.run(registered(answer, CHALLENGE)) is None
    assert known.log_in(_with_response(known.got, "authenticatorData", data)) is None
    assert known.log_in(_with_response(known.got, "signature", data)) is None


@given(place=st.sampled_from(PLACES), value=JSON)
@settings(deadline=None)
def test_any_json_is_read_or_refused(place: tuple[str, ...], value: Any) -> None:
    for read, credential in (
        (read_registration, _known(ES256).created),
        (read_assertion, _known(ES256).got),
    ):
        if len(place) == 1:
            changed = {**credential, place[0]: value}
        else:
            changed = {**credential, "response": {**credential["response"], place[1]: value}}
        with suppress(InvalidRequest):
            read(changed)
