"""Walking over all keys below a folder, a part at a time."""

from wardgate.core.storage import Transaction


async def keys_below(
    transaction: Transaction, folder: str, limit: int, after: str = ""
) -> list[str]:
    """The first `limit` keys below `folder`, however deep, relative to it and in the store's order.

    They begin behind `after`, the last key of the part before: it need not be there any more.
    `folder` is empty or ends in a slash.
    """
    found: list[str] = []
    head, slash, rest = after.partition("/")
    if slash:
        deeper = await keys_below(transaction, f"{folder}{head}/", limit, rest)
        found = [f"{head}/{key}" for key in deeper]
        after = f"{head}/"
    while len(found) < limit:
        names = await transaction.list(folder, after, limit - len(found))
        for name in names:
            if not name.endswith("/"):
                found.append(name)
            elif len(found) < limit:
                deeper = await keys_below(transaction, folder + name, limit - len(found))
                found += [name + key for key in deeper]
            if len(found) == limit:
                return found
        if not names:
            break
        after = names[-1]
    return found
