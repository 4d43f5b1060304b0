"""``auth/token``."""

from tests.api import Api
from tests.contract.parts.part import Part, World

EVERYTHING = "everything"


def prepare(api: Api, name: str) -> World:
    # Not a root token, which is never renewed; and the default policy would narrow the rights.
    made = api.post("auth/token/create", {"policies": [EVERYTHING], "no_default_policy": True})
    assert api.post(f"auth/token/roles/{name}", {}).status == 204
    return {
        "role_name": name,
        "token": made.auth["client_token"],
        "accessor": made.auth["accessor"],
    }


def _token(world: World) -> dict[str, str]:
    return {"token": world["token"]}


def _accessor(world: World) -> dict[str, str]:
    return {"accessor": world["accessor"]}


PART = Part(
    lead="/auth/token/",
    count=21,
    prepare=prepare,
    bodies={
        "token-look-up": _token,
        "token-look-up-accessor": _accessor,
        "token-renew": _token,
        "token-renew-accessor": _accessor,
        "token-revoke": _token,
        "token-revoke-accessor": _accessor,
        "token-revoke-orphan": _token,
    },
    no_content=frozenset(
        {
            "token-revoke", "token-revoke-accessor", "token-revoke-orphan", "token-revoke-self",
            "token-write-role", "token-delete-role",
        }
    ),
    accepted=frozenset({"token-tidy"}),
    gives_token=frozenset(
        {
            "token-create", "token-create-orphan", "token-create-against-role", "token-renew",
            "token-renew-accessor", "token-renew-self",
        }
    ),
)  # fmt: skip
