"""``wardgate server -check-config``: what a configuration would do, without doing it.

Nothing is opened but the files that it names, to be read. The exit code is 0 when the server would
start, with warnings too, and 1 when it would not.
"""

from collections.abc import Iterator
from pathlib import Path

from wardgate.clock import SystemClock
from wardgate.core.audit.file import why_unusable
from wardgate.core.audit.options import DISCARD, STDOUT, FileOptions, target_options
from wardgate.core.audit.table import Device
from wardgate.errors import WardgateError
from wardgate.server.config import LmdbStorage, ServerConfig
from wardgate.server.effective import effective_config
from wardgate.server.listeners import ListenerConfig, TcpListener
from wardgate.server.options import ServerOptions
from wardgate.server.seals import open_wrapper
from wardgate.server.sockets import address
from wardgate.server.tls import load_tls
from wardgate.timestamps import rfc3339


def check_config(options: ServerOptions) -> int:
    """Print warnings and errors, each with file, line and key, and what would listen where; the
    exit code."""
    try:
        config, warnings = effective_config(options)
    except WardgateError as error:
        print(f"error    {error}")
        print("The configuration cannot be used.")
        return 1
    errors: list[str] = []
    for line in _described(config, warnings, errors):
        print(line)
    for warning in warnings:
        print(f"warning  {warning}")
    for error_text in errors:
        print(f"error    {error_text}")
    if errors:
        print("The configuration cannot be used.")
        return 1
    print(f"The configuration can be used; warnings: {len(warnings)}.")
    return 0


def _described(config: ServerConfig, warnings: list[str], errors: list[str]) -> Iterator[str]:
    for listener in config.listeners:
        yield f"listener {_listener(listener, warnings, errors)}"
    if isinstance(config.storage, LmdbStorage):
        yield f"storage  lmdb in {config.storage.path}"
        errors += _unusable("storage path", config.storage.path, made=True)
    else:
        yield "storage  inmem: everything is gone when the server stops"
    yield f"seal     {config.seal.type}"
    try:
        open_wrapper(config.seal)
    except WardgateError as error:
        errors.append(str(error))
    where = "standard error" if config.log_file is None else f"standard error and {config.log_file}"
    yield f"log      {config.log_level.value}, {config.log_format.value}, to {where}"
    if config.log_file is not None:
        errors += _unusable("log_file", config.log_file.parent, made=False)
    if config.telemetry.otlp_endpoint is not None:
        yield "traces   to otlp_endpoint"
    for device in config.audit.devices:
        yield f"audit    {_audit(device, warnings)}"


def _listener(listener: ListenerConfig, warnings: list[str], errors: list[str]) -> str:
    if not isinstance(listener, TcpListener):
        mode = 0o600 if listener.mode is None else listener.mode
        errors += _unusable(f"{listener.path}", listener.path.parent, made=False)
        return f"unix {listener.path}, mode {mode:04o}"
    where = address(listener)
    if listener.tls is None:
        return f"tcp {where}, without TLS"
    try:
        material = load_tls(listener.tls, SystemClock.now())
    except WardgateError as error:
        errors.append(f"{where}: {error}")
        return f"tcp {where}, TLS from {listener.tls.min_version.value}"
    warnings += [f"{where}: {warning}" for warning in material.warnings]
    until = rfc3339(material.expires)
    return f"tcp {where}, TLS from {listener.tls.min_version.value}, certificate until {until}"


def _audit(device: Device, warnings: list[str]) -> str:
    """The server starts without its audit devices, and then refuses every request."""
    options = target_options(device)
    if not isinstance(options, FileOptions):
        return f"{device.path} ({device.type})"
    if options.path not in (STDOUT, DISCARD) and (why := why_unusable(options.path)):
        warnings.append(f"audit device {device.path} cannot write to {options.path}: {why}")
    return f"{device.path} (file) to {options.path}"


def _unusable(what: str, directory: Path, *, made: bool) -> Iterator[str]:
    """What is wrong with a directory that something is to be in. One that is `made` by the server
    need not be there."""
    if directory.is_dir():
        return
    if directory.exists():
        yield f"{what}: {directory} is no directory"
    elif not made:
        yield f"{what}: there is no directory {directory}"
