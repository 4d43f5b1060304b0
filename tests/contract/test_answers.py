"""Every operation of the seed answers: a minimal valid call has the status that the seed says.

For an operation whose success has no content, the seed says "200: OK" as it does for any other; there
we answer 204, as Vault and OpenBao do, and tidy answers 202, since it only accepts.
"""

import secrets
from urllib.parse import urlencode

import pytest

from tests.api import Api
from tests.contract.operations import OPERATIONS, SeedOperation
from tests.contract.parts import PARTS
from tests.contract.parts.part import World
from tests.contract.parts.token import EVERYTHING

PART_OF = {each.operation_id: part for part in PARTS for each in OPERATIONS if part.has(each.path)}


@pytest.fixture(scope="session", autouse=True)
def everything(api: Api) -> None:
    """A policy that allows every request."""
    rules = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }'
    assert api.post(f"sys/policies/acl/{EVERYTHING}", {"policy": rules}).status == 204


def _called(api: Api, seed: SeedOperation) -> tuple[World, str]:
    """A world made for one call, and the operation's path in it, below ``/v1/``."""
    world = PART_OF[seed.operation_id].prepare(api, f"n{secrets.token_hex(4)}")
    return world, seed.path.format(**world).removeprefix("/")


@pytest.mark.parametrize("seed", OPERATIONS, ids=str)
def test_the_operation_answers(api: Api, seed: SeedOperation) -> None:
    part = PART_OF[seed.operation_id]
    world, path = _called(api, seed)
    is_self = seed.path.endswith("-self")
    token = world["token"] if is_self else "" if seed.unauthenticated else api.token
    given = part.bodies[seed.operation_id](world) if seed.operation_id in part.bodies else {}
    query = "?list=true" if any(each.name == "list" for each in seed.parameters) else ""
    if seed.method == "DELETE" and given:
        query = "?" + urlencode(given)

    answer = api.call(seed.method, path + query, given if seed.method == "POST" else None, token)

    if seed.operation_id in part.needs_others:
        assert answer.status in (400, 405)  # and neither without an endpoint nor a breakdown
        assert answer.body["errors"]
    elif seed.operation_id in part.no_content or seed.status == 204:
        assert (answer.status, answer.body) == (204, None)
    elif seed.operation_id in part.accepted:
        assert (answer.status, answer.body["warnings"] is None) == (202, False)
    elif seed.operation_id in part.gives_token:
        assert answer.status == seed.status == 200
        assert answer.auth["policies"]
    else:
        assert answer.status == seed.status == 200
        assert answer.data


@pytest.mark.parametrize("seed", [each for each in OPERATIONS if not each.unauthenticated], ids=str)
def test_the_operation_needs_a_token(api: Api, seed: SeedOperation) -> None:
    _, path = _called(api, seed)

    answer = api.call(seed.method, path, {} if seed.method == "POST" else None, "")

    assert answer == type(answer)(403, {"errors": ["permission denied"]})
