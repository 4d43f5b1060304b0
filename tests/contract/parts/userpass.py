"""``auth/{userpass_mount_path}``."""

from tests.api import Api
from tests.contract.parts.part import Part, World

PASSWORD = "correct horse"


def prepare(api: Api, name: str) -> World:
    assert api.post(f"sys/auth/{name}", {"type": "userpass"}).status == 204
    assert api.post(f"auth/{name}/users/{name}", {"password": PASSWORD}).status == 204
    rules = 'length = 12 rule "charset" { charset = "abcdefghij" }'
    assert api.post(f"sys/policies/password/{name}", {"policy": rules}).status == 204
    return {"userpass_mount_path": name, "username": name, "policy_name": name}


PART = Part(
    lead="/auth/{userpass_mount_path}/",
    count=8,
    prepare=prepare,
    bodies={
        "userpass-login": lambda world: {"password": PASSWORD},
        "userpass-reset-password": lambda world: {"password": "another one"},
        "userpass-update-policies": lambda world: {"token_policies": ["default"]},
    },
    no_content=frozenset(
        {
            "userpass-update-policies_password", "userpass-write-user", "userpass-delete-user",
            "userpass-reset-password", "userpass-update-policies",
        }
    ),
    gives_token=frozenset({"userpass-login"}),
)  # fmt: skip
