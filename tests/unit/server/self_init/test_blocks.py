"""What `initialize` blocks say, and which mistakes are found without running anything."""

from pathlib import Path

import pytest

from wardgate.server.config import load_config
from wardgate.server.document import ConfigError
from wardgate.server.self_init.blocks import Environment, File, InitRequest, Reference

HEAD = (
    'storage "inmem" {}\nlistener "tcp" { tls_disable = 1 }\n'
    'seal "static" { current_key_id = "a" current_key = "b" }\n'
)
READ = 'operation = "read" path = "sys/mounts"'


def read(folder: Path, text: str) -> tuple[tuple[InitRequest, ...], list[str]]:
    file = folder / "w.hcl"
    file.write_text(text if text.startswith("{") else HEAD + text)
    config, warnings = load_config([file], environ={})
    return config.initialize, warnings


def one(folder: Path, text: str) -> InitRequest:
    (request,), _ = read(folder, f'initialize "a" {{ request "b" {{ {text} }} }}')
    return request


def test_requests_keep_the_order_of_the_file(tmp_path: Path) -> None:
    requests, warnings = read(
        tmp_path,
        f'initialize "b" {{ request "z" {{ {READ} }} request "a" {{ {READ} }} }}\n'
        f'initialize "a" {{ request "z" {{ {READ} }} }}',
    )
    assert [(each.block, each.name) for each in requests] == [("b", "z"), ("b", "a"), ("a", "z")]
    assert [each.place.line for each in requests] == [4, 4, 5]
    assert str(requests[2]) == f'{tmp_path}/w.hcl:5: initialize "a": request "z"'
    assert warnings == []


def test_data_are_read_as_they_stand(tmp_path: Path) -> None:
    request = one(
        tmp_path,
        READ
        + ' data = { a = "x" b = 7 c = 1.5 d = true e = ["x", 1, []] f { g = {} } "h i" = "" }',
    )
    assert request.data == {
        **{"a": "x", "b": 7, "c": 1.5, "d": True, "e": ["x", 1, []], "f": {"g": {}}},
        "h i": "",
    }
    assert (request.operation, request.path, request.token) == ("read", "sys/mounts", None)


def test_json_says_the_same(tmp_path: Path) -> None:
    requests, _ = read(
        tmp_path,
        '{"storage": {"inmem": {}}, "listener": {"tcp": {"tls_disable": 1}}, "seal": {"static":'
        ' {"current_key_id": "a", "current_key": "b"}}, "initialize": [{"a": {"request": [{"b":'
        ' {"operation": "update", "path": "p", "data": {"x": null, "y": [1.5]}}}]}}]}',
    )
    assert [(each.block, each.name, each.data) for each in requests] == [
        ("a", "b", {"x": None, "y": [1.5]})
    ]


def test_sources_stand_wherever_a_value_may(tmp_path: Path) -> None:
    requests, _ = read(
        tmp_path,
        """
        initialize "a" {
          request "one" {
            operation = { eval_source = "env" eval_type = "string" env_var = "O" }
            path      = { eval_source = "file" eval_type = "string" path = "/p" }
          }
          request "two" {
            operation = "update"
            path      = "p"
            data      = { x = [{
              eval_source = "response" eval_type = "any" initialize_name = "a"
              response_name = "one" field_selector = ["auth", "client_token"]
            }] }
          }
        }
        """,
    )
    one, two = requests
    assert isinstance(one.operation, Environment)
    assert isinstance(one.path, File)
    assert isinstance(two.data, dict)
    assert isinstance(two.data["x"], list)
    (source,) = two.data["x"]
    assert isinstance(source, Reference)
    assert (source.request, source.fields) == ("one", ("auth", "client_token"))


def source(text: str) -> str:
    return f'operation = "update" path = "p" data = {{ x = {{ {text} }} }}'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('path = "p"', "operation: is missing"),
        ('operation = "read"', "path: is missing"),
        ('operation = "frob" path = "p"', "operation: must be one of create, read"),
        ('operation = "UPDATE" path = "p"', "operation: must be one of create, read"),
        (READ + " data = 5", "data: must be a map"),
        (READ + ' data = { a = "hunter2" a = "hunter2" }', "data: a: is given twice"),
        (source('eval_source = "env"'), "eval_type: is missing"),
        (source('eval_type = "string"'), "eval_source: is missing"),
        (source('eval_source = "frob" eval_type = "any"'), "eval_source: must be one of env"),
        (source('eval_source = "cel" eval_type = "any"'), "expressions and templates are not"),
        (source('eval_source = "template" eval_type = "any"'), "expressions and templates are not"),
        (source('eval_source = "env" eval_type = "text"'), "eval_type: must be one of string"),
        (source('eval_source = "env" eval_type = "any"'), "env_var: is missing"),
        (source('eval_source = "file" eval_type = "any"'), "path: is missing"),
        (
            source(
                'eval_source = "response" eval_type = "any" initialize_name = "a"'
                ' response_name = "b" field_selector = "x"'
            ),
            "response_name: names no request that is made before this one",
        ),
    ],
)
def test_mistakes_are_found_at_once(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        one(tmp_path, text)
    assert problem in str(error.value)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f'initialize "1a" {{ request "b" {{ {READ} }} }}', "is no name"),
        (f'initialize "a" {{ request "b c" {{ {READ} }} }}', "is no name"),
        (f'initialize {{ request "b" {{ {READ} }} }}', "has no request"),
        (f'initialize "a" {{ request "b" {{ {READ} }} }}\n' * 2, "is there already"),
        (
            f'initialize "a" {{ request "b" {{ {READ} }} request "b" {{ {READ} }} }}',
            'request "b": is there already',
        ),
        ('initialize "a" { request = 5 }', "must be a block"),
        ('initialize "a" { }', 'initialize "a": has no request'),
    ],
)
def test_names_are_checked(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    assert problem in str(error.value)


def test_unknown_keys_are_warned_about(tmp_path: Path) -> None:
    source = 'eval_source = "env" eval_type = "string" env_var = "V" frob = 1'
    request = f'request "b" {{ {READ} when = false data = {{ x = {{ {source} }} }} }}'
    text = f'initialize "a" {{ frob = 1 {request} }}'
    _, warnings = read(tmp_path, text)
    assert [each.partition(": ")[2] for each in warnings] == [
        "data: frob is not known and has no effect",
        'request "b": when is not known and has no effect',
        'initialize "a": frob is not known and has no effect',
    ]
