"""Clears secret ids away that have ended, a little at a time; see `wardgate.core.sweep`."""

from wardgate.auth.approle.records import (
    EXPIRIES,
    GONE,
    SECRET_ID,
    SECRET_IDS,
    expiry_key,
    remove_secret_id,
)
from wardgate.core.core import Core
from wardgate.core.due import due_name, is_due
from wardgate.core.mounts import Mount
from wardgate.core.operation import Operation
from wardgate.core.purging import BATCH
from wardgate.core.request import Request, Response
from wardgate.core.storage import Transaction, View
from wardgate.framework.endpoints import endpoint


class SecretIdSweeping:
    """A step of the sweeper's rounds: at each AppRole mount, a hundred secret ids at most."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def step(self) -> bool:
        """Clear some away; whether there were any."""
        transaction = await self._core.storage.begin()
        table = await self._core.mounts.table(transaction)
        return any([await self._at(mount) for mount in table.mounts if mount.type == "approle"])

    async def _at(self, mount: Mount) -> bool:
        return await self._core.storage.transact(lambda transaction: self._some(transaction, mount))

    async def _some(self, transaction: Transaction, mount: Mount) -> bool:
        storage = View(transaction, mount.storage_prefix)
        return await _expired(storage, self._core.clock.now()) or await _left_behind(storage)


async def _expired(storage: View, now: float) -> bool:
    """Remove secret ids whose time has come."""
    due = [entry for entry in await storage.list(EXPIRIES, limit=BATCH) if is_due(entry, now)]
    for entry in due:
        uid, _, name = due_name(entry).partition(".")
        secret = await storage.get(f"{SECRET_IDS}{uid}/{name}", SECRET_ID)
        if secret is not None and expiry_key(uid, name, secret.expires) == EXPIRIES + entry:
            remove_secret_id(storage, uid, name, secret)
        else:  # the same secret id was given to the role again since
            storage.delete(EXPIRIES + entry)
    return bool(due)


async def _left_behind(storage: View) -> bool:
    """Remove what a deleted role has left."""
    for uid in await storage.list(GONE, limit=1):
        names = await storage.list(f"{SECRET_IDS}{uid}/", limit=BATCH)
        for name in names:
            secret = await storage.get(f"{SECRET_IDS}{uid}/{name}", SECRET_ID)
            if secret is not None:
                remove_secret_id(storage, uid, name, secret)
        if not names:
            storage.delete(GONE + uid)
        return True
    return False


class TidyEndpoint:
    """``tidy/secret-id``."""

    @endpoint(
        "tidy/secret-id", Operation.UPDATE, operation_id="app-role-tidy-secret-id", status=202
    )
    async def tidy(self, request: Request) -> Response:
        """Accepted for the sake of clients: what has ended is swept away all the time."""
        return Response(
            status=202,
            warnings=[
                "Secret ids are swept away as they end; there is nothing left for tidy to do."
            ],
        )
