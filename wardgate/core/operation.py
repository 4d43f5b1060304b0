"""What a request wants to do, in Vault's words."""

from enum import StrEnum


class Operation(StrEnum):
    """The logical operation. A write is CREATE where nothing exists yet, otherwise UPDATE."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"
    LIST = "list"
    SCAN = "scan"
    HELP = "help"


LISTINGS = frozenset({Operation.LIST, Operation.SCAN})
