"""Whether very many secret ids of AppRole slow logins: while they are listed, and swept away.

The data directory is filled by the server's own code in large commits; what is measured are logins at
a real server that serves it, by a client that logs in at fixed times (`bench.clients`).
"""

import asyncio
import base64
import http.client
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import clients
from bench.api import Api, Refused
from bench.clients import PacedQuestions, Question, Say
from bench.filling import COMMIT
from bench.scale import Finding
from bench.servers import KINDS, opened, started
from bench.watch import Watch
from wardgate.auth.approle.records import (
    ROLE,
    ROLES,
    Role,
    SecretId,
    put_secret_id,
    secret_id_name,
)
from wardgate.core.bootstrap import first_writes
from wardgate.core.ids import new_uuid
from wardgate.core.mounts import Mount, new_mount
from wardgate.core.settings import Settings
from wardgate.core.storage import Transaction, View
from wardgate.server.node import Node
from wardgate.store.lmdb import LmdbStore

KIND = KINDS["wardgate"]
UNDISTURBED = 5.0  # seconds
LISTS = 3
PATIENCE = 1800.0  # seconds until what has ended is gone
MOUNT = "auth/many/"
LASTING, ENDED = "lasting", "ended"
SLOWEST = 50.0  # milliseconds that may be added to the p99 of logins
LOGIN = Question("POST", "auth/many/login", body={"role_id": "machine", "secret_id": "its secret"})


@dataclass(frozen=True)
class Filled:
    """What opens the data directory, and where the mount's things lie in it."""

    unseal_key: str
    root_token: str
    prefix: str


def measure(folder: Path, count: int, say: Say) -> list[Finding]:
    """Logins beside `count` secret ids, half of which have ended when the server starts. Raises as
    `bench.servers.running` does, and `TimeoutError`."""
    data = folder / "data"
    data.mkdir(parents=True)
    say(f"writing {count:,} secret ids, of which half have ended")
    filled = asyncio.run(_fill(data, count, say))
    with started(KIND, folder) as (api, process):
        api.call("PUT", "sys/unseal", {"key": filled.unseal_key})
        root = opened(KIND, Api(api.port, filled.root_token), process).api
        root.call("POST", "auth/many/role/machine", {"role_id": "machine"})
        root.call("POST", "auth/many/role/machine/custom-secret-id", {"secret_id": "its secret"})
        watch = Watch(data, PATIENCE)
        try:
            say("logins while what has ended is swept away")
            swept = _meanwhile(root, lambda: None, lambda: watch.empty(f"{filled.prefix}expiry/"))
            say("logins while nothing else happens")
            quiet = clients.undisturbed(root.port, LOGIN, UNDISTURBED)
            say(f"logins while {count // 2:,} accessors are listed {LISTS} times")
            listed = _meanwhile(root, lambda: _list(root, count // 2), lambda: True)
            say(f"logins while the {count // 2:,} of a deleted role are swept away")
            gone = _meanwhile(
                root, lambda: _delete(root), lambda: watch.empty(f"{filled.prefix}gone/")
            )
        finally:
            watch.close()
    base = quiet.quantile(0.99)
    found = [Finding("p99 of logins, undisturbed", base, "ms")]
    for what, (client, took) in (
        ("ended secret ids are swept away", swept),
        (f"all accessors are listed, {LISTS} times", listed),
        ("those of a deleted role are swept away", gone),
    ):
        found += [
            Finding(f"{what}: until done", took, "s"),
            Finding(f"{what}: p99 of logins", client.quantile(0.99), "ms", base + SLOWEST),
            Finding(f"{what}: slowest login", client.quantile(1.0), "ms"),
            Finding(f"{what}: logins not answered rightly", client.wrong, "", 0),
        ]
    return found


def _meanwhile(
    root: Api, begin: Callable[[], None], done: Callable[[], bool]
) -> tuple[PacedQuestions, float]:
    return clients.while_waiting(root.port, LOGIN, begin, done)


def _list(root: Api, count: int) -> None:
    """Ask for all accessors, without decoding them: that would keep the client that logs in from
    looking at its clock."""
    connection = http.client.HTTPConnection("127.0.0.1", root.port, timeout=60)
    for _ in range(LISTS):
        path = f"/v1/auth/many/role/{LASTING}/secret-id"
        connection.request("LIST", path, headers={"X-Vault-Token": root.token})
        answer = connection.getresponse().read()
        if answer.count(b'","') < count - 1:
            raise Refused("LIST", path, 200)
    connection.close()


def _delete(root: Api) -> None:
    root.call("DELETE", f"auth/many/role/{LASTING}")


async def _fill(data: Path, count: int, say: Say) -> Filled:
    node = Node(LmdbStore.open(data), Settings())
    mount = new_mount(MOUNT, "approle")
    try:
        root, writes = await first_writes(node.core, mounts=[mount])
        keys = (await node.seal.initialize(1, 1, writes)).keys
        await node.seal.submit(keys[0])
        now = node.core.clock.now()
        for name, expires in ((LASTING, 0.0), (ENDED, now)):
            await _role(node, mount, name, count // 2, expires, say)
        await node.barrier.save_counts()
        return Filled(base64.b64encode(keys[0]).decode(), root, mount.storage_prefix)
    finally:
        await node.stop()


async def _role(node: Node, mount: Mount, name: str, count: int, expires: float, say: Say) -> None:
    """Store a role with `count` secret ids, as requests would."""
    role = Role(role_id=name, uid=new_uuid())
    now = node.core.clock.now()
    for made in range(0, count, COMMIT):

        async def work(transaction: Transaction, first: int = made) -> None:
            view = View(transaction, mount.storage_prefix)
            view.put(ROLES + name, role, ROLE)
            for _ in range(first, min(first + COMMIT, count)):
                hashed = await secret_id_name(node.core, transaction, new_uuid())
                secret = SecretId(accessor=new_uuid(), created=now, updated=now, expires=expires)
                put_secret_id(view, role.uid, hashed, secret)

        await node.core.storage.transact(work)
        if made and made % 100_000 == 0:
            say(f"{made:,} secret ids of the role {name} are written")
