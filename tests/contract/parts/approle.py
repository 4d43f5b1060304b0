"""``auth/{approle_mount_path}``."""

from tests.api import Api
from tests.contract.parts.part import Part, World


def prepare(api: Api, name: str) -> World:
    role = f"auth/{name}/role/{name}"
    assert api.post(f"sys/auth/{name}", {"type": "approle"}).status == 204
    assert api.post(role, {"role_id": name}).status == 204
    made = api.post(f"{role}/secret-id", {}).data
    return {
        "approle_mount_path": name,
        "role_name": name,
        "role_id": name,
        "secret_id": made["secret_id"],
        "secret_id_accessor": made["secret_id_accessor"],
    }


def _secret_id(world: World) -> dict[str, str]:
    return {"secret_id": world["secret_id"]}


def _accessor(world: World) -> dict[str, str]:
    return {"secret_id_accessor": world["secret_id_accessor"]}


PART = Part(
    lead="/auth/{approle_mount_path}/",
    count=51,
    prepare=prepare,
    bodies={
        "app-role-login": lambda world: {"role_id": world["role_id"], **_secret_id(world)},
        "app-role-write-bind-secret-id": lambda world: {"bind_secret_id": True},
        "app-role-write-bound-cidr-list": lambda world: {"bound_cidr_list": "127.0.0.0/8"},
        "app-role-write-custom-secret-id": lambda world: {"secret_id": "made elsewhere"},
        "app-role-write-period": lambda world: {"token_period": 60},
        "app-role-write-policies": lambda world: {"token_policies": ["default"]},
        "app-role-write-role-id": lambda world: {"role_id": world["role_id"] + "-new"},
        "app-role-write-secret-id-bound-cidrs": lambda world: {"secret_id_bound_cidrs": []},
        "app-role-write-secret-id-num-uses": lambda world: {"secret_id_num_uses": 5},
        "app-role-write-secret-id-ttl": lambda world: {"secret_id_ttl": 60},
        "app-role-write-token-bound-cidrs": lambda world: {"token_bound_cidrs": "127.0.0.0/8"},
        "app-role-write-token-max-ttl": lambda world: {"token_max_ttl": 60},
        "app-role-write-token-num-uses": lambda world: {"token_num_uses": 5},
        "app-role-write-token-ttl": lambda world: {"token_ttl": 60},
        "app-role-destroy-secret-id": _secret_id,
        "app-role-destroy-secret-id2": _secret_id,
        "app-role-look-up-secret-id": _secret_id,
        "app-role-destroy-secret-id-by-accessor": _accessor,
        "app-role-destroy-secret-id-by-accessor2": _accessor,
        "app-role-look-up-secret-id-by-accessor": _accessor,
    },
    no_content=frozenset({"app-role-write-role"}),
    accepted=frozenset({"app-role-tidy-secret-id"}),
    gives_token=frozenset({"app-role-login"}),
)
