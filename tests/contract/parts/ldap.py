"""``auth/{ldap_mount_path}``."""

from tests.api import Api
from tests.contract.parts.part import Part, World
from tests.services.directory_entries import GROUPS, PASSWORDS, PEOPLE
from tests.services.slapd import shared_slapd


def prepare(api: Api, name: str) -> World:
    config = {"url": shared_slapd().url, "userdn": PEOPLE, "userattr": "uid", "groupdn": GROUPS}
    assert api.post(f"sys/auth/{name}", {"type": "ldap"}).status == 204
    assert api.post(f"auth/{name}/config", config).status == 204
    assert api.post(f"auth/{name}/users/{name}", {"policies": "default"}).status == 204
    assert api.post(f"auth/{name}/groups/{name}", {"policies": "default"}).status == 204
    return {"ldap_mount_path": name, "name": name, "username": "ada"}


PART = Part(
    lead="/auth/{ldap_mount_path}/",
    count=11,
    prepare=prepare,
    bodies={
        "ldap-configure-auth": lambda world: {"userattr": "uid"},
        "ldap-login": lambda world: {"password": PASSWORDS["ada"]},
    },
    no_content=frozenset(
        {
            "ldap-configure-auth", "ldap-write-user", "ldap-write-group", "ldap-delete-user",
            "ldap-delete-group",
        }
    ),
    gives_token=frozenset({"ldap-login"}),
)  # fmt: skip
