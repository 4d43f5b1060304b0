"""Numbers in a storage, for tests of transactions."""

from wardgate.core.records import Codec
from wardgate.core.storage import Storage, Transaction

NUMBER: Codec[int] = Codec(int)


async def put(storage: Storage, key: str, number: int) -> None:
    async def work(transaction: Transaction) -> None:
        transaction.put(key, number, NUMBER)

    await storage.transact(work)


async def get(storage: Storage, key: str) -> int | None:
    return await (await storage.begin()).get(key, NUMBER)
