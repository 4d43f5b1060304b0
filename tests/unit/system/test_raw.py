"""`sys/raw`: the storage, key by key."""

import base64

import pytest

from tests.ceremony import with_shares
from tests.node import NodeUnderTest, errors, with_node
from wardgate.core.settings import Settings

RAW = Settings(raw_storage_endpoint=True)


@with_node
async def test_it_is_there_only_when_configured(node: NodeUnderTest) -> None:
    assert errors(await node.read("sys/raw/core/mounts")) == ["unsupported path"]
    assert (await node.write("sys/raw/a", {"value": "x"})).status == 404
    assert (await node.listing("sys/raw")).status == 404


@with_shares(1, 1, RAW)
async def test_values_are_written_and_read_as_text_or_base64(node: NodeUnderTest) -> None:
    await node.ok("sys/raw/x/a", {"value": "hällo"})
    assert (await node.read("sys/raw/x/a")).data == {"value": "hällo"}
    encoded = base64.b64encode(b"\xff\x00").decode()
    await node.ok("sys/raw/x/b", {"value": encoded, "encoding": "base64"})
    assert (await node.read("sys/raw/x/b", query={"encoding": "base64"})).data["value"] == encoded
    assert (await node.read("sys/raw/x/b")).data["value"] == "\ufffd\x00"
    assert (await node.listing("sys/raw/x")).data == {"keys": ["a", "b"]}
    assert (await node.listing("sys/raw/x/", query={"after": "a"})).data == {"keys": ["b"]}
    stored = await node.store.get("x/a")
    assert stored is not None
    assert "hällo".encode() not in stored.value, "it passes the barrier"
    assert (await node.delete("sys/raw/x/a")).status == 204
    assert (await node.read("sys/raw/x/a")).status == 404


@with_shares(1, 1, RAW)
async def test_a_record_read_and_written_back_is_the_same(node: NodeUnderTest) -> None:
    await node.policy("p", {"a": "read"})
    path, query = "sys/raw/policy/acl/p", {"encoding": "base64"}
    value = (await node.read(path, query=query)).data["value"]
    assert (await node.delete(path)).status == 204
    assert (await node.read("sys/policies/acl/p")).status == 404
    await node.ok(path, {"value": value, "encoding": "base64"})
    assert "read" in (await node.read("sys/policies/acl/p")).data["policy"]


@pytest.mark.parametrize("key", ["barrier", "barrier/", "barrier/keyring", "barrier/seal"])
def test_what_opens_the_server_is_neither_shown_nor_changed(key: str) -> None:
    @with_shares(1, 1, RAW)
    async def body(node: NodeUnderTest) -> None:
        before = {name: await node.store.get(name) for name in await node.keys_below("barrier/")}
        for answer in (
            await node.read(f"sys/raw/{key}"),
            await node.listing(f"sys/raw/{key}"),
            await node.delete(f"sys/raw/{key}"),
        ):
            assert answer.status == 400
        if not key.endswith("/"):
            assert (await node.write(f"sys/raw/{key}", {"value": "x"})).status == 400
        after = {name: await node.store.get(name) for name in await node.keys_below("barrier/")}
        assert after == before
        assert "barrier/" not in (await node.listing("sys/raw")).data["keys"]

    body()


@with_shares(1, 1, RAW)
async def test_it_takes_the_sudo_capability(node: NodeUnderTest) -> None:
    rules = {"sys/raw/*": "create,read,update,delete,list", "sys/raw": "list,update"}
    await node.policy("p", rules)
    token = (await node.token(policies=["p"]))["client_token"]
    assert (await node.read("sys/raw/x", token=token)).status == 403
    assert (await node.write("sys/raw/x", {"value": "x"}, token=token)).status == 403
    assert (await node.delete("sys/raw/x", token=token)).status == 403
    assert (await node.listing("sys/raw", token=token)).status == 403
    assert (await node.write("sys/raw", {"value": "x"}, token=token)).status == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sys/raw/a", {"value": "!!", "encoding": "base64"}),
        ("sys/raw/a", {"value": "x", "encoding": "hex"}),
        ("sys/raw/a", {"value": "x", "compression_type": "zstd"}),
        ("sys/raw/a", {"value": {"a": 1}}),
        ("sys/raw", {"value": "x"}),
        ("sys/raw/" + "a" * 1000, {"value": "x"}),
    ],
)
def test_what_cannot_be_stored_is_refused(path: str, body: dict[str, object]) -> None:
    @with_shares(1, 1, RAW)
    async def run(node: NodeUnderTest) -> None:
        assert (await node.write(path, body)).status == 400
        assert (await node.read(path)).status == 404

    run()


@pytest.mark.parametrize(
    ("key", "path"),
    [("core/mounts", "auth/token/lookup-self"), ("core/cluster", "sys/seal-status")],
)
def test_nonsense_in_a_vital_place_is_named_and_the_server_still_opens(key: str, path: str) -> None:
    @with_shares(2, 2, RAW)
    async def body(node: NodeUnderTest) -> None:
        assert (await node.write(f"sys/raw/{key}", {"value": "nonsense"})).status == 204
        fresh = await node.sealed()
        for share in node.keys:
            await fresh.node.seal.submit(share)
        assert not fresh.node.barrier.sealed
        assert errors(await fresh.read(path)) == [f"the stored record {key!r} cannot be read"]

    body()


@with_shares(1, 1, RAW)
async def test_a_raw_read_does_not_spoil_what_others_read(node: NodeUnderTest) -> None:
    """Decoded records are cached by key; the bytes of one must not take their place."""
    for _ in range(2):
        assert (await node.read("sys/raw/core/mounts")).status == 200
        assert (await node.read("sys/mounts")).status == 200
        assert (await node.read("sys/raw/core/cluster")).status == 200
        assert (await node.read("sys/seal-status")).status == 200


@with_shares(1, 1, RAW)
async def test_which_files_the_server_writes_to_is_shown_and_not_changed(
    node: NodeUnderTest,
) -> None:
    await node.ok("sys/config/auditing/request-headers/x-app", {})
    before = await node.store.get("core/audit")
    assert before is not None
    value = (await node.read("sys/raw/core/audit", query={"encoding": "base64"})).data["value"]
    body = {"value": value, "encoding": "base64"}
    for answer in (
        await node.write("sys/raw/core/audit", body),
        await node.delete("sys/raw/core/audit"),
    ):
        assert answer.status == 400
        assert "sys/audit" in errors(answer)[0]
    assert await node.store.get("core/audit") == before
