"""Names are found in any spelling; the policies are asked about the spelling that is stored, too."""

import pytest

from tests.node import NodeUnderTest, errors, with_node
from tests.people import entity, group
from wardgate.core.operation import Operation

KINDS = {"entity": entity, "group": group}


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_about_a_name_holds_in_every_spelling(kind: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        made = await KINDS[kind](node, "Ann")
        folder = f"identity/{kind}/name"
        await node.policy("p", {f"{folder}/*": "read,update,delete", f"{folder}/Ann": "deny"})
        token = (await node.token(policies=["p"]))["client_token"]
        for spelling in ("Ann", "ann", "ANN"):
            for operation in (Operation.READ, Operation.UPDATE, Operation.DELETE):
                answer = await node.call(operation, f"{folder}/{spelling}", token=token)
                assert errors(answer) == ["permission denied"], (operation, spelling)
        assert (await node.read(f"identity/{kind}/id/{made}")).data["name"] == "Ann"
        assert (await node.read(f"{folder}/other", token=token)).status == 404

    body()


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_about_one_name_is_enough_to_use_it(kind: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        await KINDS[kind](node, "Ann")
        await node.policy("p", {f"identity/{kind}/name/Ann": "read,update"})
        token = (await node.token(policies=["p"]))["client_token"]
        assert (await node.read(f"identity/{kind}/name/Ann", token=token)).status == 200
        await node.ok(f"identity/{kind}/name/Ann", {"policies": "x"}, token=token)
        assert (await node.read(f"identity/{kind}/name/ann", token=token)).status == 403

    body()


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_freed_and_taken(kind: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        make, folder = KINDS[kind], f"identity/{kind}"
        first, second = await make(node, "first"), await make(node, "second")
        taken = await node.write(f"{folder}/id/{second}", {"name": "FIRST"})
        assert errors(taken) == [f"{kind} name is already in use"]
        await node.ok(f"{folder}/id/{first}", {"name": "third"})
        await node.ok(f"{folder}/id/{second}", {"name": "FIRST"})
        assert (await node.read(f"{folder}/name/first")).data["id"] == second
        await node.delete(f"{folder}/id/{second}")
        assert (await node.read(f"{folder}/name/first")).status == 404
        await make(node, "first")
        assert len(await node.keys_below(f"identity/{kind}-name/")) == 2

    body()


@with_node
async def test_every_entity_without_a_name_gets_one_of_its_own(node: NodeUnderTest) -> None:
    for _ in range(20):
        await node.ok("identity/entity", {})
        await node.ok("identity/group", {})
    for kind in ("entity", "group"):
        names = (await node.listing(f"identity/{kind}/name")).data["keys"]
        assert len(set(names)) == 20
        assert all(name.startswith(f"{kind}_") for name in names)


@with_node
async def test_lists_come_in_pages(node: NodeUnderTest) -> None:
    made = sorted([await entity(node, f"e{number}") for number in range(450)])
    everything = await node.listing("identity/entity/id")
    assert everything.data["keys"] == made
    seen: list[str] = []
    while True:
        query = {"limit": "100", "after": seen[-1] if seen else ""}
        page = await node.listing("identity/entity/id", query=query)
        if page.status == 404:
            break
        assert list(page.data["key_info"]) == page.data["keys"]
        seen += page.data["keys"]
    assert seen == made


@pytest.mark.parametrize("odd", ["x" * 513, "x" * 100_000])
def test_names_and_metadata_are_bounded(odd: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        for path in ("identity/entity", "identity/group"):
            for fields in ({"name": odd}, {"metadata": {"k": odd}}, {"metadata": {odd: "v"}}):
                refused = await node.write(path, fields)
                assert refused.status == 400
                assert odd not in str(refused.data)
            many = {f"k{number}": "v" for number in range(65)}
            assert "64" in errors(await node.write(path, {"metadata": many}))[0]
        assert await node.keys_below("identity/") == []

    body()


@pytest.mark.parametrize(
    "odd", ["\x00", "a\nb", "..", "/", "*", "{{identity.entity.id}}", "\u202e", " "]
)
def test_odd_names_are_names_like_any_other(odd: str) -> None:
    @with_node
    async def body(node: NodeUnderTest) -> None:
        for kind, make in KINDS.items():
            made = await make(node, odd)
            found = await node.ok(f"identity/lookup/{kind}", {"name": odd})
            assert found.data["id"] == made
            await node.delete(f"identity/{kind}/id/{made}")

    body()
