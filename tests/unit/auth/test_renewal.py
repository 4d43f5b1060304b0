"""What auth methods keep of a login, to check it again when its token is renewed."""

from tests.node import NodeUnderTest, with_node
from wardgate.core.tokens.batch import open_token


@with_node
async def test_a_batch_token_carries_nothing_for_a_renewal(node: NodeUnderTest) -> None:
    await node.user(token_type="batch")
    auth = (await node.login()).auth
    assert auth is not None
    token = await open_token(auth["client_token"], node.core.barrier)
    assert token is not None
    assert token.renewal is None


@with_node
async def test_a_service_token_keeps_what_its_renewal_needs(node: NodeUnderTest) -> None:
    await node.user()
    auth = (await node.login()).auth
    assert auth is not None
    transaction = await node.core.storage.begin()
    found = await node.core.tokens.find(transaction, auth["client_token"], node.clock.now())
    assert found is not None
    assert found.token.renewal == {"username": "ada"}
