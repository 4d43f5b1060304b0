"""Messages of a directory: what is none is refused, whatever its bytes are."""

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services import strange_directory as strange
from wardgate.auth.ldap import messages
from wardgate.auth.ldap.connection import Connection
from wardgate.auth.ldap.effort import DirectoryFailed, Effort
from wardgate.auth.ldap.messages import Entry, NoLdap, Reply

HONEST = [
    strange.result(1, strange.BIND_ANSWER),
    strange.result(1, strange.BIND_ANSWER, 49),
    strange.result(7, strange.DONE, 4),
    strange.result(7, strange.EXTENDED_ANSWER),
    strange.entry(2, "cn=a,dc=b", cn=[b"a", b"\xff"], memberOf=[]),
    strange.reference(3, "ldap://elsewhere/"),
    strange.referral(3, strange.DONE, "ldap://elsewhere/"),
]


def test_honest_messages_say_what_they_say() -> None:
    bind, wrong, limited, extended, entry, reference, referral = map(messages.decoded, HONEST)
    assert bind == Reply(1, messages.BIND_ANSWER, code=0)
    assert wrong.code == 49
    assert limited == Reply(7, messages.SEARCH_DONE, code=4)
    assert extended == Reply(7, messages.EXTENDED_ANSWER, code=0)
    assert entry.entry == Entry("cn=a,dc=b", {"cn": [b"a", b"\xff"], "memberof": []})
    assert (reference.entry, reference.code) == (None, None)
    assert referral.code == 10


def test_a_code_that_is_no_number_is_no_success() -> None:
    for code in (b"0", b"\0", b""):
        parts = strange.tlv(0x04, code), strange.tlv(0x04), strange.tlv(0x04)
        message = strange.message(1, strange.tlv(strange.BIND_ANSWER, *parts))
        with pytest.raises(NoLdap):
            messages.decoded(message)


def _taken(raw: bytes) -> None:
    """Whatever comes is a message or is refused, and nothing else happens."""
    try:
        reply = messages.decoded(raw)
    except NoLdap:
        return
    assert isinstance(reply.id, int)


@given(st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused(raw: bytes) -> None:
    _taken(raw)
    _taken(strange.tlv(0x30, raw))
    _taken(strange.message(1, raw))


@given(
    st.sampled_from(HONEST),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_spoilt_messages_are_taken_or_refused(
    honest: bytes, changes: list[tuple[int, int]]
) -> None:
    spoilt = bytearray(honest)
    for at, byte in changes:
        spoilt[at % len(spoilt)] = byte
    _taken(bytes(spoilt))


@given(st.binary(max_size=100))
def test_any_bytes_over_a_connection_end_the_login_or_are_an_answer(raw: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        connection = Connection(ours, Effort(30))
        theirs.sendall(raw)
        theirs.shutdown(socket.SHUT_WR)
        try:
            connection.bind("cn=a", b"b")
        except DirectoryFailed:
            pass
        finally:
            connection.close()


def test_a_bind_needs_a_name_and_a_password_or_neither() -> None:
    for name, password in (("cn=a", b""), ("", b"secret")):
        with pytest.raises(ValueError, match="without"):
            messages.bind(1, name, password)
    assert messages.bind(1, "", b"") == bytes.fromhex("300c020101600702010304008000")


def test_a_password_goes_out_as_it_is() -> None:
    password = "ﬁ² \u00adß\u3000".encode()
    assert password in messages.bind(1, "cn=a", password)


def test_a_message_in_pieces_is_whole_in_the_end() -> None:
    ours, theirs = socket.socketpair()
    with theirs:

        def send() -> None:
            for byte in strange.result(1, strange.BIND_ANSWER, 49):
                theirs.sendall(bytes([byte]))

        sender = threading.Thread(target=send)
        sender.start()
        connection = Connection(ours, Effort(30))
        assert connection.bind("cn=a", b"b") == 49
        sender.join()
        connection.close()
