"""The layout of policy files."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.cli.policy_format import FormatError, format_policy

MESSY = """\
# who may read
path "secret/*" { capabilities=["read","list"] } // trailing
path "a/+/b"   {
capabilities = [ "create",
  "update" ]
      min_wrapping_ttl="1m" # c1
  max_wrapping_ttl = "90m"
  allowed_parameters = { "*" = []
   "x"=["a", "b"] }
  /* block */
}
path "empty" {}
"""

NEAT = """\
# who may read
path "secret/*" {
  capabilities = ["read", "list"]
} // trailing

path "a/+/b" {
  capabilities = [
    "create",
    "update",
  ]

  min_wrapping_ttl = "1m" # c1
  max_wrapping_ttl = "90m"

  allowed_parameters = {
    "*" = []
    "x" = ["a", "b"]
  }

  /* block */
}

path "empty" {}
"""


def test_a_policy_is_laid_out() -> None:
    assert format_policy(MESSY) == NEAT


def test_what_is_neat_stays_as_it_is() -> None:
    assert format_policy(NEAT) == NEAT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('path "s.secret" {', "line 1: a } is missing"),
        ("\n= 1", "line 2: a name is missing"),
        ("a =", "line 1: a value is missing"),
        ("a = [1", "line 1: a ] is missing"),
        ('{"path": {}}', "line 1: a name is missing"),
        ('path "s.secret', "line 1: something here cannot be read"),
        ("a = <<EOF\nEOF", "line 1: something here cannot be read"),
    ],
)
def test_what_is_no_policy_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=re.escape(message)):
        format_policy(text)


names = st.sampled_from(["capabilities", "ttl", '"*"', '"a b"'])
comments = st.sampled_from(["", "# c\n", "// c\n", "/* c */", "\n", "\n\n", "/* c\nd */ "])
scalars = st.sampled_from(["1", "true", '"read"', '"a/+/*"', '"\\"{"'])
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(st.tuples(inner, comments).map("".join)).map(lambda v: f"[{','.join(v)}]"),
        st.lists(st.tuples(comments, names, st.just("="), inner).map("".join)).map(
            lambda v: "{" + "\n".join(v) + "}"
        ),
    ),
    max_leaves=8,
)
attributes = st.tuples(comments, names, st.just(" = "), values, st.just("\n")).map("".join)
blocks = st.tuples(comments, st.lists(attributes).map("".join), comments).map(
    lambda parts: f'{parts[0]}path "a" {{{parts[1]}{parts[2]}}}'
)
policies = st.lists(blocks | comments | attributes).map("\n".join)


def parts(text: str) -> list[str]:
    """Strings and comments as a whole, of the rest every character but space and commas."""
    return re.findall(r'"(?:\\.|[^"\\])*"|#[^\n]*|//[^\n]*|(?s:/\*.*?\*/)|[^\s,]', text)


@given(policies)
def test_only_space_and_commas_change_and_a_second_time_nothing(text: str) -> None:
    laid_out = format_policy(text)
    assert parts(laid_out) == parts(text)
    assert format_policy(laid_out) == laid_out
