"""Who gets to see a secret id: whoever it was made for, and nobody else."""

import asyncio
from pathlib import Path

import msgspec

from tests.audit import audited_node, hashed, of_path, written
from tests.node import NodeUnderTest, with_node
from tests.roles import MOUNT, log_in, role, secret_id

CHOSEN = "a secret that was chosen elsewhere"


async def everything_stored(node: NodeUnderTest) -> bytes:
    """All keys and, decrypted, all values."""
    found = []
    for key in await node.keys_below(""):
        if not key.startswith("barrier/"):
            entry = await node.core.barrier.get(key)
            assert entry is not None
            found += [key.encode(), entry.value]
    return b"\n".join(found)


@with_node
async def test_no_secret_id_is_stored_in_clear(node: NodeUnderTest) -> None:
    """Not even for those who have the keys of the storage."""
    role_id = await role(node)
    secrets = [await secret_id(node), await secret_id(node, num_uses=5, ttl="1h")]
    await node.ok(f"{MOUNT}/role/ci/custom-secret-id", {"secret_id": CHOSEN})
    for value in (*(secret.value for secret in secrets), CHOSEN):
        assert (await log_in(node, role_id, value)).status == 200
    content = await everything_stored(node)
    for secret in secrets:
        assert secret.accessor.encode() in content
        assert secret.value.encode() not in content
    assert CHOSEN.encode() not in content


def test_no_secret_id_is_recorded_in_clear(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"

    async def run() -> None:
        node = await audited_node(log)
        role_id = await role(node)
        secret = await secret_id(node)
        await node.ok(f"{MOUNT}/role/ci/custom-secret-id", {"secret_id": CHOSEN})
        wrapped = await node.write(f"{MOUNT}/role/ci/secret-id", {}, wrap_ttl=60)
        assert wrapped.wrap_info is not None
        token = wrapped.wrap_info["token"]
        unwrapped = await node.ok("sys/wrapping/unwrap", token=token)
        third: str = msgspec.json.decode(bytes(unwrapped.data))["secret_id"]
        for value in (secret.value, CHOSEN, third):
            body = {"secret_id": value}
            await log_in(node, role_id, value)
            await log_in(node, "unknown", value)
            await node.write(f"{MOUNT}/role/ci/secret-id/lookup", body)
            await node.delete(f"{MOUNT}/role/ci/secret-id/destroy", query=body)
            await node.write(f"{MOUNT}/role/nobody/secret-id/lookup", body)
            await node.write(f"{MOUNT}/role/ci/secret-id-accessor/lookup", body)
        text = written(log)
        for value in (secret.value, CHOSEN, third, token):
            assert value not in text
        request = of_path(log, f"{MOUNT}/login")[0]
        assert request["request"]["data"]["secret_id"] == await hashed(node, secret.value)
        await node.node.stop()

    asyncio.run(run())


@with_node
async def test_only_the_answer_to_its_making_has_a_secret_id(node: NodeUnderTest) -> None:
    role_id = await role(node)
    secret = await secret_id(node, metadata='{"team": "x"}')
    login = await log_in(node, role_id, secret)
    assert login.auth is not None
    body = {"secret_id": secret.value, "secret_id_accessor": secret.accessor}
    answers = [
        login,
        await node.read(f"{MOUNT}/role/ci"),
        await node.read(f"{MOUNT}/role/ci/role-id"),
        await node.listing(f"{MOUNT}/role/ci/secret-id"),
        await node.write(f"{MOUNT}/role/ci/secret-id/lookup", body),
        await node.write(f"{MOUNT}/role/ci/secret-id-accessor/lookup", body),
        await node.write(f"{MOUNT}/role/ci/custom-secret-id", body),
        await node.write(f"{MOUNT}/role/nobody/secret-id/destroy", body),
        await node.write("auth/token/lookup", {"token": login.auth["client_token"]}),
        await node.read(f"identity/entity/id/{login.auth['entity_id']}"),
    ]
    for answer in answers:
        assert secret.value not in str((answer.data, answer.auth, answer.warnings))


@with_node
async def test_a_denied_role_is_denied_in_any_case(node: NodeUnderTest) -> None:
    await role(node, "locked")
    secret = await secret_id(node, "locked")
    everything = "create,read,update,delete,list"
    await node.policy("manager", {f"{MOUNT}/role/*": everything, f"{MOUNT}/role/locked*": "deny"})
    manager = (await node.token(policies=["manager"]))["client_token"]
    for name in ("locked", "LOCKED", "Locked"):
        path = f"{MOUNT}/role/{name}"
        body = {"secret_id": secret.value, "secret_id_accessor": secret.accessor}
        assert (await node.read(path, token=manager)).status == 403
        assert (await node.read(f"{path}/role-id", token=manager)).status == 403
        assert (await node.listing(f"{path}/secret-id", token=manager)).status == 403
        assert (await node.delete(path, token=manager)).status == 403
        for what in (
            "",
            "/secret-id",
            "/custom-secret-id",
            "/secret-id/lookup",
            "/secret-id/destroy",
            "/secret-id-accessor/lookup",
            "/secret-id-accessor/destroy",
            "/policies",
            "/bind-secret-id",
        ):
            answer = await node.write(f"{path}{what}", body, token=manager)
            assert answer.status == 403, what
    assert (await node.write(f"{MOUNT}/role/open", {}, token=manager)).status == 204


@with_node
async def test_a_secret_id_that_was_given_wrapped_is_not_seen_by_whoever_hands_it_on(
    node: NodeUnderTest,
) -> None:
    """A policy can ask for that, so that nobody forgets it."""
    await role(node)
    rules = {
        "path": {
            f"{MOUNT}/role/ci/secret-id": {
                "capabilities": ["update"],
                "min_wrapping_ttl": "10s",
                "max_wrapping_ttl": "5m",
            }
        }
    }
    text = msgspec.json.encode(rules).decode()
    broker = await node.policy_token(text)
    path = f"{MOUNT}/role/ci/secret-id"
    assert (await node.write(path, {}, token=broker)).status == 403
    assert (await node.write(path, {}, token=broker, wrap_ttl=3600)).status == 403
    answer = await node.write(path, {}, token=broker, wrap_ttl=60)
    assert (answer.status, answer.data) == (200, None)
