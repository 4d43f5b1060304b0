"""What is stored about audit devices: one record, so that every request sees one whole table."""

import os

import msgspec

from wardgate.core.records import Codec
from wardgate.core.storage import Transaction

TABLE_KEY = "core/audit"


class Device(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An enabled audit device. `path` ends in a slash; `uuid` is another one whenever something
    about the device changes. `salt` is the key of its hashes."""

    path: str
    type: str
    uuid: str
    salt: bytes
    options: dict[str, str] = {}
    description: str = ""
    local: bool = False
    configured: bool = False
    """Comes from the configuration file, and goes only when it is taken out of there."""


class AuditTable(msgspec.Struct, frozen=True, kw_only=True):
    """All devices, by their paths, and the request headers that are recorded: by their names in
    lower case, whether their values are hashed."""

    devices: tuple[Device, ...] = ()
    headers: dict[str, bool] = {}

    def device(self, path: str) -> Device | None:
        """The device at exactly this path."""
        return next((device for device in self.devices if device.path == path), None)

    def with_device(self, device: Device) -> "AuditTable":
        """A table in which `device` is new or takes the place of the one at its path."""
        rest = (other for other in self.devices if other.path != device.path)
        devices = sorted((*rest, device), key=lambda each: each.path)
        return msgspec.structs.replace(self, devices=tuple(devices))

    def without(self, path: str) -> "AuditTable":
        rest = tuple(other for other in self.devices if other.path != path)
        return msgspec.structs.replace(self, devices=rest)


AUDIT_TABLE: Codec[AuditTable] = Codec(AuditTable)
_EMPTY = AuditTable()


def new_salt() -> bytes:
    """A key for the hashes of one device."""
    return os.urandom(32)


async def audit_table(transaction: Transaction) -> AuditTable:
    """The table as of this transaction."""
    return await transaction.get(TABLE_KEY, AUDIT_TABLE) or _EMPTY


def save_table(transaction: Transaction, table: AuditTable) -> None:
    transaction.put(TABLE_KEY, table, AUDIT_TABLE)
