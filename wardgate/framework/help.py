"""``?help=1``: what a path is for, from the same types that answer it."""

from typing import TYPE_CHECKING

from wardgate.core.request import Request, Response
from wardgate.errors import UnsupportedPath
from wardgate.framework.endpoints import BoundEndpoint
from wardgate.framework.openapi import document, path_item

if TYPE_CHECKING:
    from wardgate.framework.backend import EndpointBackend


def path_help(backend: "EndpointBackend", request: Request) -> Response:
    """The help for the request's path; for the mount itself, its paths."""
    path = request.subpath
    if not path:
        return Response(
            {"help": _mount_help(backend), "see_also": None, "openapi": None}, bare=True
        )
    found = backend.matching(path)
    if found is None:
        raise UnsupportedPath
    pattern, endpoints = found
    schemas: dict[str, object] = {}
    item = path_item(pattern, endpoints, [], schemas, request.mount.type)
    return Response(
        {
            "help": _endpoint_help(path, pattern, endpoints),
            "see_also": None,
            "openapi": document({f"/{pattern}": item}, schemas),
        },
        bare=True,
    )


def _mount_help(backend: "EndpointBackend") -> str:
    lines = ["## DESCRIPTION", "", backend.describe(), "", "## PATHS", ""]
    for pattern, endpoints in backend.declarations():
        lines += [f"    {pattern}", f"        {endpoints[0].declaration.summary}", ""]
    return "\n".join(lines)


def _endpoint_help(path: str, pattern: str, endpoints: list[BoundEndpoint]) -> str:
    lines = [f"Request:        {path}", f"Matching Route: {pattern}", ""]
    for endpoint in endpoints:
        lines += [endpoint.declaration.summary, ""]
    fields = {field.name: field for one in endpoints for field in one.declaration.fields}
    if fields:
        lines += ["## PARAMETERS", ""]
    for name in sorted(fields):
        field = fields[name]
        deprecated = "(DEPRECATED) " if field.doc.deprecated else ""
        lines += [
            f"    {name} ({field.kind.name})",
            "",
            f"        {deprecated}{field.doc.text}",
            "",
        ]
    lines += ["## DESCRIPTION", ""]
    lines += [one.declaration.description for one in endpoints if one.declaration.description]
    return "\n".join(lines)
