"""LDAP's messages (RFC 4511) as bytes: the one place that knows ldap3, which is used for nothing else.

Its own connections are not: they wait as long as a directory likes for each piece of an answer, read
answers of any size, follow referrals when they are told to, check the names in certificates with code
of their own and prepare passwords (SASLprep), so that some would be sent as others. Sockets, limits
and TLS are in `connection.py`. Importing ldap3 takes 0.1 s, so that is done where a login needs it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

DEREFERENCES = {"never": 0, "searching": 1, "finding": 2, "always": 3}
BASE, SUBTREE = 0, 2
SUCCESS = 0
_START_TLS = "1.3.6.1.4.1.1466.20037"
_PAGES = "1.2.840.113556.1.4.319"
BIND_ANSWER, SEARCH_DONE, EXTENDED_ANSWER = 1, 5, 24
"""Kinds of messages that end an operation."""
_ENTRY, _REFERENCE = 4, 19


class NoLdap(Exception):
    """These bytes are no message that a directory sends."""


class Entry(msgspec.Struct, frozen=True):
    """What a search has found. Names of attributes are in lower case, values as they came."""

    dn: str
    attributes: dict[str, list[bytes]]


class Reply(msgspec.Struct, frozen=True):
    """One message of a directory: `entry` of a search, or the end of an operation with its `code`
    (RFC 4511, appendix A) and the `cookie` of the next page; both are None for a reference to another
    server."""

    id: int
    kind: int
    entry: Entry | None = None
    code: int | None = None
    cookie: bytes = b""


def bind(number: int, name: str, password: bytes) -> bytes:
    """A simple bind; one of nobody where both are empty. `ValueError` where just one is."""
    from ldap3 import ANONYMOUS, SIMPLE
    from ldap3.operation.bind import bind_operation

    if bool(name) is not bool(password):
        raise ValueError("a bind without name or password")
    kind = SIMPLE if name else ANONYMOUS
    return _encoded(number, "bindRequest", bind_operation(3, kind, name, password))


def start_tls(number: int) -> bytes:
    """The request to speak TLS from now on."""
    from ldap3.operation.extended import extended_operation

    return _encoded(number, "extendedReq", extended_operation(_START_TLS))


def unbind(number: int) -> bytes:
    """The end of a connection."""
    from ldap3.operation.unbind import unbind_operation

    return _encoded(number, "unbindRequest", unbind_operation())


def search(
    number: int,
    base: str,
    scope: int,
    filter_text: str,
    attributes: Sequence[str],
    *,
    dereference: int,
    most: int,
    seconds: int,
    page_size: int = 0,
    cookie: bytes = b"",
) -> bytes:
    """A search for `most` entries (0: any number), in pages of `page_size` if that is not 0. Raises
    `ValueError` for what is no filter."""
    from ldap3.core.exceptions import LDAPExceptionError
    from ldap3.operation.search import search_operation
    from ldap3.protocol.rfc2696 import paged_search_control
    from pyasn1.error import PyAsn1Error

    try:
        request = search_operation(
            base,
            filter_text,
            scope,
            dereference,
            list(attributes),
            most,
            seconds,
            types_only=False,
            auto_escape=False,
            auto_encode=False,
        )
        pages = [paged_search_control(True, page_size, cookie)] if page_size else None
        return _encoded(number, "searchRequest", request, pages)
    except (LDAPExceptionError, PyAsn1Error, IndexError, RecursionError):
        raise ValueError("no filter") from None


def _encoded(number: int, kind: str, request: Any, controls: Any = None) -> bytes:
    from ldap3.protocol.convert import build_controls_list
    from ldap3.protocol.rfc4511 import LDAPMessage, MessageID, ProtocolOp
    from ldap3.utils.asn1 import encode

    message = LDAPMessage()
    message["messageID"] = MessageID(number)
    message["protocolOp"] = ProtocolOp().setComponentByName(kind, request)
    if controls:
        message["controls"] = build_controls_list(controls)
    encoded: bytes = encode(message)
    return encoded


def decoded(message: bytes) -> Reply:
    """A whole message that a directory has sent; `NoLdap` where it is none."""
    from ldap3.utils.asn1 import decode_message_fast

    try:
        parts = decode_message_fast(message)
        number, kind, payload = parts["messageID"], parts["protocolOp"], parts["payload"]
        entry, code, cookie = None, None, b""
        if kind == _ENTRY:
            entry = _entry(payload)
        elif kind != _REFERENCE:
            code = payload[0][3]
            cookie = _cookie(parts["controls"]) if kind == SEARCH_DONE else b""
        if not isinstance(number, int) or not isinstance(code, int | None):
            raise NoLdap
    except Exception:  # whatever a stranger's bytes break in the decoder
        raise NoLdap from None
    return Reply(number, kind, entry, code, cookie)


def _entry(payload: Any) -> Entry:
    attributes = {
        kind[3].decode().lower(): [bytes(value[3]) for value in values[3]]
        for kind, values in (attribute[3] for attribute in payload[1][3])
    }
    return Entry(payload[0][3].decode(), attributes)


def _cookie(controls: Any) -> bytes:
    """What leads to the next page; empty after the last one."""
    from ldap3.utils.asn1 import decode_sequence

    for control in controls or ():
        kind, *_, value = (part[3] for part in control[3])
        if bytes(kind) == _PAGES.encode():
            ((_, _, _, (_, (_, _, _, cookie))),) = decode_sequence(value, 0, len(value))
            return bytes(cookie)
    return b""
