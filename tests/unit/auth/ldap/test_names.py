"""Names, however they are spelt, and how they stand in distinguished names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.auth.ldap.names import common_name, escaped_value, is_text, login_name, sid_text


@pytest.mark.parametrize(
    "spelt",
    [
        "ada l",
        "ADA L",
        " ada l",
        "ada l ",
        "ada  l",
        "ada\tl",
        "ada\u2003l",
        "\uff41da l",
        "ada\nl",
    ],
)
def test_spellings_that_mean_the_same_are_one_name(spelt: str) -> None:
    assert login_name(spelt, case_sensitive=False) == "ada l"


def test_case_may_count() -> None:
    assert login_name(" Ada ", case_sensitive=True) == "Ada"
    assert login_name("Zoe\u0308", case_sensitive=True) == "Zoë"


@pytest.mark.parametrize(
    "spelt", ["", " ", "\x00", "a\x00b", "a\u200bb", "a\u00adb", "a\ufeff", "a\u202eb", "a" * 257]
)
def test_some_are_nobodys(spelt: str) -> None:
    assert login_name(spelt, case_sensitive=False) == ""


@given(st.text(max_size=40))
def test_one_form_is_its_own_form(spelt: str) -> None:
    for case_sensitive in (False, True):
        name = login_name(spelt, case_sensitive=case_sensitive)
        assert login_name(name, case_sensitive=case_sensitive) == name


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("ada", "ada"),
        ("a,b", "a\\,b"),
        (" a b ", "\\ a b\\ "),
        ("#a#", "\\#a\\#"),
        ('a+b"<>;\\', 'a\\+b\\"\\<\\>\\;\\\\'),
        ("ë", "\\c3\\ab"),
        ("a\x00", "a\\00"),
        ("a=b", "a=b"),
    ],
)
def test_values_are_escaped(value: str, escaped: str) -> None:
    assert escaped_value(value) == escaped


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_an_escaped_value_is_itself_and_nothing_beside(value: str) -> None:
    dn = f"cn={escaped_value(value)},ou=people,cn=other"
    assert common_name(dn, upper_case_alone=False) == value


@pytest.mark.parametrize(
    ("dn", "name"),
    [
        ("cn=Staff,ou=groups,dc=example", "Staff"),
        ("CN=Staff,OU=Groups", "Staff"),
        ("ou=x,cn=Deep,dc=example", "Deep"),
        ("cn = Night Shift , ou = groups", "Night Shift"),
        ("cn=A\\, B,dc=x", "A, B"),
        ("cn=A\\2c B,dc=x", "A, B"),
        ("cn=Zo\\c3\\ab,dc=x", "Zoë"),
        ("cn=a+ou=b,dc=x", "a"),
        ("ou=b+cn=a;dc=x", "a"),
        ("cn=ends with a space\\ ,dc=x", "ends with a space "),
        ("2.5.4.3=oid,cn=x", "x"),
        ("Staff", "Staff"),
        ("ou=groups,dc=example", "ou=groups,dc=example"),
        ("x,cn=admins", "x,cn=admins"),
        ("cn=a,", "cn=a,"),
        ("cn=a,b", "cn=a,b"),
        ("", ""),
        ("cn=a\\", "cn=a\\"),
    ],
)
def test_groups_are_called_by_the_first_cn(dn: str, name: str) -> None:
    assert common_name(dn, upper_case_alone=False) == name


def test_before_vault_1_1_1_only_capitals_were_a_cn() -> None:
    assert common_name("cn=a,dc=x", upper_case_alone=True) == "cn=a,dc=x"
    assert common_name("CN=a,dc=x", upper_case_alone=True) == "a"
    assert common_name("cn=a,CN=b", upper_case_alone=True) == "b"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("010500000000000515000000010000000200000003000000" + "51040000", "S-1-5-21-1-2-3-1105"),
        ("01010000000000010000" + "0000", "S-1-1-0"),
        ("0100" + "000000000005", "S-1-5"),
        ("", None),
        ("0101", None),
        ("01020000000000051500", None),
        ("010100000000000515000000ff", None),
    ],
)
def test_security_identifiers(raw: str, text: str | None) -> None:
    assert sid_text(bytes.fromhex(raw)) == text


@pytest.mark.parametrize(
    "value", ["ada", "Ada Lovelace", "\u6f22", "o'\u00a0x", "\u0645\u06cc\u200c\u062e"]
)
def test_text(value: str) -> None:
    assert is_text(value)


@pytest.mark.parametrize("value", ["a\0", "a\nb", "\r", "\t", "\x7f", "\x85", "\u2028", "\u2029"])
def test_what_is_no_text(value: str) -> None:
    assert not is_text(value)
