"""Answers of an identity provider that somebody has changed: whatever is changed, they say what the
provider said, or nothing."""

import contextlib
import copy

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests import saml_idp
from tests.unit.auth.saml.browser_logins import idp_key
from wardgate.auth.saml.documents import NotAcceptable
from wardgate.auth.saml.responses import Expected, NotForUs, ProviderRefused, read

NOW = 1_700_000_000.0
LOGIN = saml_idp.Login(request_id="_request", now=NOW)
EXPECTED = Expected(
    request_id="_request",
    acs_url=saml_idp.ACS_URL,
    entity_id=saml_idp.SP_ENTITY_ID,
    idp_entity_id=saml_idp.ENTITY_ID,
    certificates=(idp_key().certificate,),
    key_pem=b"",
    now=NOW,
)
ANSWERS = {
    sign: saml_idp.answer(LOGIN, idp_key(), sign).encode() for sign in ("assertion", "response")
}
SAID = {sign: read(answer, EXPECTED) for sign, answer in ANSWERS.items()}
PIECES = st.sampled_from(
    [
        b"",
        b" ",
        b"<!---->",
        b"<![CDATA[x]]>",
        b"&#120;",
        b"<saml:x/>",
        b'"',
        b"x",
        b"root@example.com",
    ]
) | st.binary(max_size=4)


@settings(max_examples=400)
@given(
    sign=st.sampled_from(sorted(ANSWERS)),
    changes=st.lists(
        st.tuples(st.integers(0, 7000), st.integers(0, 40), PIECES), min_size=1, max_size=3
    ),
)
def test_what_is_changed_says_nothing_else(
    sign: str, changes: list[tuple[int, int, bytes]]
) -> None:
    answer = ANSWERS[sign]
    for start, length, piece in changes:
        at = start % len(answer)
        answer = answer[:at] + piece + answer[at + length :]
    with contextlib.suppress(NotAcceptable, NotForUs, ProviderRefused):
        assert read(answer, EXPECTED) == SAID[sign]


@settings(max_examples=300)
@given(
    sign=st.sampled_from(sorted(ANSWERS)),
    moves=st.lists(
        st.tuples(st.integers(0, 100), st.integers(0, 100), st.booleans()), min_size=1, max_size=3
    ),
)
def test_what_is_moved_says_nothing_else(sign: str, moves: list[tuple[int, int, bool]]) -> None:
    """Whole elements go, or are copied, to other places."""
    root = etree.fromstring(ANSWERS[sign])
    for source, target, stays in moves:
        elements = list(root.iter())
        moved, to = elements[source % len(elements)], elements[target % len(elements)]
        if moved is root or to in moved.iter():
            continue
        to.append(copy.deepcopy(moved) if stays else moved)
    with contextlib.suppress(NotAcceptable, NotForUs, ProviderRefused):
        assert read(etree.tostring(root), EXPECTED) == SAID[sign]
