"""Every operation of the seed is in the server's own OpenAPI document, with all that belongs to it."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from tests.api import Api
from tests.contract.operations import OPERATIONS, SeedField, SeedOperation
from tests.contract.parts import PARTS
from tests.contract.parts.part import Part
from wardgate.durations import parse_duration

JsonMap = dict[str, Any]


class Document:
    """An OpenAPI document, and the way through its references."""

    def __init__(self, document: JsonMap) -> None:
        self._document = document

    def operation(self, method: str, path: str) -> tuple[JsonMap, JsonMap]:
        """The path item and the operation at exactly this path."""
        # The seed writes a listing without the slash that tells it from a read of the same path.
        for written in (path, path + "/"):
            item = self._document["paths"].get(written, {})
            if method.lower() in item:
                return item, item[method.lower()]
        raise AssertionError(f"the document has no {method} {path}")

    def resolved(self, node: JsonMap) -> JsonMap:
        while "$ref" in node:
            target: Any = self._document
            for name in node["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            node = target
        return node

    def fields(self, operation: JsonMap) -> dict[str, JsonMap]:
        """The fields of the body."""
        if "requestBody" not in operation:
            return {}
        content = self.resolved(operation["requestBody"])["content"]["application/json"]
        schema = self.resolved(content["schema"])
        return {name: self.resolved(each) for name, each in schema["properties"].items()}


@pytest.fixture(scope="session")
def document(api: Api) -> Document:
    """The document of the mounts as they could be mounted anywhere."""
    return Document(api.get("sys/internal/specs/openapi?generic_mount_paths=true").body)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.lead)
def test_the_seed_has_the_operations_of_this_part(part: Part) -> None:
    assert sum(part.has(each.path) for each in OPERATIONS) == part.count


@pytest.mark.parametrize("seed", OPERATIONS, ids=str)
def test_the_document_has_the_operation(document: Document, seed: SeedOperation) -> None:
    item, operation = document.operation(seed.method, seed.path)

    assert operation["operationId"] == seed.operation_id
    assert item.get("x-vault-unauthenticated", False) == seed.unauthenticated
    assert item.get("x-vault-sudo", False) or not seed.sudo
    assert item.get("x-vault-createSupported", False) or not seed.create
    assert str(seed.status) in operation["responses"]


@pytest.mark.parametrize("seed", OPERATIONS, ids=str)
def test_the_operation_has_the_parameters(document: Document, seed: SeedOperation) -> None:
    item, operation = document.operation(seed.method, seed.path)
    ours = {
        (each["in"], each["name"]): document.resolved(each)
        for each in [*item.get("parameters", []), *operation.get("parameters", [])]
    }
    seeds = {(field.place, field.name): field for field in seed.parameters}

    assert set(seeds) <= set(ours)
    for key, field in seeds.items():
        assert ours[key].get("required", False) == field.required
        _same_schema(document.resolved(ours[key]["schema"]), field)
    for key in set(ours) - set(seeds):
        assert not ours[key].get("required", False), f"{key} is needed, and the seed lacks it"


@pytest.mark.parametrize("seed", OPERATIONS, ids=str)
def test_the_body_has_the_fields(document: Document, seed: SeedOperation) -> None:
    _, operation = document.operation(seed.method, seed.path)
    ours = document.fields(operation)

    assert {field.name for field in seed.body} <= set(ours)
    for field in seed.body:
        _same_schema(ours[field.name], field)


def _same_schema(ours: JsonMap, field: SeedField) -> None:
    assert ours["type"] == field.type, field.name
    assert ours.get("deprecated", False) == field.deprecated, field.name
    assert ours.get("enum") == field.enum, field.name
    if field.default is not None:
        shown = ours.get("default")
        if field.type == "integer" and field.default.endswith("s"):
            # the seed has durations as "30s" there, which is no integer
            assert shown == parse_duration(field.default), field.name
        else:
            assert str(shown) == field.default, field.name


def test_the_document_is_valid_openapi(api: Api) -> None:
    document = api.get("sys/internal/specs/openapi?generic_mount_paths=true").body

    assert [error.message for error in OpenAPIV30SpecValidator(document).iter_errors()] == []
