"""``auth/{jwt_mount_path}``, but for the logins at a provider."""

import time
from typing import Any

from tests.api import Api
from tests.contract.parts.part import Part, World
from tests.issuer import pem, signed


def _config(_: World) -> dict[str, Any]:
    return {"jwt_validation_pubkeys": [pem("ec")]}


def _role(_: World) -> dict[str, Any]:
    return {"role_type": "jwt", "user_claim": "sub", "bound_subject": "ada"}


def prepare(api: Api, name: str) -> World:
    assert api.post(f"sys/auth/{name}", {"type": "jwt"}).status == 204
    assert api.post(f"auth/{name}/config", _config({})).status == 204
    assert api.post(f"auth/{name}/role/{name}", _role({})).status == 204
    return {"jwt_mount_path": name, "name": name}


PART = Part(
    lead="/auth/{jwt_mount_path}/",
    count=10,
    prepare=prepare,
    bodies={
        "jwt-configure": _config,
        "jwt-login": lambda world: {
            "role": world["name"],
            "jwt": signed({"sub": "ada", "iat": int(time.time())}, "ec"),
        },
        "jwt-write-role": _role,
    },
    no_content=frozenset({"jwt-configure", "jwt-write-role", "jwt-delete-role"}),
    gives_token=frozenset({"jwt-login"}),
    needs_others=frozenset(  # a provider: tests/conformance/scenarios/oidc.txt
        {
            "jwt-oidc-request-authorization-url",
            "jwt-oidc-callback",
            "jwt-oidc-callback-form-post",
        }
    ),
)
