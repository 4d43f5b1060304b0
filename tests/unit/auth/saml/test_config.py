"""The configuration and the roles of a SAML mount."""

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.node import NodeUnderTest, errors
from tests.saml_idp import ACS_URL, ENTITY_ID, SP_ENTITY_ID, SSO_URL, Key
from tests.unit.auth.saml.browser_logins import configure, idp_key, role, with_saml
from wardgate.auth.saml import certificates

PATH = "auth/saml/config"


@with_saml
async def test_it_is_read_as_it_was_written(node: NodeUnderTest) -> None:
    assert (await node.read(PATH)).data == {
        "acs_urls": (ACS_URL,),
        "default_role": "people",
        "entity_id": SP_ENTITY_ID,
        "idp_cert": idp_key().certificate_pem,
        "idp_entity_id": ENTITY_ID,
        "idp_metadata_url": "",
        "idp_sso_url": SSO_URL,
        "validate_assertion_signature": False,
        "validate_response_signature": False,
        "verbose_logging": False,
    }


@with_saml
async def test_a_write_changes_what_it_gives(node: NodeUnderTest) -> None:
    await node.ok(PATH, {"validate_response_signature": True, "default_role": " Other "})
    found = (await node.read(PATH)).data
    assert found["validate_response_signature"]
    assert found["default_role"] == "other"
    assert found["entity_id"] == SP_ENTITY_ID


@with_saml
async def test_addresses_without_tls_are_warned_of(node: NodeUnderTest) -> None:
    assert not (await configure(node)).warnings
    plain = {"acs_urls": "http://a.example.test/v1/auth/saml/callback", "idp_sso_url": "http://b/"}
    warnings = (await configure(node, **plain)).warnings
    assert warnings is not None
    assert [each.split(":")[0] for each in warnings] == ["acs_urls", "idp_sso_url"]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"entity_id": ""}, "entity_id: expected"),
    ({"entity_id": " x"}, "entity_id: expected"),
    ({"entity_id": "x" * 1025}, "entity_id: expected"),
    ({"acs_urls": []}, "acs_urls: from 1 to 50"),
    ({"acs_urls": ["https://a.example.test"] * 51}, "acs_urls: from 1 to 50"),
    ({"acs_urls": "ftp://a.example.test"}, "acs_urls: expected an address"),
    ({"acs_urls": "https://"}, "acs_urls: expected an address"),
    ({"acs_urls": 'https://a.example.test/"'}, "acs_urls: expected an address"),
    ({"acs_urls": "https://user:secret@a.example.test/"}, "acs_urls: expected an address"),
    ({"acs_urls": "https://a.example.test/#part"}, "acs_urls: expected an address"),
    ({"acs_urls": "https://a.example.test\\@evil.example.test/"}, "acs_urls: expected an address"),
    ({"default_role": "../x"}, "default_role: expected the name"),
    ({"default_role": "x" * 513}, "default_role: expected the name"),
    ({"idp_sso_url": "https://a.example.test/?SAMLRequest="}, "idp_sso_url: its query must not"),
    (
        {"idp_sso_url": "https://a.example.test/?a=b&RelayState=x"},
        "idp_sso_url: its query must not",
    ),
    ({"idp_sso_url": "javascript:alert(1)"}, "idp_sso_url: expected an address"),
    ({"idp_sso_url": ""}, "idp_metadata_url is needed or"),
    ({"idp_cert": ""}, "idp_metadata_url is needed or"),
    ({"idp_cert": "nonsense"}, "idp_cert: expected certificates in PEM"),
    ({"idp_entity_id": "a\nb"}, "idp_entity_id: expected"),
    ({"idp_metadata_url": "nowhere"}, "idp_metadata_url: expected an address"),
    ({"validate_response_signature": "perhaps"}, "Field validation failed"),
]


@pytest.mark.parametrize(("fields", "said"), BAD, ids=str)
def test_what_cannot_work_is_refused(fields: dict[str, Any], said: str) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        before = (await node.read(PATH)).data
        response = await node.write(PATH, fields)
        assert response.status == 400
        assert errors(response)[0].startswith(said)
        assert (await node.read(PATH)).data == before

    check()


@with_saml
async def test_nothing_but_certificates_is_kept(node: NodeUnderTest) -> None:
    pem, secret = idp_key().certificate_pem, idp_key().private_pem
    cut = secret.replace("-----END PRIVATE KEY-----", "")
    headers = pem.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n", 1)
    for odd in (secret + pem, pem + secret, cut + pem, secret, headers + pem):
        response = await node.write(PATH, {"idp_cert": odd})
        assert response.status == 400
        (said,) = errors(response)
        assert said.startswith("idp_cert: there is something else beside certificates")
        assert secret.splitlines()[1] not in said
    assert (await node.read(PATH)).data["idp_cert"] == pem
    await node.ok(PATH, {"idp_cert": f"subject=CN = a\n{pem.strip()}\nissuer=CN = a\n\n{pem}"})
    assert (await node.read(PATH)).data["idp_cert"] == pem + pem


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (2000, 2010, "a certificate has expired on 2010-01-01 00:00 UTC"),
        (2090, 2100, "a certificate is not valid before 2090-01-01 00:00 UTC"),
    ],
)
def test_certificates_of_another_time_are_warned_of(first: int, last: int, said: str) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        pem = Key(first=first, last=last).certificate_pem
        warnings = (await configure(node, idp_cert=idp_key().certificate_pem + pem)).warnings
        assert warnings == [f"the identity provider: {said}: what its key signs is refused"]

    check()


@with_saml
async def test_certificates_that_expire_soon_are_warned_of(node: NodeUnderTest) -> None:
    end = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
    node.clock.advance(end - 31 * 86400 - node.clock.now())
    assert not (await configure(node)).warnings
    node.clock.advance(2 * 86400)
    warning = " ".join((await configure(node)).warnings or [])
    assert "a certificate expires on 2100-01-01 00:00 UTC" in warning


def test_certificates_of_weak_keys_are_refused() -> None:
    for weak in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256K1())):
        with pytest.raises(ValueError, match="neither RSA of 2048 bits"):
            certificates.from_pem(Key(weak).certificate_pem)


def test_some_certificates_are_one_provider() -> None:
    pem = idp_key().certificate_pem
    assert len(certificates.from_pem(pem + pem)) == 1
    assert len(certificates.from_pem(pem + Key("ec").certificate_pem)) == 2
    with pytest.raises(ValueError, match="from 1 to 10"):
        certificates.from_pem(pem * 11)


@with_saml
async def test_a_mount_that_is_not_configured_says_so(node: NodeUnderTest) -> None:
    await node.ok("sys/auth/new", {"type": "saml"})
    assert (await node.read("auth/new/config")).status == 404
    assert (await node.read("auth/new/metadata", token="")).status == 404
    body = {"client_challenge": "x"}
    for path in ("sso_service_url", "token"):
        sent = {**body, "token_poll_id": "x", "client_verifier": "x"}
        said = errors(await node.write(f"auth/new/{path}", sent, token=""))[0]
        assert said.startswith("the mount is not configured")
    assert (await node.write("auth/new/callback", {"RelayState": "x"}, token="")).status == 400


@with_saml
async def test_a_role_is_read_as_it_was_written(node: NodeUnderTest) -> None:
    fields = {
        "alias_metadata": {"team": "core"},
        "bound_attributes": {"Groups": ["a", "b"]},
        "bound_attributes_type": "glob",
        "bound_subjects": ["ada", "grace"],
        "bound_subjects_type": "glob",
        "groups_attribute": "groups",
    }
    await role(node, "Full", **fields, token_ttl="1h")
    found = (await node.read("auth/saml/role/FULL")).data
    plain = {name: found[name] for name in fields}
    assert plain == {
        **fields,
        "bound_attributes": {"Groups": ("a", "b")},
        "bound_subjects": ("ada", "grace"),
    }
    assert found["token_ttl"] == 3600
    assert found["token_policies"] == ("shop",)
    assert (await node.listing("auth/saml/role")).data == {"keys": ["full", "people"]}
    assert (await node.delete("auth/saml/role/Full")).status == 204
    assert (await node.read("auth/saml/role/full")).status == 404


WRITTEN: list[tuple[Any, dict[str, tuple[str, ...]]]] = [
    ({"group": "admin"}, {"group": ("admin",)}),
    ({"group": "a, b"}, {"group": ("a", "b")}),
    ({"group": ["a,b", "c"]}, {"group": ("a,b", "c")}),
    ("group=admin", {"group": ("admin",)}),
    ("group=a,b", {"group": ("a", "b")}),
    (["group=admin", "x=1"], {"group": ("admin",), "x": ("1",)}),
    ('{"group": ["a"]}', {"group": ("a",)}),
    ({"level": 3}, {"level": ("3",)}),
    ("", {}),
    ({}, {}),
]


@pytest.mark.parametrize(("given", "found"), WRITTEN, ids=str)
def test_attributes_are_written_in_several_ways(
    given: Any, found: dict[str, tuple[str, ...]]
) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        await role(node, bound_attributes=given)
        assert (await node.read("auth/saml/role/people")).data["bound_attributes"] == found

    check()


BAD_ROLES: list[tuple[dict[str, Any], str]] = [
    ({"bound_attributes": {"group": ""}}, "bound_attributes: each attribute needs"),
    ({"bound_attributes": {"group": []}}, "bound_attributes: each attribute needs"),
    ({"bound_attributes": {" ": "x"}}, "bound_attributes: each attribute needs"),
    ({"bound_attributes": {"a": "x", "A": "y"}}, "bound_attributes: a name is there twice"),
    ({"bound_attributes": {"a": {"b": "c"}}}, "Field validation failed"),
    ({"bound_attributes": ["a"]}, "Field validation failed"),
    *(
        ({"bound_attributes": odd}, "Field validation failed")
        for odd in ("a", 5, True, 1.5, "5", "[1]", '"x"', "null", [{"a": "b"}], [5], [None])
    ),
    ({"bound_attributes": {"a": True}}, "Field validation failed"),
    ({"bound_attributes": {"a": ["x", None]}}, "Field validation failed"),
    ({"bound_attributes": {"a": ["x"] * 1001}}, "bound_attributes: at most"),
    ({"bound_attributes_type": "regex"}, "Field validation failed"),
    ({"bound_subjects_type": "Glob"}, "Field validation failed"),
    ({"bound_subjects": ["x" * 2049]}, "bound_subjects: at most"),
    ({"groups_attribute": "x" * 2049}, "groups_attribute: at most"),
    ({"alias_metadata": {"a": "x" * 2049}}, "alias_metadata: at most"),
    ({"token_period": "10000h"}, "token_period: cannot be greater"),
]


@pytest.mark.parametrize(("fields", "said"), BAD_ROLES, ids=lambda each: str(each)[:40])
def test_a_role_that_cannot_be_is_refused(fields: dict[str, Any], said: str) -> None:
    @with_saml
    async def check(node: NodeUnderTest) -> None:
        response = await node.write("auth/saml/role/people", fields)
        assert response.status == 400
        assert errors(response)[0].startswith(said)

    check()


@with_saml
async def test_a_role_for_everybody_is_warned_of(node: NodeUnderTest) -> None:
    warnings = (await role(node)).warnings
    assert warnings is not None
    assert "everybody may log in" in warnings[0]
    assert not (await role(node, bound_subjects="ada")).warnings


@with_saml
async def test_names_of_roles_are_harmless(node: NodeUnderTest) -> None:
    for name in ("a%2Fb", "-a", "x" * 513, "a b"):
        assert (await node.write(f"auth/saml/role/{name}", {})).status == 404
        body = {"role": name, "client_challenge": "x" * 44}
        assert (await node.write("auth/saml/sso_service_url", body, token="")).status == 400


def test_the_libraries_are_loaded_when_they_are_needed() -> None:
    code = (
        "import sys, wardgate.server.catalog\n"
        "print([name for name in ('lxml', 'signxml', 'xmlsec') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
