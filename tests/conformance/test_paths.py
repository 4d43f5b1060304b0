"""Every path and method of OpenBao's own OpenAPI document is answered, or listed with a reason.

The document is read from the real binary. A path that Wardgate does not answer stands in
docs/compatibility.md, in the line `Paths` of an entry; one that it does answer must not stand there.
"""

import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

import pytest

from tests.api import Api, tcp
from tests.conformance.differences import PAGE, read_entries
from tests.servers import ROOT_TOKEN, openbao_dev, wardgate_dev

AREAS = ("sys", "identity", "cubbyhole", "auth/token", "secret", "kv1")
METHODS = ("get", "post", "patch", "delete")
LAST = ("auth/token/revoke-self", "sys/seal")
"""What comes after these is refused, whether it is there or not."""
UNKNOWN = re.compile("unsupported path|unsupported operation|no handler for route")
LISTED = tuple(
    path for entry in read_entries(PAGE.read_text(encoding="utf-8")) for path in entry.paths
)


class Operation(NamedTuple):
    """One method on one path, with names in braces."""

    area: str
    path: str
    method: str

    @property
    def listed(self) -> bool:
        return any(fnmatchcase(self.path, pattern) for pattern in LISTED)

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


@pytest.fixture(scope="module")
def openbao() -> Iterator[Api]:
    with openbao_dev() as server, Api(tcp(server.port), ROOT_TOKEN) as api:
        assert api.post("sys/mounts/kv1", {"type": "kv"}).status == 204
        yield api


@pytest.fixture(scope="module")
def operations(openbao: Api) -> list[Operation]:
    """What OpenBao's document has in these areas."""
    paths = openbao.get("sys/internal/specs/openapi").body["paths"]
    found = [
        Operation(area, path.strip("/"), method)
        for path, item in paths.items()
        for area in AREAS
        if path.startswith(f"/{area}/") and "^" not in path
        for method in METHODS
        if method in item
    ]
    return sorted(found)


@pytest.fixture(scope="module")
def answered(operations: list[Operation], openbao: Api) -> set[Operation]:
    """Those of them that a Wardgate answers, whatever it says, to a request without content; also
    those that are in OpenBao's document alone, and not found there either."""
    with wardgate_dev() as server, Api(tcp(server.port), ROOT_TOKEN) as api:
        assert api.post("sys/mounts/kv1", {"type": "kv"}).status == 204
        found = {each for each in operations if each.path not in LAST and _answers(api, each)}
        assert api.get("auth/token/lookup-self").status == 200  # so it was the path that decided
        found |= {each for each in operations if each.path in LAST and _answers(api, each)}
    rest = [each for each in operations if each not in found and not each.listed]
    return found | {each for each in rest if not _answers(openbao, each)}


def test_every_operation_is_answered_or_listed(
    operations: list[Operation], answered: set[Operation], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print("\n" + coverage(operations, answered))
    missing = [str(each) for each in operations if each not in answered and not each.listed]
    assert "\n".join(missing) == ""


def test_what_is_answered_is_not_listed(
    operations: list[Operation], answered: set[Operation]
) -> None:
    assert [str(each) for each in operations if each in answered and each.listed] == []


def test_what_is_listed_is_there_in_openbao(operations: list[Operation]) -> None:
    paths = {operation.path for operation in operations}
    stale = [pattern for pattern in LISTED if not any(fnmatchcase(path, pattern) for path in paths)]
    assert stale == []


def coverage(operations: list[Operation], answered: set[Operation]) -> str:
    """A table: for each area, how many of OpenBao's operations are answered, and how many listed."""
    total = Counter(operation.area for operation in operations)
    ours = Counter(operation.area for operation in answered)
    listed = Counter(each.area for each in operations if each.listed and each not in answered)
    rows = [f"{'area':<12}{'OpenBao':>9}{'answered':>10}{'listed':>8}"]
    rows += [f"{area:<12}{total[area]:>9}{ours[area]:>10}{listed[area]:>8}" for area in total]
    return "\n".join(rows)


def _answers(api: Api, operation: Operation) -> bool:
    """Whether there is an endpoint behind it: its answer may be any but that there is none."""
    path = re.sub(r"\{[^}]*\}", "x1", operation.path)
    body: dict[str, str] | None = {} if operation.method in ("post", "patch") else None
    answers = [_call(api, operation.method.upper(), path, body)]
    if operation.method == "get":
        answers.append(_call(api, "LIST", path))
    return any(not UNKNOWN.search(each) for each in answers)


def _call(api: Api, method: str, path: str, body: dict[str, str] | None = None) -> str:
    try:
        return str(api.call(method, path, body).body)
    except ValueError:
        return ""  # an answer that is not JSON is one too
