"""Filters with places for names: what goes in cannot change what is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.protocol.rfc4511 import LDAPMessage
from pyasn1.codec.ber.decoder import decode

from tests.node import errors
from tests.people_of_directory import CONFIG, People, with_people
from wardgate.auth.ldap import filters, messages
from wardgate.errors import InvalidRequest


def sent(text: str) -> bytes:
    """A search with this filter, as the directory gets it."""
    return messages.search(1, "", messages.SUBTREE, text, (), dereference=0, most=0, seconds=1)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_name_is_one_value_and_comes_as_it_is(name: str) -> None:
    text = filters.filled_in("(uid={{.Username}})", {"Username": filters.escaped(name)})
    message, _ = decode(sent(text), asn1Spec=LDAPMessage())
    asked = message["protocolOp"]["searchRequest"]["filter"]
    assert asked.getName() == "equalityMatch"
    match = asked["equalityMatch"]
    assert str(match["attributeDesc"]) == "uid"
    assert bytes(match["assertionValue"]) == name.encode()


@pytest.mark.parametrize(
    "template", ["(a={{.Username}})", "(a={{ .Username }})", "(a={{- .Username -}})"]
)
def test_spaces_in_braces_do_not_count(template: str) -> None:
    assert filters.checked_template("userfilter", template, filters.USER_FIELDS) == template
    assert filters.filled_in(template, {"Username": "x"}) == "(a=x)"
    assert filters.has_place(template, "Username")
    assert not filters.has_place(template, "UserAttr")


@pytest.mark.parametrize(
    "template",
    [
        "(a={{.Secret}})",
        "(a={{.UserDN}})",
        "(a={{.Username}",
        "(a={{.Username)",
        "(a=.Username}})",
        "{{if .Username}}(a=b){{end}}",
        "{{range .Username}}{{end}}",
        '(a={{printf "%s" .Username}})',
        "(a={{.Username | html}})",
        "(a={{/* nothing */}})",
        "(a={{}})",
        "(a={{{.Username}}})",
        "(a={{.Username.Length}})",
    ],
)
def test_anything_else_between_braces_is_refused(template: str) -> None:
    with pytest.raises(InvalidRequest, match="userfilter"):
        filters.checked_template("userfilter", template, filters.USER_FIELDS)


def test_what_is_put_in_is_no_template() -> None:
    filled = filters.filled_in(
        "(a={{.Username}}{{.UserDN}})", {"Username": filters.escaped("{{.UserDN}}"), "UserDN": "x"}
    )
    assert filled == "(a=\\7b\\7b.UserDN\\7d\\7dx)"


@pytest.mark.parametrize(
    "text",
    [
        "(&(objectClass=person)(|(uid=a)(mail=b*c)))",
        "(!(cn=a))",
        "(member:1.2.840.113556.1.4.1941:=cn=a,dc=b)",
        "(cn:caseExactMatch:=A)",
        "(cn>=a)",
        "(cn~=a)",
        "(cn=*)",
        "(cn=*a*b*)",
        "(name=Zoë)",
    ],
)
def test_all_kinds_of_filters_are_known(text: str) -> None:
    """What a directory finds by them is compared with OpenBao (ldap_groups.txt)."""
    assert sent(text)


@pytest.mark.parametrize(
    "text", ["", "x", "(a=b", "a=b)", "(&(a=b)", "()", "(a)", "(a=b)(c=d)", "(&)"]
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no filter"):
        sent(text)


@pytest.mark.parametrize(
    "name", ["cn", "memberOf", "sAMAccountName", "2.5.4.3", "cn;lang-de", "x-a"]
)
def test_names_of_attributes(name: str) -> None:
    assert filters.is_attribute(name)


@pytest.mark.parametrize("name", ["", "a b", "cn=", "(cn", "1", "-a", "a;", "cn\n", "*", "ä"])
def test_what_no_attribute_is_called(name: str) -> None:
    assert filters.is_attribute(name) is (name == "1")


def nested(levels: int) -> str:
    return "(&" * (levels - 1) + "(cn={{.Username}})" + ")" * (levels - 1)


@pytest.mark.parametrize("field", ["userfilter", "groupfilter"])
def test_a_filter_that_is_none_or_very_deep_is_refused_when_it_is_written(field: str) -> None:
    @with_people
    async def test(people: People) -> None:
        for text in (
            nested(filters.DEEPEST + 1),
            nested(150),
            nested(5000),
            "(cn=\\zz)",
            "(cn=\\4)",
            "(cn=a\\)",
            "(cn=\\zz{{.Username}})",
            "(cn=\\4{{.Username}})",
            "(cn=\\{{.Username}})",
        ):
            response = await people.node.write(CONFIG, {field: text})
            assert response.status == 400, text
            assert errors(response)[0].startswith(f"invalid {field}: expected a filter")
        for text in (nested(filters.DEEPEST), "(cn=\\28\\5c{{.Username}})"):
            await people.configure(**{field: text})
            # whoever is found by it, it is a filter for the directory too
            await people.with_service()
            assert (await people.login("ada", "wrong")).status == 400

    test()


def test_a_filter_that_is_too_deep_for_the_library_is_none() -> None:
    for levels in (100, 150, 1000):
        try:
            assert sent("(&" * levels + "(a=b)" + ")" * levels)
        except ValueError as error:
            assert str(error) == "no filter"  # noqa: PT017
