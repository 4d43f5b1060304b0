"""Which devices are enabled, and at work in this process."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from wardgate.clock import Clock
from wardgate.core.audit.entry import Entry, Failures, Seat
from wardgate.core.audit.file import file_target
from wardgate.core.audit.network import SocketTarget, SyslogTarget
from wardgate.core.audit.options import (
    FileOptions,
    RecordOptions,
    SocketOptions,
    record_options,
    target_options,
)
from wardgate.core.audit.record import Formatter
from wardgate.core.audit.rules import AuditRules
from wardgate.core.audit.sink import PATIENCE, Health, Sink, Ticket, health_of_all
from wardgate.core.audit.table import AuditTable, Device, audit_table, new_salt, save_table
from wardgate.core.audit.target import Target, TargetError
from wardgate.core.identity import Standings
from wardgate.core.ids import new_uuid
from wardgate.core.json import encode
from wardgate.core.metrics import Metrics, Reading
from wardgate.core.request import Request
from wardgate.core.settings import Settings
from wardgate.core.storage import Storage, Transaction
from wardgate.errors import InvalidRequest
from wardgate.timestamps import rfc3339

_log = logging.getLogger("wardgate.audit")


class Audit:
    """Gives each request its `Entry`, and keeps the devices of the stored table at work."""

    def __init__(
        self,
        storage: Storage,
        standings: Standings,
        clock: Clock,
        settings: Settings,
        metrics: Metrics,
    ) -> None:
        self._storage = storage
        self._standings = standings
        self._clock = clock
        self.rules = settings.audit
        self.patience = PATIENCE
        """Seconds that a device may take; counts for devices that begin their work afterwards."""
        self._configured: tuple[Device, ...] = ()
        self._seats: dict[str, tuple[Device, Seat]] = {}
        self._table: AuditTable | None = None
        self._current: tuple[Seat, ...] = ()
        self.unapplied = True
        """Whether the configuration's devices have yet to be compared with the stored ones."""
        self._failures = Failures(
            metrics.counter("audit.log_request_failure", "Requests that no device recorded."),
            metrics.counter("audit.log_response_failure", "Answers that no device recorded."),
        )
        metrics.collected(
            "audit.device.records", "counter", "Records of each device.", self._counted
        )

    def configure(self, devices: Sequence[Device], rules: AuditRules) -> None:
        """Take what the configuration says: of the devices it says everything but salt and UUID.
        `apply` puts them into the table, before the next request if nobody does it earlier."""
        self.rules = rules
        self._configured = tuple(devices)
        self.unapplied = True

    async def apply(self) -> None:
        """Enable what the configuration has, change what it has otherwise, and disable what it has
        no more; devices that the API made stay. `Sealed` when that cannot be now."""
        changes = await self._storage.transact(self._apply)
        self.unapplied = False
        for change in changes:
            _log.info("audit device %s", change)

    async def _apply(self, transaction: Transaction) -> list[str]:
        table = before = await audit_table(transaction)
        changes = []
        wanted = {device.path: device for device in self._configured}
        for device in before.devices:
            if device.configured and device.path not in wanted:
                table = table.without(device.path)
                changes.append(f"{device.path} was disabled: the configuration has it no more")
        for device in self._configured:
            old = table.device(device.path)
            salt, uuid = (new_salt(), new_uuid()) if old is None else (old.salt, old.uuid)
            if old is not None and _with(device, salt, uuid) == old:
                continue
            # what is known by the old hashes stays known
            table = table.with_device(_with(device, salt, new_uuid()))
            changes.append(f"{device.path} ({device.type}) is as the configuration has it")
        if table != before:
            save_table(transaction, table)
        return changes

    def begin(self, request: Request, table: AuditTable) -> None:
        """See to it that the request is recorded on the devices of `table`, before it writes
        anything and before it is answered."""
        if table is not self._table:
            self._take(table)
        if request.audit is None:
            request.audit = self._entry(self._current, table.headers)
        else:  # the transaction runs again
            request.audit.include(*self._current)
        request.transaction.guard = partial(request.audit.delivered, request)

    def include(self, request: Request, device: Device, headers: dict[str, bool]) -> None:
        """Record the answer of the request that has enabled `device` there, too."""
        if request.audit is None:
            request.audit = self._entry((), headers)
        request.audit.include(self._seat(device))

    async def try_out(self, device: Device) -> None:
        """Write a test record to a new device; `InvalidRequest` when that fails."""
        records = record_options(device)
        sink = Sink(device.path, _target(device), self.patience, quiet=True)
        ticket = Ticket(1)
        sink.add(_test_line(records, new_uuid(), self._clock.now()), ticket)
        written = await ticket.wait()
        reason = sink.health.reason
        sink.end()
        if not written:
            raise InvalidRequest(f"audit backend failed test message: {reason}")

    def health(self, others: Sequence[Mapping[str, Health]] = ()) -> dict[str, Health]:
        """How the devices are doing in this process, and in others that have told their `told`; by
        their paths."""
        found = {}
        for uuid, (device, seat) in self._seats.items():
            elsewhere = [each[uuid] for each in others if uuid in each]
            own = seat.sink.state()
            found[device.path] = health_of_all([own, *elsewhere]) if elsewhere else own
        return found

    def told(self) -> dict[str, Health]:
        """How the devices are doing in this process, by their UUIDs."""
        return {uuid: seat.sink.state() for uuid, (_, seat) in self._seats.items()}

    def reopen(self) -> None:
        """Open every file and connection anew."""
        for _, seat in self._seats.values():
            seat.sink.reopen()

    def forget(self) -> None:
        """Let go of all devices (when the barrier is sealed): their salts are secrets."""
        self._table, self._current = None, ()
        for _, seat in self._seats.values():
            seat.sink.retire()
        self._seats.clear()
        self.unapplied = True

    async def stop(self) -> None:
        """Write what is left, and end."""
        sinks = [seat.sink for _, seat in self._seats.values()]
        self._seats.clear()
        await asyncio.gather(*(sink.stop() for sink in sinks))

    def _entry(self, seats: tuple[Seat, ...], headers: dict[str, bool]) -> Entry:
        return Entry(seats, headers, self._standings, self._clock, self._failures)

    def _counted(self) -> Iterator[Reading]:
        for path, health in sorted(self.health().items()):
            for result in ("written", "failed", "dropped"):
                labels = (("device", path), ("result", result))
                yield Reading(labels, getattr(health, result))

    def _take(self, table: AuditTable) -> None:
        self._table = table
        self._current = tuple(self._seat(device) for device in table.devices)
        wanted = {device.uuid for device in table.devices}
        for uuid in [uuid for uuid in self._seats if uuid not in wanted]:
            self._seats.pop(uuid)[1].sink.retire()

    def _seat(self, device: Device) -> Seat:
        known = self._seats.get(device.uuid)
        if known is not None:
            return known[1]
        records = RecordOptions()
        with contextlib.suppress(InvalidRequest):
            records = record_options(device)
        sink = Sink(device.path, _target(device), self.patience)
        seat = Seat(Formatter(records, device.salt), sink)
        self._seats[device.uuid] = (device, seat)
        return seat


def _with(device: Device, salt: bytes, uuid: str) -> Device:
    return Device(
        path=device.path,
        type=device.type,
        uuid=uuid,
        salt=salt,
        options=device.options,
        description=device.description,
        local=device.local,
        configured=True,
    )


def _test_line(options: RecordOptions, request_id: str, now: float) -> bytes:
    """The record that a device is tried out with when it is enabled, as Vault's is."""
    shown = {
        "time": rfc3339(now),
        "type": "request",
        "auth": {"token_type": "default"},
        "request": {
            "id": request_id,
            "operation": "update",
            "namespace": {"id": "root"},
            "path": "sys/audit/test",
        },
    }
    return options.prefix.encode() + encode(shown) + b"\n"


def _target(device: Device) -> Target:
    try:
        options = target_options(device)
    except InvalidRequest as error:  # stored by a release that knew more
        return _Unusable(error.messages[0])
    if isinstance(options, FileOptions):
        return file_target(options)
    if isinstance(options, SocketOptions):
        return SocketTarget(options)
    return SyslogTarget(options)


class _Unusable:
    """A device that cannot work: it takes nothing, so that nobody thinks it does."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def open(self) -> None:
        raise TargetError(self._reason)

    def write(self, lines: Sequence[bytes]) -> None:
        raise TargetError(self._reason)

    def close(self) -> None:
        pass
