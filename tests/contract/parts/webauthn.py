"""``auth/{webauthn_mount_path}``."""

import json

from tests.api import Api
from tests.authenticator import ORIGIN, RP_ID, Authenticator
from tests.contract.parts.part import Part, World


def prepare(api: Api, name: str) -> World:
    assert api.post(f"sys/auth/{name}", {"type": "webauthn"}).status == 204
    config = {"rp_id": RP_ID, "rp_origins": [ORIGIN]}
    assert api.post(f"auth/{name}/config", config).status == 204
    browser = Authenticator()
    assert api.post(f"auth/{name}/user/{name}", {}).status == 204
    code = api.post(f"auth/{name}/user/{name}/enrolment-code", {}).data["enrolment_code"]
    asked = {"username": name, "enrolment_code": code}
    begun = api.post(f"auth/{name}/register/begin", asked).data
    body = {"username": name, "credential": browser.create(begun)}
    assert api.post(f"auth/{name}/register/finish", body).status == 200
    free = f"{name}-2"
    begun = api.post(f"auth/{name}/register/begin", {"username": free}).data
    made = browser.create(begun)
    begun = api.post(f"auth/{name}/login/begin", {"username": name}).data
    signed = browser.get(begun)
    return {
        "webauthn_mount_path": name,
        "name": name,
        "credential_id": signed["id"],
        "free": free,
        "made": json.dumps(made),
        "signed": json.dumps(signed),
    }


PART = Part(
    lead="/auth/{webauthn_mount_path}/",
    count=12,
    prepare=prepare,
    bodies={
        "webauthn-write-config": lambda world: {"rp_id": RP_ID, "rp_origins": [ORIGIN]},
        "webauthn-write-register-begin": lambda world: {"username": world["free"]},
        "webauthn-write-register-finish": lambda world: {
            "username": world["free"],
            "credential": json.loads(world["made"]),
        },
        "webauthn-write-login-begin": lambda world: {"username": world["name"]},
        "webauthn-write-login-finish": lambda world: {
            "username": world["name"],
            "credential": json.loads(world["signed"]),
        },
        "webauthn-write-user-name-policies": lambda world: {"token_policies": ["default"]},
    },
    no_content=frozenset(
        {
            "webauthn-write-config",
            "webauthn-write-user-name",
            "webauthn-delete-user-name",
            "webauthn-delete-user-name-credential-credential_id",
            "webauthn-write-user-name-policies",
        }
    ),
    gives_token=frozenset({"webauthn-write-login-finish"}),
)
