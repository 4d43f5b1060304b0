"""The options of audit devices: texts as they were given, read into types."""

import re

import msgspec

from wardgate.core.audit.table import Device
from wardgate.durations import parse_nanoseconds
from wardgate.errors import InvalidRequest

TYPES = ("file", "socket", "syslog")
STDOUT = "stdout"
DISCARD = "discard"
SOCKET_TYPES = ("tcp", "udp", "unix")

FACILITIES = {
    name: number
    for number, name in enumerate(
        (
            "KERN", "USER", "MAIL", "DAEMON", "AUTH", "SYSLOG", "LPR", "NEWS", "UUCP", "CRON",
            "AUTHPRIV", "FTP",
        )
    )
} | {f"LOCAL{number}": 16 + number for number in range(8)}  # fmt: skip
"""Syslog's facilities by name (RFC 5424, table 1)."""

_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")
_OCTAL = re.compile("[0-7]{1,4}")
_EXECUTABLE = 0o111
_SPECIAL = 0o7000
_DEFAULT_MODE = 0o600
_TAG = re.compile(r"[!-~]{1,32}")
_LONGEST_TIMEOUT = 60  # seconds
_LONGEST_PREFIX = 256


class RecordOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How records are written, whatever they are written to."""

    hmac_accessor: bool = True
    log_raw: bool = False
    elide_list_responses: bool = False
    prefix: str = ""


class FileOptions(msgspec.Struct, frozen=True, kw_only=True):
    """A file, or the words ``stdout`` and ``discard``. `mode` None leaves an existing file's mode
    alone."""

    path: str
    mode: int | None = _DEFAULT_MODE


class SocketOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``HOST:PORT``, or the path of a unix socket. `write_timeout` is in seconds."""

    address: str
    kind: str = "tcp"
    write_timeout: float = 2.0


class SyslogOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`facility` is syslog's number."""

    facility: int = FACILITIES["AUTH"]
    tag: str = "wardgate"


TargetOptions = FileOptions | SocketOptions | SyslogOptions


def record_options(device: Device) -> RecordOptions:
    """`InvalidRequest` names the option that cannot be read."""
    given = device.options
    form = given.get("format", "json")
    if form == "jsonx":
        raise InvalidRequest("format: jsonx is not supported; leave it out, or set it to 'json'")
    if form != "json":
        raise InvalidRequest("format: must be 'json'")
    return RecordOptions(
        hmac_accessor=_flag(given, "hmac_accessor", True),
        log_raw=_flag(given, "log_raw", False),
        elide_list_responses=_flag(given, "elide_list_responses", False),
        prefix=_prefix(given.get("prefix", "")),
    )


def _prefix(text: str) -> str:
    if len(text) > _LONGEST_PREFIX or not text.isprintable():
        raise InvalidRequest(f"prefix: must be at most {_LONGEST_PREFIX} printable characters")
    return text


def target_options(device: Device) -> TargetOptions:
    """`InvalidRequest` names the option that is missing or cannot be read."""
    if device.type == "file":
        return _file(device.options)
    if device.type == "socket":
        return _socket(device.options)
    if device.type == "syslog":
        return _syslog(device.options)
    raise InvalidRequest(f"unknown backend type: 'type' must be one of {', '.join(TYPES)}")


def _file(given: dict[str, str]) -> FileOptions:
    path = given.get("file_path") or given.get("path") or ""
    if not path:
        raise InvalidRequest("file_path is required")
    if path.lower() in (STDOUT, DISCARD):
        return FileOptions(path=path.lower())
    if "\0" in path or path.endswith("/"):
        raise InvalidRequest("file_path: must be the path of a file")
    text = given.get("mode", "")
    if text and not _OCTAL.fullmatch(text):
        raise InvalidRequest("mode: must be octal digits such as 0600")
    mode = int(text, 8) if text else _DEFAULT_MODE
    if mode & (_EXECUTABLE | _SPECIAL):
        raise InvalidRequest("mode: an audit file is never executable; use for example 0600")
    return FileOptions(path=path, mode=mode or None)


def _socket(given: dict[str, str]) -> SocketOptions:
    address = given.get("address", "")
    kind = given.get("socket_type") or "tcp"
    if not address:
        raise InvalidRequest("address is required")
    if kind not in SOCKET_TYPES:
        raise InvalidRequest(f"socket_type: must be one of {', '.join(SOCKET_TYPES)}")
    host, _, port = address.rpartition(":")
    if kind != "unix" and not (host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise InvalidRequest("address: must be HOST:PORT")
    try:
        timeout = parse_nanoseconds(given.get("write_timeout") or "2s") / 1e9
    except ValueError:
        timeout = 0
    if not 0 < timeout <= _LONGEST_TIMEOUT:
        raise InvalidRequest("write_timeout: must be a duration such as 2s, at most 60s")
    return SocketOptions(address=address, kind=kind, write_timeout=timeout)


def _syslog(given: dict[str, str]) -> SyslogOptions:
    facility = FACILITIES.get((given.get("facility") or "AUTH").upper())
    if facility is None:
        raise InvalidRequest("facility: must be one of " + ", ".join(FACILITIES))
    tag = given.get("tag") or "wardgate"
    if not _TAG.fullmatch(tag):
        raise InvalidRequest("tag: must be 1 to 32 printable characters without spaces")
    return SyslogOptions(facility=facility, tag=tag)


def _flag(given: dict[str, str], name: str, default: bool) -> bool:
    text = given.get(name, "")
    if not text:
        return default
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise InvalidRequest(f"{name}: must be true or false")
