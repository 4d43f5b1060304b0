"""The OpenAPI 3 document, made from the endpoints' own types.

It has Vault's extensions (``x-vault-sudo``, ``x-vault-unauthenticated``,
``x-vault-createSupported``) and, like Vault, one schema for each request body.
"""

import re
from collections.abc import Iterable
from typing import Any

from wardgate import __version__
from wardgate.core.operation import Operation
from wardgate.framework.endpoints import WRITES, BoundEndpoint
from wardgate.framework.fields import Field

_METHODS = ("get", "post", "patch", "delete")
_LISTS = (Operation.LIST, Operation.SCAN)
_SUCCESS = {200: "OK", 202: "Accepted", 204: "empty body"}
_NAME = re.compile(r"\{(\w+)(?:\.\.\.)?\}")


def document(paths: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The whole document for these paths."""
    return {
        "openapi": "3.0.2",
        "info": {
            "title": "Wardgate API",
            "description": "The Vault-compatible HTTP API. All routes lie below `/v1/`.",
            "version": __version__,
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }


def add_backend(
    backend: Any,
    prefix: str,
    parameters: Iterable[str],
    paths: dict[str, Any],
    schemas: dict[str, Any],
    tag: str,
) -> None:
    """Add the endpoints of one mount to `paths` and their bodies to `schemas`.

    `prefix` is where the mount lies (``/auth/userpass/``); `parameters` are the names of the path
    parameters in it, if it is a generic one (``/auth/{userpass_mount_path}/``).
    """
    for pattern, endpoints in backend.declarations():
        path = prefix + _NAME.sub(r"{\1}", pattern)
        item = path_item(pattern, endpoints, list(parameters), schemas, tag)
        listing = item.pop("_list", None)
        read = item.get("get")
        if listing is None:
            paths[path] = item
        elif read is None:
            paths[path] = {**item, "get": listing}
        else:
            paths[path] = item
            if read["operationId"] != listing["operationId"]:
                # a list that shares its path with a read: Vault shows it with a trailing slash
                shared = {key: value for key, value in item.items() if key not in _METHODS}
                paths[path.rstrip("/") + "/"] = {**shared, "get": listing}


def path_item(
    pattern: str,
    endpoints: list[BoundEndpoint],
    mount_parameters: list[str],
    schemas: dict[str, Any],
    tag: str,
) -> dict[str, Any]:
    """One path with its operations. A LIST operation comes back under ``_list``."""
    item: dict[str, Any] = {"description": endpoints[0].declaration.summary}
    names = [*_NAME.findall(pattern), *mount_parameters]
    if names:
        item["parameters"] = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
            }
            for name in names
        ]
    if any(endpoint.unauthenticated for endpoint in endpoints):
        item["x-vault-unauthenticated"] = True
    if any(endpoint.sudo for endpoint in endpoints):
        item["x-vault-sudo"] = True
    if any(endpoint.conditional for endpoint in endpoints):
        item["x-vault-createSupported"] = True
    for endpoint in endpoints:
        for method in _methods(endpoint):
            item[method] = _operation(endpoint, method, schemas, tag)
    return item


def _methods(endpoint: BoundEndpoint) -> list[str]:
    operations = endpoint.declaration.operations
    found = []
    if operations & {Operation.CREATE, Operation.UPDATE}:
        found.append("post")
    for operation, method in (
        (Operation.READ, "get"),
        (Operation.PATCH, "patch"),
        (Operation.DELETE, "delete"),
    ):
        if operation in operations:
            found.append(method)
    if operations & set(_LISTS):
        found.append("_list")
    return found


def _operation(
    endpoint: BoundEndpoint, method: str, schemas: dict[str, Any], tag: str
) -> dict[str, Any]:
    declaration = endpoint.declaration
    found: dict[str, Any] = {
        "summary": declaration.summary,
        "operationId": declaration.operation_id,
        "tags": [tag],
        "responses": {str(declaration.status): {"description": _SUCCESS[declaration.status]}},
    }
    if method == "_list":
        found["parameters"] = [
            {
                "name": "list",
                "in": "query",
                "required": True,
                "description": "Must be set to `true`",
                "schema": {"type": "string", "enum": ["true"]},
            }
        ]
    fields, writes = declaration.fields, bool(declaration.operations & WRITES)
    in_body = tuple(field for field in fields if writes and not field.doc.query)
    in_query = tuple(field for field in fields if not writes or field.doc.query)
    if in_body:
        name = _schema_name(declaration.operation_id)
        schemas[name] = _schema(in_body)
        found["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
        }
    if in_query:
        found["parameters"] = found.get("parameters", []) + [
            {
                "name": field.name,
                "in": "query",
                "description": field.doc.text,
                "schema": _property(field),
            }
            for field in in_query
        ]
    return found


def _schema_name(operation_id: str) -> str:
    return "".join(part.title() for part in re.split(r"[-_]", operation_id)) + "Request"


def _schema(fields: tuple[Field, ...]) -> dict[str, Any]:
    return {"type": "object", "properties": {field.name: _property(field) for field in fields}}


def _property(field: Field) -> dict[str, Any]:
    found = dict(field.kind.openapi)
    if field.doc.text:
        found["description"] = field.doc.text
    if field.doc.default is not None:
        found["default"] = field.doc.default
    if field.doc.deprecated:
        found["deprecated"] = True
    return found
