"""Which devices may be enabled through the API."""

import os

import msgspec

from wardgate.core.audit.options import FileOptions, record_options, target_options
from wardgate.core.audit.table import Device
from wardgate.errors import InvalidRequest


class AuditRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator allows. `anywhere` allows every device, `directory` allows files below it;
    without both, devices come from the configuration file only. `prefixes` allows the ``prefix``
    option."""

    anywhere: bool = False
    directory: str = ""
    prefixes: bool = False


def check_device(device: Device, rules: AuditRules) -> None:
    """`InvalidRequest` when `device` makes no sense, or does not keep to `rules`."""
    records, target = record_options(device), target_options(device)
    if records.prefix and not rules.prefixes:
        raise InvalidRequest(
            "audit log prefixing is not allowed; the configuration file can allow it with"
            " allow_audit_log_prefixing"
        )
    if device.configured or rules.anywhere:
        return
    if not rules.directory:
        raise InvalidRequest(
            "cannot enable audit device via API; use declarative, config-based audit device"
            " management instead, or set audit_directory in the configuration file"
        )
    if not isinstance(target, FileOptions) or not _below(target.path, rules.directory):
        raise InvalidRequest(
            "file_path: only files below the configured audit_directory can be enabled via API;"
            " anything else goes into the configuration file"
        )


def _below(path: str, directory: str) -> bool:
    """Whether the folder of `path`, with every symbolic link followed, is `directory` or in it."""
    if not os.path.isabs(path) or ".." in path.split("/"):
        return False
    folder, root = os.path.realpath(os.path.dirname(path)), os.path.realpath(directory)
    return os.path.commonpath((folder, root)) == root
