"""Policy texts are accepted and refused as by a real OpenBao, but for a list of differences."""

from collections.abc import Iterator

import pytest

from tests.conformance.policy_oracle import Oracle, running_oracle
from wardgate.core.policy import Acl, parse_policy
from wardgate.errors import InvalidRequest


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with running_oracle() as running:
        yield running


def body(keys: str) -> str:
    return f'path "a" {{ capabilities = ["list"] {keys} }}'


SAME = [
    " ", "{}", "[]", '"x"', "/* x", "# x", "foo = 1", 'name = "x"', "path {}", "path = 3",
    'path "a" {}', 'path "a"', 'path "a" {', 'path "a" {}{}', "path 'a' {}", 'path "a" = {}',
    'path a { policy = "read" }', 'path "a"\n{ policy = "read" }', 'path "a\nb" {}',
    'path "a" { policy = "write" }', 'path "a" { policy = "sudo" }', 'path "a" { policy = "x" }',
    'path "a" { policy = "read" capabilities = ["update"] }', 'path "a" { policy = read }',
    'path "a" { capabilities = ["read"] capabilities = ["update"] }',
    'path "a" { capabilities = ["deny", "read"] }', 'path "a" { capabilities = [] }',
    'path "a" { capabilities = ["read" "list"] }', 'path "a" { capabilities = ["read",] }',
    'path "a" { capabilities = "read" }', 'path "a" { capabilities = ["READ"] }',
    'path "a" { capabilities = [1] }', 'path "a" { capabilities = ["root"] }',
    'path "a" { capabilities: ["read"] }', 'path "a" { policy = (("read")) }',
    'path "/a" { policy = "read" }', 'path "//a" { policy = "read" }', 'path "" {}',
    'path "a/+*" {}', 'path "a+*b" {}', 'path "+/a*" {}', 'path "a/+" {}', 'path "a**" {}',
    'path "a\\u0041" { policy = "read" }', 'path "a\\"b" { policy = "read" }', 'path "a\\x" {}',
    'path "a${b}" { policy = "read" }', 'path "a#b//c/*d" { policy = "read" }', 'path "${a" {}',
    'path "{{a" {}', 'path "a}}" {}', 'path "{{a}}" {}', 'path "}}{{a}}" {}',
    'path "a" { comment = <<EOF\nx }\nEOF\n policy = "read"\n}',
    'path "a" { comment = <<-EOF\n  x\n  EOF\n policy = "read"\n}',
    'path "a" { policy = "read" // c\n}', '# x\n// y\n/* z */ path "a" { policy = "read" }',
    '\r\npath "a" {\r\n policy = "read"\r\n}\r\n', 'path "a" { comment = 1 + 1 }',
    'path "a" {} path "a" { policy = "read" } path "a" { policy = "deny" }',
    '{"path": {"a": {"policy": "read"}}}', '{"path": [{"a": {"policy": "read"}}]}',
    '{"path": {"a": [{"policy": "read"}]}}', '{"path": {"a": 3}}', '{"path": 3}', '{"x": 1}',
    '{"path": {"a": {"policy": "read"}, "a": {"policy": "deny"}}}', '{"path": null}',
    *map(body, [
        "foo = 1", 'comment = "x"', "comment = 3", "comment = []", "comment = {}",
        "pagination_limit = 10", 'pagination_limit = "10"', "pagination_limit = -1",
        "pagination_limit = 1.5", 'pagination_limit = "x"', 'pagination_limit = ""',
        "pagination_limit = true", "pagination_limit = 99999999999999999999",
        "min_wrapping_ttl = 90", 'min_wrapping_ttl = "1h"', "min_wrapping_ttl = 1.5",
        "min_wrapping_ttl = true", "min_wrapping_ttl = []", 'min_wrapping_ttl = "x"',
        'min_wrapping_ttl = "1h" max_wrapping_ttl = "1m"', "min_wrapping_ttl = 1e3",
        "min_wrapping_ttl = 0x10", "min_wrapping_ttl = 010", "pagination_limit = 0x10",
        "min_wrapping_ttl = 5 max_wrapping_ttl = 0", 'max_wrapping_ttl = "1h"',
        'allowed_parameters = {"a" = ["b"] "c" = [["d"], {"e" = 1}, 1.5, -1, true]}',
        'allowed_parameters { a = ["b"] }', 'allowed_parameters = {"a" = {"b" = "c"}}',
        'allowed_parameters = {"a" = "b"}', "allowed_parameters = 3", 'allowed_parameters = ["a"]',
        'allowed_parameters = { a : ["b"] }',
        'allowed_parameters = {"a" = null}', "allowed_parameters = {a = [x]}",
        'allowed_parameters = {"a" = ["b"],\n "c" = ["d"],\n}', 'denied_parameters = {"a" = []}',
        'required_parameters = ["a", 1]', 'required_parameters = "a"',
        "required_parameters = [true]", 'required_parameters = {"a" = []}',
        "expiration = 1900000000", 'expiration = "1900000000"', 'expiration = ""',
        'expiration = "2030-01-01T00:00:00Z"', 'expiration = "2030-01-01T00:00:00.5+02:00"',
        'expiration = "2030-01-01"', 'expiration = "2030-01-01T00:00:00"', 'expiration = "1h"',
        "expiration = true", "expiration = 10", "expiration = -5",
        'list_scan_response_keys_filter_path = "x/{{ .key }}"',
        'list_scan_response_keys_filter_path = "{{.path}}{{.key}}"',
        'list_scan_response_keys_filter_path = "x"', 'list_scan_response_keys_filter_path = ""',
        'list_scan_response_keys_filter_path = "{{ .path }}"',
        'list_scan_response_keys_filter_path = "{{ .key"', "control_group = 3",
        "control_group = {}", 'subscribe_event_types = ["x"]',
    ]),
    'path "a" { list_scan_response_keys_filter_path = "{{ .key }}" }',
    # Where HCL 1 is wider than HCL 2.
    'path "a" { capabilities = ["read"], }', 'path "a" { "policy" = "read" }',
    '"path" "a" { "policy" = "read" }', 'path "a" { policy =\n"read" }',
    'path\n"a"\n{\npolicy\n=\n"read"\n}', 'path "%{a}" { policy = "read" }',
    'path "a" { /* x */ policy /* y */ = /* z */ "read" }', "path a.b {}", "path a-b {}",
    'path "a" { allowed_parameters { "a" = [] } }', 'path "a" { policy = "read", comment = "x", }',
    'path "a" {}, path "b" { policy = "read" }', 'path"a"{policy="read"comment={}}',
    'path "a" { policy = "read" comment = [1, 2,, 3] }', 'path "a" { comment = [,] }',
    'path "a" { policy = "read" comment = { "x-y" = 1 z = 2, "z" = 3 } }',
    'path "a" { policy = "read" comment = { a "b" { c {} } } }',
    'path "${a}" { policy = "read" }', 'path "a${"b"}" {}', 'path "a${\nb}" {}', 'path "${a\\}" {}',
    'path "$${b" {}', 'path "\\x41\\101" { policy = "read" }', 'path "\\xc3\\xa9" {}',
    'path "a\\q" {}', 'path "a\\\'" {}', 'path "\\u00e" {}', 'path "\\8" {}',
    # Where it is not.
    'path "a" {},, path "b" {}', ', path "a" {}', 'path "a" { comment = {,} }', "path true {}",
    "path 1 {}", 'path "a" { true = 1 }', 'path "a" { comment = [{} {}] }', "path a* {}",
    'path "a" { comment = TRUE }', 'path "a" { comment = f(1) }', 'path "a" { comment = a.b }',
    'path "a" { comment = 1.2.3 }', 'path "a" { comment = +1 }', 'path "a" { comment = - 1 }',
    'path "a" { comment = -.5 }', 'path "a" { comment = 0x }', 'path "a" {} }', 'path "a" = 1',
    'path "a" { comment = 1 = 2 }', 'path "a" { comment = ', 'path "a" { comment', "/*/", "/",
    'path "a" {}\v', 'path "a" {}\u00a0', '\ufeffpath "a" {}', '\ufeff{"path": {}}', '"" {}',
    # Heredocs.
    *(f'path "a" {{ policy = "read" comment = {text} }}' for text in [
        "<<E\nx\nE", "<<E\nx\nE\n", "<<E \nx\nE\n", "<< E\nx\nE\n", '<<"E"\nx\nE\n', "<<1_\nx\n1_\n",
        "<<E-F\nx\nE-F\n", "<<E\nx\n  E\n", "<<E\nx\nE \n", "<<E\r\nx\r\nE\r\n", "<<-E\nx\nE\n",
        "<<-E\nx\n\tE\n", "[<<E\nx\nE\n, 1]", "[<<E\nx\nE\n 1]", "<<E\nE\n", "<<\n\n",
    ]),
    '{"path": {"a": {"comment": null}}}',
]  # fmt: skip

# Refused here, each with a clear error; docs/policies.md tells why.
ONLY_THERE = [
    'path "a" "b" {}', '{"path": {"a": {}},}', '{"path": {}} x',
    'path "a" { policy = "read" policy = "read" }', 'path "a" { comment = 1policy = "read" }',
    'path "a" { comment = 9223372036854775808 }', 'path "a" { comment = 08 }',
    'path "a" { comment = 1e }', 'path "a" { comment = "\\xe9" }', 'path "a" { comment = "\\ud800" }',
    'path "a" { comment = [[1] 2] }', '{"path": {"a": {"policy": null}}}',
    *map(body, [
        "min_wrapping_ttl = -5", 'max_wrapping_ttl = "-1h"', 'max_wrapping_ttl = "1ms"',
        'pagination_limit = "0x10"',
        'mfa_methods = ["x"]', 'policy = ""',
        'list_scan_response_keys_filter_path = "{{ printf .key }}"',
        'control_group = {factor "a" {controlled_capabilities = ["list"] '
        'identity {group_names = ["a"] approvals = 1}}}',
    ]),
]  # fmt: skip

ONLY_HERE = [
    'path = { "a" = { policy = "read" } }', '{"path": []}', "path { a {} }",
    'path = [{ "a" = { policy = "read" } }]', body('expiration = "20300101T000000Z"'),
]  # fmt: skip


@pytest.mark.parametrize("text", SAME)
def test_same_answer_and_same_meaning(oracle: Oracle, text: str) -> None:
    status = oracle.write_policy("tried", text)
    assert status in (204, 400)
    if status == 400:
        with pytest.raises(InvalidRequest):
            parse_policy(text)
        return
    acl = Acl.compile([parse_policy(text)], now=1_800_000_000)
    paths = ["a", "/a", "b", "a/b", "b/a", "aA", 'a"b', "a${b}", "a#b//c/*d", "a*", "a*b"]
    theirs = oracle.capabilities(oracle.token("tried"), paths)
    assert {path: acl.capabilities(path) for path in paths} == theirs


@pytest.mark.parametrize("text", ONLY_THERE)
def test_accepted_only_there(oracle: Oracle, text: str) -> None:
    assert oracle.write_policy("tried", text) == 204
    with pytest.raises(InvalidRequest):
        parse_policy(text)


@pytest.mark.parametrize("text", ONLY_HERE)
def test_accepted_only_here(oracle: Oracle, text: str) -> None:
    assert oracle.write_policy("tried", text) == 400
    parse_policy(text)
