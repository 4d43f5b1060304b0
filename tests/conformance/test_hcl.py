"""HCL is read by Wardgate as by a real OpenBao, whatever stands in it.

OpenBao tells what a value means by comparing a request's parameter with it (texts), or by the
length of a password that it makes (numbers).
"""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.policy_oracle import Oracle, running_oracle
from tests.hcl_spelling import SPELLED_DOCUMENTS, SPELLED_TEXTS, Tree
from wardgate.hcl import HclError, Item, Limits, Number, read

LIMITS = Limits(100_000)


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with running_oracle() as running:
        yield running


def commented(text: str) -> str:
    """A policy that may hold any value."""
    return f'path "a" {{ comment = {text} }}'


def is_read(text: str) -> bool:
    try:
        read(text, LIMITS)
    except HclError:
        return False
    return True


def the_item(text: str) -> Item:
    (item,) = read(text, LIMITS)
    return item


def is_meant(oracle: Oracle, text: str, meaning: str) -> bool:
    """Whether OpenBao takes the value written as `text` for `meaning`."""
    policy = f"""path "cubbyhole/a" {{
        capabilities = ["create", "update"]
        allowed_parameters = {{ "p" = [{text}] }}
    }}"""
    assert oracle.write_policy("means", policy) == 204
    token = oracle.token("means")
    status, _ = oracle.send("PUT", "cubbyhole/a", {"p": meaning}, token=token)
    assert status in (204, 403)
    return status == 204


TEXTS = [
    r'"\a\b\f\n\r\t\v\"\\"', r'"\x41\101\u00e9\U0001F511"', r'"\xc3\xa9"', '"a\tb\rc"',
    '"%{a} {{b}} $"', '"${a}"', '"${"a" {"b"}}c"', '"${\n}"', '"${\r\n}"', r'"${a\n\"}\n"',
    r'"$\n\u0024{a"', '"$${a}}"', "<<E\nE\n", "<<E\n\nE\n", "<<E\n  x\n\ty\nE\n", "<<E\nx\n  E\n",
    "<<E\nx\n\n\tE\n", "<<E\n\\n\"\nE\n", "<<E\nE x\nxE\nE\n", "<<E\nx\r\ny\rz\r\nE\r\n",
    "<<-E\n  x\n    y\n  E\n", "<<-E\n  x\n y\n  E\n", "<<-E\n  x\n\n  E\n", "<<-E\n  x\n  \n  E\n",
    "<<-E\n\tx\n  E\n", "<<-E\n  x\nE\n  E\n", "<<-E\n  E\n",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_means_the_same(oracle: Oracle, text: str) -> None:
    meaning = the_item(f"a = {text}").value
    assert isinstance(meaning, str)
    assert is_meant(oracle, text, meaning)
    assert not is_meant(oracle, text, meaning + " ")


@settings(max_examples=60, deadline=None)
@given(written=SPELLED_TEXTS)
def test_any_text_means_the_same(oracle: Oracle, written: tuple[str, str]) -> None:
    text, meaning = written
    assert the_item(f"a = {text}").value == meaning
    assert is_meant(oracle, text, meaning)


@pytest.mark.parametrize(
    "text",
    ["20", "0x10", "0X1f", "010", "024", "1e1", "2.0e+1", "200E-1", "20.", "20.9", "08.5", "0020"],
)
def test_a_number_means_the_same(oracle: Oracle, text: str) -> None:
    number = the_item(f"length = {text}").value
    assert isinstance(number, Number)
    policy = f'length = {text}\nrule "charset" {{ charset = "ab" }}'
    status, _ = oracle.send("PUT", "sys/policies/password/n", {"policy": policy})
    assert status == 204
    _, answer = oracle.send("GET", "sys/policies/password/n/generate")
    assert len(answer["data"]["password"]) == int(number.value)


@settings(max_examples=60, deadline=None)
@given(written=SPELLED_DOCUMENTS)
def test_any_document_is_read_by_both(oracle: Oracle, written: tuple[str, Tree]) -> None:
    text = commented("{" + written[0] + "}")
    assert is_read(text)
    assert oracle.write_policy("tried", text) == 204


# Without what only OpenBao lets pass: numbers that run into names, and such.
PIECES = [
    "a ", "é ", '"b"', '"${c}"', '"${', '"}"', "1 ", "-0x1f ", "2.5e3 ", "true ", "{", "}", "[",
    "],", "=", "=", ",", "\n", "\r\n", "/* c */", "# c\n", "// c\n", "<<E\nx\nE\n",
    "<<-E\n  x\n  E\n", "\nE\n", '"', '"\\\\"', '"\\"', '"\\x41"', '"\\q"', "$", "+", "null ", "/*",
    "*/", ".", ";", "a = ", "a = 1 ", "b {",
]  # fmt: skip
SOUP = st.lists(st.sampled_from(PIECES), max_size=7).map("".join)


@settings(max_examples=300, deadline=None)
@given(text=SOUP | SOUP.map("{{{}}}".format) | SOUP.map("[{}]".format))
def test_anything_is_read_by_both_or_refused_by_both(oracle: Oracle, text: str) -> None:
    text = commented(text + "\n")
    status, answer = oracle.send("PUT", "sys/policies/acl/tried", {"policy": text})
    # A key that does not belong into a policy was read, if only to be refused.
    is_read_there = status == 204 or "invalid key" in answer["errors"][0]
    assert is_read(text) == is_read_there
