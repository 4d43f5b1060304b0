"""``auth/{saml_mount_path}``."""

import base64
import hashlib
from functools import cache
from typing import Any

from tests.api import Api
from tests.contract.parts.part import Part, World
from tests.saml_idp import ACS_URL, ENTITY_ID, SP_ENTITY_ID, SSO_URL, Key


@cache
def _key() -> Key:
    return Key()


def _config(_: World) -> dict[str, Any]:
    return {
        "entity_id": SP_ENTITY_ID,
        "acs_urls": [ACS_URL],
        "idp_sso_url": SSO_URL,
        "idp_entity_id": ENTITY_ID,
        "idp_cert": _key().certificate_pem,
    }


def _role(_: World) -> dict[str, Any]:
    return {"bound_subjects": ["ada@example.com"], "token_policies": ["shop"]}


def prepare(api: Api, name: str) -> World:
    assert api.post(f"sys/auth/{name}", {"type": "saml"}).status == 204
    assert api.post(f"auth/{name}/config", _config({})).status == 204
    assert api.post(f"auth/{name}/role/{name}", _role({})).status == 204
    return {"saml_mount_path": name, "name": name}


PART = Part(
    lead="/auth/{saml_mount_path}/",
    count=9,
    prepare=prepare,
    bodies={
        "saml-write-config": _config,
        "saml-write-role-name": _role,
        "saml-write-sso_service_url": lambda world: {
            "role": world["name"],
            "client_challenge": base64.b64encode(hashlib.sha256(b"verifier").digest()).decode(),
        },
    },
    no_content=frozenset({"saml-write-config", "saml-write-role-name", "saml-delete-role-name"}),
    # a provider, and somebody with a browser: tests/clients/test_login_saml.py
    needs_others=frozenset({"saml-write-callback", "saml-write-token"}),
)
