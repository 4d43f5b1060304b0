"""The process in which expressions of CEL roles are evaluated. It is run as a script of its own.

It imports nothing of Wardgate, so there are no keys and no secrets in its memory, and the library,
which is written in C++, can break nothing but this process. What one question may cost is limited:
the kernel ends the process when it takes more than `CPU_SECONDS` for it, and gives it no more than
`MEMORY` in all. It ends by itself when whoever started it is gone, or asks nothing for a while.

Questions and answers are JSON, each behind its length in four bytes, on stdin and stdout:
``{"do": "check", "variables": [[NAME, EXPRESSION], …], "expression": EXPRESSION}`` is answered with
``{}``, or ``{"error": WHY, "where": NAME}``; with ``"do": "evaluate"`` and ``claims``, ``now`` and
``operation`` in it, by ``{"kind": KIND, "value": VALUE}`` of the result, or an error.
"""

import datetime
import email.utils
import functools
import json
import math
import re
import resource
import select
import signal
import struct
import sys
from typing import Any

from cel_expr_python import cel
from google.protobuf import descriptor_pb2, descriptor_pool, timestamp_pb2
from google.protobuf.message import Message

CPU_SECONDS = 1.0
MEMORY = 512 * 1024 * 1024  # bytes of addresses
IDLE_SECONDS = 60.0
LONGEST_ANSWER = 64 * 1024  # bytes

_LIBRARIES = ("strings", "lists", "optional", "regex", "math", "sets", "encoders")
_F = descriptor_pb2.FieldDescriptorProto
_TEXT, _WHOLE, _BOOL = _F.TYPE_STRING, _F.TYPE_INT64, _F.TYPE_BOOL
_MESSAGES: dict[str, dict[str, dict[str, Any]]] = {
    "logical": {
        "Alias": {
            "mount_type": _TEXT, "mount_accessor": _TEXT, "name": _TEXT, "metadata": "map",
            "ID": _TEXT, "namespace_id": _TEXT, "custom_metadata": "map", "local": _BOOL,
        },
    },
    "pb": {
        "LeaseOptions": {
            "TTL": _WHOLE, "renewable": _BOOL, "increment": _WHOLE,
            "issue_time": ".google.protobuf.Timestamp", "MaxTTL": _WHOLE,
        },
        "Auth": {
            "lease_options": ".pb.LeaseOptions", "internal_data": _TEXT, "display_name": _TEXT,
            "policies": [_TEXT], "metadata": "map", "client_token": _TEXT, "accessor": _TEXT,
            "period": _WHOLE, "num_uses": _WHOLE, "entity_id": _TEXT, "alias": ".logical.Alias",
            "group_aliases": [".logical.Alias"], "bound_cidrs": [_TEXT], "token_policies": [_TEXT],
            "identity_policies": [_TEXT], "explicit_max_ttl": _WHOLE,
            "token_type": _F.TYPE_UINT32, "no_default_policy": _BOOL,
        },
    },
}  # fmt: skip
"""The messages that an expression can make, as OpenBao's document of them says: kinds of fields,
in a list where there may be several."""

_NO_JSON = "there is a value in it that JSON does not have"
_OPTIONAL = "a list has an optional value in it; use orValue() on that"
_PROBLEMS = (
    (_NO_JSON, _NO_JSON),
    (r"Syntax error", "syntax error"),
    (r"Exceeded max recursion|recursion limit", "nested too deeply"),
    (r"undeclared reference|No value with name", "there is nothing of this name"),
    (r"undefined field|field '.*' not found", "no such field"),
    (r"no matching overload|No matching overloads", "no such overload"),
    (r"Key not found", "no such key"),
    (r"Iteration budget", "it takes too many steps"),
    (r"(divide|modulus) by zero", "division by zero"),
)
_ISSUE = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
_TERNARY = "found no matching overload for '_?_:_'"


class Problem(Exception):
    """What is wrong with an expression, without a word of what it is about."""


def main() -> None:
    """Answer questions until there are none."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        ready, _, _ = select.select([sys.stdin], [], [], IDLE_SECONDS)
        head = sys.stdin.buffer.read(4) if ready else b""
        if len(head) < 4:
            return
        question = json.loads(sys.stdin.buffer.read(struct.unpack(">I", head)[0]))
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)  # nobody handles it: it ends the process
        answer = json.dumps(_answer(question)).encode()
        if len(answer) > LONGEST_ANSWER:
            answer = json.dumps({"error": "its result is too long", "where": ""}).encode()
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.buffer.write(struct.pack(">I", len(answer)) + answer)
        sys.stdout.buffer.flush()


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    """Check or evaluate the variables in turn and the expression at the end."""
    where = ""
    try:
        data = _data(question)
        for name, expression in question["variables"]:
            where = name
            program = _parsed(expression)
            if data:
                data[name] = _plain(program.eval(data=data))
        where = ""
        if not data:
            _check(question["expression"], [name for name, _ in question["variables"]])
            return {}
        return _result(_plain(_parsed(question["expression"]).eval(data=data)))
    except (Problem, RuntimeError, TypeError, ValueError, ArithmeticError) as error:
        why = str(error) if isinstance(error, Problem) else _why(str(error))
        return {"error": why, "where": where}


def _data(question: dict[str, Any]) -> dict[str, Any]:
    """What an expression is about; nothing when it is only checked."""
    if question["do"] == "check":
        return {}
    now = datetime.datetime.fromtimestamp(question["now"], datetime.UTC)
    claims = _as_decoded_by_go(question["claims"])
    return {"claims": claims, "now": now, "operation": question["operation"]}


@functools.lru_cache(maxsize=256)
def _parsed(expression: str) -> Any:
    """Without a check of types: as in OpenBao, the two sides of a condition may differ."""
    return _environment(()).compile(expression, disable_check=True)


def _check(expression: str, variables: list[str]) -> None:
    _parsed(expression)
    try:
        _environment(tuple(variables)).compile(expression)
    except RuntimeError as error:
        issues = [issue for issue in _ISSUE.findall(str(error)) if _TERNARY not in issue[2]]
        if issues:
            line, column, text = issues[0]
            raise Problem(f"line {line}, column {column}: {_why(text)}") from None


@functools.lru_cache(maxsize=16)
def _environment(variables: tuple[str, ...]) -> Any:
    """The names and functions that expressions may use; further `variables` may be anything."""
    libraries = "".join(f"\n- name: {name}\n  version: latest" for name in _LIBRARIES)
    kinds = {
        "claims": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
        "now": cel.Type.TIMESTAMP,
        "operation": cel.Type.STRING,
        **dict.fromkeys(variables, cel.Type.DYN),
    }
    return cel.NewEnv(
        _pool(),
        config=cel.NewEnvConfigFromYaml(f"name: roles\nextensions:{libraries}\n"),
        variables=kinds,
        extensions=[_own_functions()],
    )


def _own_functions() -> Any:
    def one(name: str, takes: Any, gives: Any, function: Any) -> Any:
        return cel.FunctionDecl(name, [cel.Overload(name, gives, [takes], False, function)])

    text, anything = cel.Type.STRING, cel.Type.DYN
    return cel.CelExtension(
        "roles",
        [
            one("check_valid_email", text, cel.Type.BOOL, _is_address),
            one("encode_json", anything, anything, _encoded),
            one("decode_json", text, anything, _decoded),
        ],
    )


def _is_address(text: str) -> bool:
    """Whether `text` is a mail address, maybe with a name before it."""
    _, address = email.utils.parseaddr(text)
    name, at, host = address.rpartition("@")
    return bool(name and at and host) and not re.search(r"[\s,;]", address)


def _encoded(value: Any) -> Any:
    if not isinstance(value, dict):
        return False
    try:
        return json.dumps(
            _shortened(value),
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
            allow_nan=False,
            default=_stamp,
        )
    except ValueError:  # a number that JSON does not have
        return False
    except (TypeError, RecursionError):
        raise ValueError(_NO_JSON) from None


def _stamp(value: Any) -> str:
    """A time as Go writes it into JSON; `TypeError` for anything else."""
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError


def _decoded(text: str) -> Any:
    try:
        return _as_decoded_by_go(json.loads(text, parse_constant=_no_number))
    except (ValueError, OverflowError, RecursionError):
        return False


def _no_number(name: str) -> Any:
    """NaN and Infinity, which Python takes for JSON."""
    raise ValueError(name)


def _as_decoded_by_go(value: Any) -> Any:
    """JSON in which all numbers are floating-point numbers, as expressions for OpenBao expect it."""
    match value:
        case bool():
            return value
        case int():
            return float(value)
        case float() if not math.isfinite(value):
            raise OverflowError
        case list():
            return [_as_decoded_by_go(each) for each in value]
        case dict():
            return {name: _as_decoded_by_go(each) for name, each in value.items()}
        case _:
            return value


def _shortened(value: Any) -> Any:
    """The same with whole numbers where they are meant."""
    match value:
        case float() if value.is_integer() and abs(value) < 1e21:
            return int(value)
        case list():
            return [_shortened(each) for each in value]
        case dict():
            return {str(name): _shortened(each) for name, each in value.items()}
        case _:
            return value


def _pool() -> Any:
    """What is known of messages."""
    pool = descriptor_pool.DescriptorPool()
    stamp = descriptor_pb2.FileDescriptorProto()
    timestamp_pb2.DESCRIPTOR.CopyToProto(stamp)
    pool.Add(stamp)
    for package, messages in _MESSAGES.items():
        file = descriptor_pb2.FileDescriptorProto(
            name=f"{package}.proto", package=package, syntax="proto3"
        )
        known = [] if package == "logical" else ["logical.proto"]
        file.dependency.extend([stamp.name, *known])
        for name, fields in messages.items():
            _describe(file.message_type.add(name=name), f".{package}.{name}", fields)
        pool.Add(file)
    return pool


def _describe(message: Any, path: str, fields: dict[str, Any]) -> None:
    for number, (name, kind) in enumerate(fields.items(), 1):
        many = isinstance(kind, list) or kind == "map"
        one = kind[0] if isinstance(kind, list) else kind
        field = message.field.add(
            name=name, number=number, label=_F.LABEL_REPEATED if many else _F.LABEL_OPTIONAL
        )
        if one == "map":
            entry = "".join(part.title() for part in name.split("_")) + "Entry"
            nested = message.nested_type.add(name=entry)
            nested.options.map_entry = True
            _describe(nested, "", {"key": _TEXT, "value": _TEXT})
            one = f"{path}.{entry}"
        if isinstance(one, str):
            field.type, field.type_name = _F.TYPE_MESSAGE, one
        else:
            field.type = one


def _plain(value: Any) -> Any:
    """A result as Python has it; `Problem` for an error, which is a value of its own kind."""
    if value.type().name() == "ERROR":
        raise Problem(_why(str(value.plain_value())))
    try:
        return value.plain_value()
    except SystemError:  # what the library says of an optional value in a list
        raise Problem(_OPTIONAL) from None


def _result(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"kind": "bool", "value": value}
        case str():
            return {"kind": "string", "value": value}
        case Message() if value.DESCRIPTOR.full_name == "pb.Auth":
            return {"kind": "auth", "value": _fields(value)}
        case _:
            return {"kind": "other", "value": None}


def _fields(message: Any) -> dict[str, Any]:
    """What is set in a message."""
    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.message_type is None:
            found[field.name] = list(value) if field.is_repeated else value
        elif field.message_type.GetOptions().map_entry:
            found[field.name] = dict(value)
        elif field.message_type.full_name == "google.protobuf.Timestamp":
            continue
        else:
            found[field.name] = list(map(_fields, value)) if field.is_repeated else _fields(value)
    return found


def _why(text: str) -> str:
    """What is wrong, in our words: the library's repeat what the expression and the claims say."""
    issue = _ISSUE.search(text)
    place = f"line {issue[1]}, column {issue[2]}: " if issue and int(issue[1]) < 10**6 else ""
    for pattern, meaning in _PROBLEMS:
        if re.search(pattern, text):
            return place + meaning
    return place + "it failed"


if __name__ == "__main__":
    main()
