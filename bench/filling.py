"""Fills a data directory with tokens and secrets, through the server's own code in large commits."""

import asyncio
import base64
from dataclasses import dataclass
from pathlib import Path

from bench.clients import Say
from bench.loads import VALUE
from wardgate.core.bootstrap import first_writes
from wardgate.core.json import encode
from wardgate.core.mounts import Mount, new_mount
from wardgate.core.settings import Settings
from wardgate.core.storage import Transaction, View
from wardgate.core.tokens.record import Token
from wardgate.secrets.kv2.record import DEFAULT_MAX_VERSIONS, Secret, Version
from wardgate.secrets.kv2.store import SecretStore
from wardgate.server.node import Node
from wardgate.store.lmdb import LmdbStore

COMMIT = 500
"""Tokens or secrets in one commit. LMDB keeps the pages of the last commits twice, so larger ones
would make the file larger than it gets by requests."""

SECRETS_MOUNT = "bench-v2/"
"""Where the secrets are: the KV v2 mount of the loads, so that these have them for neighbours."""

LIFE = 20 * 86_400  # seconds until the first of the tokens ends


@dataclass(frozen=True)
class Filled:
    """What a data directory holds, and the secrets that open it."""

    unseal_key: str
    root_token: str
    ordinary: str
    """One of the tokens that have no children, to be looked up."""
    parent: str
    """The token with many children, and the storage name under which they lie."""
    parent_name: str
    child: str
    """One of its children."""
    bytes_before: int
    bytes_after: int


def disk_bytes(data: Path) -> int:
    """What the files in `data` take on the disk."""
    return sum(file.stat().st_blocks * 512 for file in data.iterdir())


def fill(data: Path, tokens: int, children: int, say: Say, secrets: int = 0) -> Filled:
    """Make a server's data directory with `tokens` tokens, of which one has `children` others.

    With `secrets` it has the mount `SECRETS_MOUNT` too, and so many secrets in its folder "stored".
    """
    return asyncio.run(_fill(data, tokens, children, say, secrets))


async def _fill(data: Path, tokens: int, children: int, say: Say, secrets: int) -> Filled:
    node = Node(LmdbStore.open(data), Settings())
    mount = new_mount(SECRETS_MOUNT, "kv", options={"version": "2"})
    try:
        root, writes = await first_writes(node.core, mounts=[mount] if secrets else [])
        keys = (await node.seal.initialize(1, 1, writes)).keys
        await node.seal.submit(keys[0])
        before = disk_bytes(data)
        filling = _Filling(node, await _issuer(node))
        (parent,) = await filling.make(1)
        name = await node.core.tokens.name(await node.core.storage.begin(), parent)
        ordinary = child = ""
        for made in range(0, tokens, COMMIT):
            below = name if made < children else ""
            ids = await filling.make(min(COMMIT, tokens - made), parent=below)
            if below:
                child = ids[0]
            else:
                ordinary = ids[0]
            if made and made % 100_000 == 0:
                say(f"{made:,} tokens are written")
        await _fill_secrets(node, mount, secrets, say)
        await node.barrier.save_counts()
        return Filled(
            unseal_key=base64.b64encode(keys[0]).decode(),
            root_token=root,
            ordinary=ordinary,
            parent=parent,
            parent_name=name,
            child=child,
            bytes_before=before,
            bytes_after=disk_bytes(data),
        )
    finally:
        await node.stop()


async def _issuer(node: Node) -> str:
    table = await node.core.mounts.table(await node.core.storage.begin())
    return table.by_path["auth/token/"].uuid


async def _fill_secrets(node: Node, mount: Mount, count: int, say: Say) -> None:
    """Store secrets as a `PUT` of each of them does, with one version."""
    store = SecretStore(mount)
    data = encode(VALUE)
    now = node.core.clock.now()
    for made in range(0, count, COMMIT):

        async def work(transaction: Transaction, first: int = made) -> None:
            view = View(transaction, mount.storage_prefix)
            for number in range(first, min(first + COMMIT, count)):
                new = Secret(created=now, updated=now)
                path = f"stored/{number}"
                store.add_version(view, path, new, Version(now), data, keep=DEFAULT_MAX_VERSIONS)

        await node.core.storage.transact(work)
        if made and made % 100_000 == 0:
            say(f"{made:,} secrets are written")


class _Filling:
    def __init__(self, node: Node, issuer: str) -> None:
        self._node = node
        self._issuer = issuer
        self._made = 0

    async def make(self, count: int, parent: str = "") -> list[str]:
        """Make tokens such as `auth/token/create` makes; their ids."""
        now = self._node.core.clock.now()

        async def work(transaction: Transaction) -> list[str]:
            ids = []
            for number in range(self._made, self._made + count):
                token = Token(
                    policies=("app", "default"),
                    path="auth/token/create",
                    issuer=self._issuer,
                    issued=now,
                    expires=now + LIFE + number / 1000,
                    ttl=LIFE,
                    granted=LIFE,
                    display_name="token-app",
                    metadata={"owner": "team-a"},
                    renewable=True,
                    parent=parent,
                )
                ids.append((await self._node.core.tokens.create(transaction, token))[0])
            return ids

        ids = await self._node.core.storage.transact(work)
        self._made += count
        return ids
