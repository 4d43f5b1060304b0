"""Every operation of the seed answers: a minimal valid call has the status that the seed says.

For an operation whose success has no content, the seed says "200: OK" as it does for any other; there
we answer 204, as Vault and OpenBao do, and tidy answers 202, since it only accepts.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api import Api
from tests.contract.operations import OPERATIONS, SeedOperation

NO_CONTENT = {
    "token-revoke", "token-revoke-accessor", "token-revoke-orphan", "token-revoke-self",
    "token-write-role", "token-delete-role", "userpass-update-policies_password",
    "userpass-write-user", "userpass-delete-user", "userpass-reset-password",
    "userpass-update-policies",
}  # fmt: skip
ACCEPTED = {"token-tidy"}
PASSWORD = "correct horse"
EVERYTHING = "everything"


@dataclass(frozen=True)
class World:
    """Things to call the operations on, which nothing else uses."""

    mount: str
    token: str
    accessor: str
    role: str
    user: str
    password_policy: str

    def path(self, seed: SeedOperation) -> str:
        """The operation's path, below ``/v1/``, with everything in braces filled in."""
        filled = seed.path.format(
            userpass_mount_path=self.mount,
            role_name=self.role,
            username=self.user,
            policy_name=self.password_policy,
        )
        return filled.removeprefix("/")


@pytest.fixture
def world(api: Api) -> World:
    name = f"n{secrets.token_hex(4)}"
    # Not a root token, which is never renewed; and the default policy would narrow the rights.
    asked = {"policies": [EVERYTHING], "no_default_policy": True}
    made = api.post("auth/token/create", asked)
    assert api.post(f"auth/token/roles/{name}", {}).status == 204
    assert api.post(f"sys/auth/{name}", {"type": "userpass"}).status == 204
    assert api.post(f"auth/{name}/users/{name}", {"password": PASSWORD}).status == 204
    rules = 'length = 12 rule "charset" { charset = "abcdefghij" }'
    assert api.post(f"sys/policies/password/{name}", {"policy": rules}).status == 204
    return World(name, made.auth["client_token"], made.auth["accessor"], name, name, name)


@pytest.fixture(scope="session", autouse=True)
def everything(api: Api) -> None:
    """A policy that allows every request."""
    rules = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }'
    assert api.post(f"sys/policies/acl/{EVERYTHING}", {"policy": rules}).status == 204


BODIES: dict[str, Callable[[World], dict[str, Any]]] = {
    "token-look-up": lambda world: {"token": world.token},
    "token-look-up-accessor": lambda world: {"accessor": world.accessor},
    "token-renew": lambda world: {"token": world.token},
    "token-renew-accessor": lambda world: {"accessor": world.accessor},
    "token-revoke": lambda world: {"token": world.token},
    "token-revoke-accessor": lambda world: {"accessor": world.accessor},
    "token-revoke-orphan": lambda world: {"token": world.token},
    "userpass-login": lambda world: {"password": PASSWORD},
    "userpass-reset-password": lambda world: {"password": "another one"},
    "userpass-update-policies": lambda world: {"token_policies": ["default"]},
}


def _body(seed: SeedOperation, world: World) -> dict[str, Any]:
    make = BODIES.get(seed.operation_id)
    return {} if make is None else make(world)


GIVES_TOKEN = {
    "token-create", "token-create-orphan", "token-create-against-role", "token-renew",
    "token-renew-accessor", "token-renew-self", "userpass-login",
}  # fmt: skip


@pytest.mark.parametrize("seed", OPERATIONS, ids=str)
def test_the_operation_answers(api: Api, world: World, seed: SeedOperation) -> None:
    is_self = seed.path.endswith("-self")
    token = world.token if is_self else "" if seed.unauthenticated else api.token
    body = _body(seed, world) if seed.method == "POST" else None
    listing = "?list=true" if any(each.name == "list" for each in seed.parameters) else ""

    answer = api.call(seed.method, world.path(seed) + listing, body, token)

    if seed.operation_id in NO_CONTENT or seed.status == 204:
        assert (answer.status, answer.body) == (204, None)
    elif seed.operation_id in ACCEPTED:
        assert (answer.status, answer.body["warnings"] is None) == (202, False)
    elif seed.operation_id in GIVES_TOKEN:
        assert answer.status == seed.status == 200
        assert answer.auth["policies"]
    else:
        assert answer.status == seed.status == 200
        assert answer.data


@pytest.mark.parametrize("seed", [each for each in OPERATIONS if not each.unauthenticated], ids=str)
def test_the_operation_needs_a_token(api: Api, world: World, seed: SeedOperation) -> None:
    answer = api.call(seed.method, world.path(seed), {} if seed.method == "POST" else None, "")

    assert answer == type(answer)(403, {"errors": ["permission denied"]})
