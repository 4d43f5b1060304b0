"""Attacks on AppRole: secret ids of others, names and ids that look alike (security cases 24, 25)."""

from typing import Any

import pytest

from tests.node import NodeUnderTest, errors, with_node
from tests.people import keys, opens
from tests.roles import MOUNT, log_in, role, secret_id, stored_secret_ids
from wardgate.core.operation import Operation

WRONG = (400, ["invalid role or secret ID"])
GUESSED = "5c9b3a0e-0000-4000-8000-0123456789ab"


@with_node
async def test_24_an_accessor_counts_at_the_role_of_its_secret_id_only(node: NodeUnderTest) -> None:
    """CVE-2023-24999."""
    mine, theirs = await role(node, "mine"), await role(node, "theirs")
    await node.policy("manager", {f"{MOUNT}/role/mine/*": "create,update,delete,list,read"})
    manager = (await node.token(policies=["manager"]))["client_token"]
    secret = await secret_id(node, "theirs")
    own = await secret_id(node, "mine")
    body = {"secret_id_accessor": secret.accessor}
    for name in ("mine", "MINE", "theirs", "Theirs", "mine/../theirs"):
        for what in ("lookup", "destroy"):
            path = f"{MOUNT}/role/{name}/secret-id-accessor/{what}"
            assert (await node.write(path, body, token=manager)).status in (400, 403, 404)
    path = f"{MOUNT}/role/mine/secret-id-accessor/destroy"
    assert (await node.delete(path, query=body, token=manager)).status == 404
    assert (await node.write(path, body)).status == 404, "not even root destroys it at another role"
    assert (await log_in(node, theirs, secret)).status == 200
    assert (
        await node.write(path, {"secret_id_accessor": own.accessor}, token=manager)
    ).status == 204
    assert (await log_in(node, mine, own)).status == 400


@with_node
async def test_24_a_secret_id_is_managed_at_its_own_role_only(node: NodeUnderTest) -> None:
    await role(node, "mine")
    theirs = await role(node, "theirs")
    secret = await secret_id(node, "theirs")
    body = {"secret_id": secret.value}
    looked = await node.write(f"{MOUNT}/role/mine/secret-id/lookup", body)
    assert (looked.status, looked.data) == (204, None)
    await node.write(f"{MOUNT}/role/mine/secret-id/destroy", body)
    assert (await log_in(node, theirs, secret)).status == 200


@with_node
async def test_25_names_in_mixed_case_leave_no_orphan_secret_ids(node: NodeUnderTest) -> None:
    """What was made under one spelling is found, and ends, under every other."""
    for made, used, deleted in (
        ("CamelCase", "camelcase", "CAMELCASE"),
        ("lower", "LOWER", "lower"),
        ("UPPER", "UPPER", "upper"),
    ):
        role_id = await role(node, made, secret_id_ttl="1h")
        secrets = [await secret_id(node, name) for name in (made, used, deleted)]
        for name in (made, used, deleted):
            listed = (await node.listing(f"{MOUNT}/role/{name}/secret-id")).data["keys"]
            assert sorted(listed) == sorted(secret.accessor for secret in secrets)
        assert (await node.delete(f"{MOUNT}/role/{deleted}")).status == 204
        for secret in secrets:
            assert (await log_in(node, role_id, secret)).status == 400
        node.clock.advance(900)  # nobody is locked out for that
        assert (await node.listing(f"{MOUNT}/role")).status == 404
        await node.sweep()
        assert await stored_secret_ids(node) == []
        again = await role(node, used, role_id=role_id)
        assert again == role_id
        for secret in secrets:
            assert (await log_in(node, role_id, secret)).status == 400
        assert (await node.listing(f"{MOUNT}/role/{made}/secret-id")).status == 404
        await node.delete(f"{MOUNT}/role/{made}")
        node.clock.advance(900)


@with_node
async def test_a_role_of_the_same_name_does_not_revive_what_was_given_out(
    node: NodeUnderTest,
) -> None:
    """Neither before the sweeper has come, nor afterwards."""
    role_id = await role(node)
    secret = await secret_id(node)
    await node.ok(f"{MOUNT}/role/ci/custom-secret-id", {"secret_id": "chosen"})
    for sweep in (False, True):
        await node.delete(f"{MOUNT}/role/ci")
        assert await role(node, role_id=role_id) == role_id
        if sweep:
            await node.sweep()
        for value in (secret.value, "chosen"):
            assert (await log_in(node, role_id, value)).status == 400
        body = {"secret_id_accessor": secret.accessor}
        for what in ("lookup", "destroy"):
            path = f"{MOUNT}/role/ci/secret-id-accessor/{what}"
            assert (await node.write(path, body)).status == 404
        assert (await node.listing(f"{MOUNT}/role/ci/secret-id")).status == 404


@with_node
async def test_a_secret_id_counts_at_its_own_role_and_mount_only(node: NodeUnderTest) -> None:
    one, two = await role(node, "one"), await role(node, "two")
    other = await role(node, "one", mount="auth/other", role_id=one)
    assert other == one
    secret = await secret_id(node, "one")
    assert (await log_in(node, two, secret)).status == 400
    assert (await log_in(node, one, secret, mount="auth/other")).status == 400
    assert (await log_in(node, one, secret)).status == 200
    await node.delete(f"sys/{MOUNT}")
    await role(node, "one", role_id=one)
    assert (await log_in(node, one, secret)).status == 400


@with_node
async def test_what_is_wrong_is_not_told(node: NodeUnderTest) -> None:
    """A known and an unknown role id are answered alike, with any secret id and without one."""
    known = await role(node)
    await secret_id(node)
    for value in (GUESSED, "x", "x" * 10_000, "\0", "é", ""):
        answers = [await log_in(node, role_id, value) for role_id in (known, GUESSED)]
        assert len({(answer.status, str(answer.data)) for answer in answers}) == 1
        node.clock.advance(3600)
    bodies = [{"role_id": role_id} for role_id in (known, GUESSED)]
    answers = [await node.write(f"{MOUNT}/login", body, token="") for body in bodies]
    assert len({(answer.status, str(answer.data)) for answer in answers}) == 1


@with_node
async def test_an_accessor_is_no_credential(node: NodeUnderTest) -> None:
    role_id = await role(node)
    secret = await secret_id(node)
    assert (await log_in(node, role_id, secret.accessor)).status == 400
    body = {"secret_id_accessor": secret.accessor}
    shown = await node.ok(f"{MOUNT}/role/ci/secret-id-accessor/lookup", body)
    assert secret.value not in str(shown.data)
    looked = {"secret_id_accessor": secret.value}
    assert (await node.write(f"{MOUNT}/role/ci/secret-id-accessor/lookup", looked)).status == 404


@pytest.mark.parametrize(
    "accessor",
    [
        GUESSED,
        "",
        "/",
        "../accessor",
        "..",
        "a" * 36,
        "-" * 36,
        "A" * 100_000,
        "\0" * 36,
        "é" * 36,
    ],
    ids=range(10),
)
def test_a_guessed_accessor_finds_nothing(accessor: str) -> None:
    @with_node
    async def test(node: NodeUnderTest) -> None:
        role_id = await role(node)
        secret = await secret_id(node)
        for what in ("lookup", "destroy"):
            path = f"{MOUNT}/role/ci/secret-id-accessor/{what}"
            answer = await node.write(path, {"secret_id_accessor": accessor})
            assert answer.status in (400, 404)
            assert len(accessor) < 3 or accessor not in str(answer.data)
        assert (await log_in(node, role_id, secret)).status == 200

    test()


@with_node
async def test_an_accessor_in_upper_case_or_among_spaces_is_none(node: NodeUnderTest) -> None:
    await role(node)
    secret = await secret_id(node)
    for accessor in (secret.accessor.upper(), f" {secret.accessor}", f"{secret.accessor}\n"):
        body = {"secret_id_accessor": accessor}
        path = f"{MOUNT}/role/ci/secret-id-accessor/destroy"
        assert (await node.write(path, body)).status == 404


@with_node
async def test_no_two_roles_have_ids_that_look_alike(node: NodeUnderTest) -> None:
    """Aliases are folded, so a role id in another case would be the same entity, with its rights."""
    await keys(node, "boss")
    victim = await role(node, "victim", role_id="victims-id")
    granted = await log_in(node, victim, await secret_id(node, "victim"))
    assert granted.auth is not None
    await node.ok(f"identity/entity/id/{granted.auth['entity_id']}", {"policies": "boss"})
    for chosen in ("victims-id", "VICTIMS-ID", "Victims-Id", " victims-id", "victims-id\n"):
        response = await node.write(f"{MOUNT}/role/attacker", {"role_id": chosen})
        if response.status == 204:
            attacker = await log_in(node, chosen, await secret_id(node, "attacker"))
            assert attacker.auth is not None
            assert attacker.auth["entity_id"] != granted.auth["entity_id"], repr(chosen)
            assert await opens(node, attacker.auth["client_token"], "boss") == []
        else:
            assert response.status == 400
    secret = await secret_id(node, "victim")
    assert (await log_in(node, "VICTIMS-ID", secret)).status == 400, "a login spells it as it is"
    await node.ok(f"{MOUNT}/role/victim/role-id", {"role_id": "VICTIMS-ID"})
    assert (await log_in(node, "victims-id", secret)).status == 400
    assert (await log_in(node, "VICTIMS-ID", secret)).status == 200


@with_node
async def test_a_role_id_is_taken_once(node: NodeUnderTest) -> None:
    chosen = await role(node, "one", role_id="chosen")
    for path, body in (
        ("role/two", {"role_id": chosen}),
        ("role/ONE2", {"role_id": chosen, "token_policies": "x"}),
    ):
        assert (await node.write(f"{MOUNT}/{path}", body)).status == 400
    other = await role(node, "two")
    assert (await node.write(f"{MOUNT}/role/two/role-id", {"role_id": chosen})).status == 400
    assert (await node.read(f"{MOUNT}/role/two/role-id")).data["role_id"] == other
    await node.ok(f"{MOUNT}/role/one/role-id", {"role_id": "changed"})
    secret = await secret_id(node, "one")
    assert (await log_in(node, chosen, secret)).status == 400
    assert (await log_in(node, "changed", secret)).status == 200
    await node.ok(f"{MOUNT}/role/two/role-id", {"role_id": chosen})
    assert (await log_in(node, chosen, secret)).status == 400


@with_node
async def test_metadata_does_not_pretend_to_be_of_another_role(node: NodeUnderTest) -> None:
    role_id = await role(node, "low", token_ttl="10m")
    await role(node, "high")
    secret = await secret_id(node, "low", metadata='{"role_name": "high", "role": "high"}')
    response = await log_in(node, role_id, secret)
    assert response.auth is not None
    assert response.auth["metadata"]["role_name"] == "low"
    entity = await node.read(f"identity/entity/id/{response.auth['entity_id']}")
    assert entity.data["aliases"][0]["metadata"]["role_name"] == "low"
    token = response.auth["client_token"]
    await node.delete(f"{MOUNT}/role/low")
    refused = await node.write("auth/token/renew-self", token=token)
    assert "no longer exists" in errors(refused)[0], "the renewal asks for the role that logged in"


ODD: list[dict[str, Any]] = [
    {"metadata": "{" * 5000},
    {"metadata": '{"a":' * 5000 + '"b"' + "}" * 5000},
    {"metadata": '{"a": "' + "x" * 3_000_000 + '"}'},
    {"metadata": "{" + ",".join(f'"{n}": ""' for n in range(200_000)) + "}"},
    {"metadata": "\0"},
    {"metadata": "hunter2"},
    {"num_uses": 2**63},
    {"num_uses": -(2**63)},
    {"ttl": "9" * 400 + "s"},
    {"ttl": 10**30},
    {"cidr_list": ["0.0.0.0/0"] * 50_000},
    {"cidr_list": "hunter2"},
    {"token_bound_cidrs": [["hunter2"]]},
]


@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
def test_a_secret_id_of_odd_properties_is_made_or_refused_and_nothing_breaks(
    body: dict[str, Any],
) -> None:
    @with_node
    async def test(node: NodeUnderTest) -> None:
        await role(node)
        for path in ("secret-id", "custom-secret-id"):
            sent = {**body, "secret_id": "chosen"} if path == "custom-secret-id" else body
            answer = await node.http("POST", f"/v1/{MOUNT}/role/ci/{path}", sent)
            assert answer.status in (200, 400, 413), answer.status
            assert b"hunter2" not in answer.body
            assert answer.status == 200 or await stored_secret_ids(node) == []

    test()


NAMES = [
    "a" * 257,
    "a" * 3000,
    "..",
    ".",
    "a/b",
    "a b",
    "a\tb",
    "-a",
    "a-",
    "*",
    "+",
    "{{x}}",
    "\u0130",
    "\u212a",
    "\uff41",
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_what_is_no_name_makes_no_role(name: str) -> None:
    """Among them letters that become others in lower case, such as the Kelvin sign."""

    @with_node
    async def test(node: NodeUnderTest) -> None:
        await role(node, "k")
        for operation in (Operation.READ, Operation.UPDATE, Operation.DELETE):
            answer = await node.call(operation, f"{MOUNT}/role/{name}", {})
            assert answer.status in (400, 404, 405)
        answer = await node.write(f"{MOUNT}/role/{name}/secret-id", {})
        assert answer.status in (400, 404, 405)
        assert (await node.listing(f"{MOUNT}/role")).data["keys"] == ["k"]
        assert await stored_secret_ids(node) == []

    test()


@with_node
async def test_a_secret_id_ends_to_the_second_and_not_when_it_is_swept(node: NodeUnderTest) -> None:
    role_id = await role(node, secret_id_ttl="10m")
    secret = await secret_id(node)
    node.clock.advance(599)
    assert (await log_in(node, role_id, secret)).status == 200
    node.clock.advance(1)
    assert (await log_in(node, role_id, secret)).status == 400
    body = {"secret_id_accessor": secret.accessor}
    path = f"{MOUNT}/role/ci/secret-id-accessor/lookup"
    assert (await node.write(path, body)).status == 404
    await node.ok(f"{MOUNT}/role/ci", {"secret_id_ttl": 0})
    assert (await log_in(node, role_id, secret)).status == 400, "it lives as long as it was told"
    await node.sweep()
    assert await stored_secret_ids(node) == []


@with_node
async def test_a_role_that_needs_a_secret_id_from_now_on_has_none(node: NodeUnderTest) -> None:
    role_id = await role(node, bind_secret_id=False, token_bound_cidrs="127.0.0.0/8")
    assert (await log_in(node, role_id, "")).status == 200
    await node.ok(f"{MOUNT}/role/ci", {"bind_secret_id": True})
    for value in ("", "x", role_id):
        assert (await log_in(node, role_id, value)).status == 400


@with_node
async def test_the_last_condition_of_a_login_cannot_be_taken_away(node: NodeUnderTest) -> None:
    """By no path: else whoever knows a role id could log in from anywhere."""
    await role(node, bind_secret_id=False, secret_id_bound_cidrs="127.0.0.0/8")
    for path in ("secret-id-bound-cidrs", "bound-cidr-list"):
        assert (await node.delete(f"{MOUNT}/role/ci/{path}")).status == 400
        nothings: list[Any] = [[], ""]
        for nothing in nothings:
            body = {path.replace("-", "_"): nothing}
            assert (await node.write(f"{MOUNT}/role/ci/{path}", body)).status == 400
    assert (await node.write(f"{MOUNT}/role/ci", {"secret_id_bound_cidrs": []})).status == 400
    assert (await node.write(f"{MOUNT}/role/ci", {"bound_cidr_list": ""})).status == 400
    await node.ok(
        f"{MOUNT}/role/ci", {"token_bound_cidrs": "127.0.0.1", "secret_id_bound_cidrs": []}
    )
    assert (await node.delete(f"{MOUNT}/role/ci/token-bound-cidrs")).status == 400
    assert (
        await node.write(f"{MOUNT}/role/ci/token-bound-cidrs", {"token_bound_cidrs": []})
    ).status == 400
    await node.ok(f"{MOUNT}/role/ci", {"bind_secret_id": True, "token_bound_cidrs": []})
    assert (
        await node.write(f"{MOUNT}/role/ci/bind-secret-id", {"bind_secret_id": False})
    ).status == 400
