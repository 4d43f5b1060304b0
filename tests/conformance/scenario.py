"""Scenarios as data: what to send, and what of the answer not to compare.

A file holds one topic. Its lines, by indentation:

    given kubernetes                         a local service whose variables the scenarios use; see
                                             `tests.conformance.given`
    openbao 2.6.2                            compare with this version of OpenBao, which still has
                                             what a later one lacks
    before                                   steps that start every scenario of the file
    scenario A token is looked up            a description; its steps follow
      POST auth/token/create {"ttl": "1h"} -> 200
        save token /auth/client_token
      GET auth/token/lookup-self -> 200
        as token

A step is `METHOD path [body] -> status`. The path is below /v1/ unless it starts with a slash; the
body is sent as it stands; the status is the one that OpenBao gives (000: it hangs up), so that a
scenario which means something else than it says fails. `$name` is a variable, `$$` a dollar. With the
method VISIT the path is the address of a page that a browser opens; the body has what is filled into
its forms, and the answer's body the `query` of the address at which the browser ends, or would go on
to a callback (status 302). Lines indented further than options continue the line above; `#` starts a
comment line. The options of a step:

    as NAME                       send the token in variable NAME ("nobody": send none); else root
    header NAME: VALUE            send a header
    field NAME TEXT               add a text field to the body (policies read better so)
    save NAME POINTER             keep a value of the answer (JSON pointer) as variable NAME
    sign NAME KEY CLAIMS [with HEADER]
                                  before the step is sent, make a signed token of these claims as
                                  variable NAME; see tests/conformance/tokens.py
    spoil NAME POINTER            keep a share in hexadecimal digits as one with the same point and
                                  another value, which certainly is a wrong one
    until [POINTER TEXT]          repeat, each server for itself, until it answers the status, and
                                  TEXT at this place of the body
    only POINTER                  compare nothing but the status and this part of the body
    ignore POINTER because WHY    do not compare this part
    unordered POINTER because WHY compare this list as a set
    differs ENTRY POINTER...      these parts differ, as docs/compatibility.md says under ENTRY

Pointers look into `/status`, `/headers/...` and `/body/...` of the answer, except those of `save`,
`spoil` and `until`, which look into the body. A `*` stands for any one key or index.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

STEP = re.compile(r"(?P<method>[A-Za-z]+) (?P<path>\S+)(?: (?P<body>.+))?")
STATUS = re.compile(r"(?P<request>.+) -> (?P<status>\d{3})")
SIGNING = re.compile(r"(?P<key>\w+) (?P<claims>\{.*?\})(?: with (?P<header>\{.*\}))?")
OPTION_INDENT = 4
FOLDER = Path(__file__).parent / "scenarios"
UNINITIALISED = FOLDER / "uninitialised"
"""Each scenario in there needs a server of its own; beside TOPIC.txt, TOPIC.hcl has more of its
configuration."""


class ScenarioError(Exception):
    """A scenario file that cannot be read; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Parts of an answer that are known to differ, and the entry that explains why."""

    entry: str
    pointers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Signing:
    """A token to be made: the name of the key, and claims and header in JSON with variables."""

    key: str
    claims: str
    header: str


@dataclass(slots=True)
class Step:
    """One request, and how its answers are compared."""

    line: int
    method: str
    path: str
    body: str | None
    status: int | None
    token: str = "root"
    headers: list[tuple[str, str]] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    sign: dict[str, Signing] = field(default_factory=dict)
    save: dict[str, str] = field(default_factory=dict)
    spoil: dict[str, str] = field(default_factory=dict)
    until: tuple[str, str] | None = None
    only: list[str] = field(default_factory=list)
    ignore: list[str] = field(default_factory=list)
    unordered: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named list of steps. `topic` is the file's name without its suffix."""

    topic: str
    name: str
    steps: tuple[Step, ...]
    given: tuple[str, ...] = ()
    """Names of the local services whose variables the steps may use."""
    openbao: str = ""
    """The version of OpenBao that it is compared with, if not the usual one."""

    def __str__(self) -> str:
        return f"{self.topic}: {self.name}"


def topic_files(folder: Path = FOLDER) -> list[Path]:
    """The files with scenarios: those in the folder itself are for one server that is ready."""
    return sorted(folder.glob("*.txt"))


def configuration(topic: str) -> str:
    """The blocks that servers of a topic in `UNINITIALISED` have in their configuration."""
    file = UNINITIALISED / f"{topic}.hcl"
    return file.read_text(encoding="utf-8") if file.exists() else ""


def read_topic(path: Path) -> list[Scenario]:
    """The scenarios of one file, in the file's order. Raises `ScenarioError`."""
    given: list[str] = []
    openbao = ""
    before: list[Step] = []
    named: list[tuple[str, list[Step]]] = []
    steps: list[Step] | None = None
    for number, indent, text in _logical_lines(path):
        where = f"{path.name}:{number}"
        if indent == 0:
            kind, _, name = text.partition(" ")
            if kind == "given" and name and steps is None:
                given.append(name)
            elif kind == "openbao" and name and steps is None and not openbao:
                openbao = name
            elif kind == "before" and not named:
                steps = before
            elif kind == "scenario" and name:
                steps = []
                named.append((name, steps))
            else:
                raise ScenarioError(
                    f"{where}: expected `scenario NAME`; on top, `given NAME`, `openbao VERSION` and"
                    " `before`"
                )
        elif steps is None:
            raise ScenarioError(f"{where}: a step before the first scenario")
        elif indent < OPTION_INDENT:
            steps.append(_step(where, number, text))
        elif not steps:
            raise ScenarioError(f"{where}: an option without a step")
        else:
            _option(where, steps[-1], text)
    _refuse_repeated_names(path, [name for name, _ in named])
    return [
        Scenario(path.stem, name, (*before, *own), tuple(given), openbao) for name, own in named
    ]


def _logical_lines(path: Path) -> Iterator[tuple[int, int, str]]:
    pending: tuple[int, int, str] | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        if indent > OPTION_INDENT and pending:
            pending = (*pending[:2], f"{pending[2]} {text}")
            continue
        if pending:
            yield pending
        pending = (number, indent, text)
    if pending:
        yield pending


def _step(where: str, number: int, text: str) -> Step:
    ending = STATUS.fullmatch(text)
    match = STEP.fullmatch(ending["request"] if ending else text)
    if match is None:
        raise ScenarioError(f"{where}: expected `METHOD path [body] -> status`")
    status = int(ending["status"]) if ending else None
    return Step(number, match["method"], match["path"], match["body"], status)


def _option(where: str, step: Step, text: str) -> None:
    name, _, rest = text.partition(" ")
    first, _, second = rest.partition(" ")
    match name:
        case "as" if first and not second:
            step.token = first
        case "header" if ":" in rest:
            header, _, value = rest.partition(":")
            step.headers.append((header, value.strip()))
        case "field" if second:
            step.fields[first] = second
        case "save" if second.startswith("/"):
            step.save[first] = second
        case "sign" if match := SIGNING.fullmatch(second):
            step.sign[first] = Signing(**match.groupdict(""))
        case "spoil" if second.startswith("/"):
            step.spoil[first] = second
        case "until" if not rest or (first.startswith("/") and second):
            step.until = (first, second)
        case "only" if _is_pointer(first) and not second:
            step.only.append(first)
        case "ignore" | "unordered" if _is_pointer(first) and re.fullmatch("because .+", second):
            (step.ignore if name == "ignore" else step.unordered).append(first)
        case "differs" if second and all(map(_is_pointer, second.split())):
            step.differences.append(Difference(first, tuple(second.split())))
        case _:
            raise ScenarioError(f"{where}: `{name}` is no option, or lacks a part")


def _is_pointer(text: str) -> bool:
    return text.startswith(("/status", "/headers", "/body"))


def _refuse_repeated_names(path: Path, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ScenarioError(f"{path.name}: two scenarios are called `{name}`")
