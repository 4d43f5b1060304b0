"""What is answered to requests that this engine has no endpoint for.

Who used version 1, or a command for it, asks for ``secret/name`` where version 2 has
``secret/data/name``. The answer says so, instead of only that nothing is there.
"""

from wardgate.core.backend import Captures
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.errors import UnsupportedOperation
from wardgate.framework.backend import PlainEndpoint

_ROOTS = ("data", "metadata", "delete", "undelete", "destroy")

_COMMANDS = {
    Operation.READ: "get",
    Operation.CREATE: "put",
    Operation.UPDATE: "put",
    Operation.PATCH: "patch",
    Operation.DELETE: "delete",
    Operation.LIST: "list",
    Operation.SCAN: "scan",
}


class NoList(PlainEndpoint):
    """Stands where there is an endpoint, but not for lists."""

    async def call(self, request: Request, captures: Captures) -> Response:
        raise UnsupportedOperation


class WrongPath(NoList):
    """Stands where there is nothing, and answers 404 with a hint."""

    async def call(self, request: Request, captures: Captures) -> Response:
        if request.subpath in _ROOTS:
            hint = f"The path '{request.subpath}' needs the name of a secret behind it."
        else:
            command = _COMMANDS[request.operation]
            hint = (
                "Invalid path for a versioned K/V secrets engine: secrets are below 'data/', lists"
                f" below 'metadata/'. On the command line, 'kv {command}' finds the right path."
            )
        return Response(status=404, warnings=[hint])
