"""``audit "file" "name" { … }`` in the configuration, and the rules for devices that the API makes."""

import logging
from dataclasses import dataclass, field

from wardgate.core.audit.rules import AuditRules, check_device
from wardgate.core.audit.service import Audit
from wardgate.core.audit.table import Device
from wardgate.errors import InvalidRequest, Sealed, WardgateError
from wardgate.server.section import Section

_log = logging.getLogger("wardgate.audit")


@dataclass(frozen=True, slots=True)
class AuditConfig:
    """What the configuration says about audit devices. `devices` have no salt and no UUID yet."""

    devices: tuple[Device, ...] = ()
    rules: AuditRules = field(default_factory=AuditRules)


KEYS = (
    "audit", "audit_directory", "allow_audit_log_prefixing", "unsafe_allow_api_audit_creation",
)  # fmt: skip
"""The top-level keys that are read here."""


def read_audit(section: Section) -> AuditConfig:
    """Raises `ConfigError`. What a device writes to is not looked at yet."""
    rules = AuditRules(
        anywhere=section.flag("unsafe_allow_api_audit_creation") or False,
        directory=section.text("audit_directory") or "",
        prefixes=section.flag("allow_audit_log_prefixing") or False,
    )
    if rules.directory and not rules.directory.startswith("/"):
        raise section.error("audit_directory", "must be an absolute path")
    devices: dict[str, Device] = {}
    for kind, blocks in section.labelled("audit"):
        for name, block in blocks.named("path"):
            device = _device(kind, name, block)
            if any(_overlap(device.path, other) for other in devices):
                raise block.refused("has the same path as another audit device")
            try:
                check_device(device, rules)
            except InvalidRequest as error:
                raise block.refused(error.messages[0]) from None
            devices[device.path] = device
    return AuditConfig(tuple(devices.values()), rules)


def _device(kind: str, name: str, block: Section) -> Device:
    path = name.strip("/")
    if not path:
        raise block.refused("needs a name")
    device = Device(
        path=path + "/",
        type=kind,
        uuid="",
        salt=b"",
        options=block.text_map("options"),
        description=block.text("description") or "",
        local=block.flag("local") or False,
        configured=True,
    )
    block.finish()
    return device


def _overlap(path: str, other: str) -> bool:
    return path.startswith(other) or other.startswith(path)


async def reload_audit(audit: Audit, config: AuditConfig) -> list[str]:
    """Put what the configuration says now into effect; gives what the operator has to know."""
    try:
        audit.configure(config.devices, config.rules)
        await audit.apply()
    except Sealed:
        pass  # it is applied when the server is unsealed
    except WardgateError as error:
        note = f"the audit devices are not yet as configured: {error}"
        _log.error("%s", note)
        return [note]
    return []
