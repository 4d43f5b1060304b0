"""AppRole at ``auth/approle/`` of a node: roles, secret ids and logins."""

from dataclasses import dataclass
from typing import Any

from tests.node import NodeUnderTest
from wardgate.core.request import Response

MOUNT = "auth/approle"


@dataclass(frozen=True)
class SecretId:
    """What a role gives out to log in with."""

    value: str
    accessor: str


async def role(node: NodeUnderTest, name: str = "ci", *, mount: str = MOUNT, **fields: Any) -> str:
    """Make or change a role; its id. The method is enabled at the first call."""
    if (await node.read(f"sys/{mount}")).status != 200:
        await node.ok(f"sys/{mount}", {"type": "approle"})
    await node.ok(f"{mount}/role/{name}", fields)
    found: str = (await node.read(f"{mount}/role/{name}/role-id")).data["role_id"]
    return found


async def secret_id(
    node: NodeUnderTest, name: str = "ci", *, mount: str = MOUNT, **fields: Any
) -> SecretId:
    """Make a secret id of a role."""
    made = (await node.ok(f"{mount}/role/{name}/secret-id", fields)).data
    return SecretId(made["secret_id"], made["secret_id_accessor"])


async def log_in(
    node: NodeUnderTest, role_id: str, secret: SecretId | str, *, mount: str = MOUNT, **options: Any
) -> Response:
    """Try to log in, as a stranger."""
    value = secret.value if isinstance(secret, SecretId) else secret
    body = {"role_id": role_id, "secret_id": value}
    return await node.write(f"{mount}/login", body, token="", **options)


async def stored_secret_ids(node: NodeUnderTest) -> list[str]:
    """The keys of everything that is stored about secret ids, at any mount."""
    folders = ("/secret-id/", "/accessor/", "/expiry/", "/gone/")
    keys = await node.keys_below("mount/")
    return [key for key in keys if any(folder in key for folder in folders)]
