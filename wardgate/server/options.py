"""What the command line and the environment of ``wardgate server`` ask for.

A drop-in for ``vault server`` and ``bao server``: the same flags, with one dash or two, with the
value after ``=`` or as the next argument, and on/off flags alone or as ``-dev=true``. A flag goes
before the environment, and there WARDGATE_ before BAO_ before VAULT_; an empty variable is none.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from wardgate.core.log_levels import level_name
from wardgate.durations import parse_duration
from wardgate.errors import WardgateError
from wardgate.server.addresses import is_http_url, parse_address
from wardgate.server.config import LogFormat, LogLevel
from wardgate.server.flags import FLAGS, Fate, Flag, help_text
from wardgate.server.listeners import DEFAULT_ADDRESS

_PREFIXES = ("WARDGATE_", "BAO_", "VAULT_")
_SWITCH = dict.fromkeys(("1", "t", "true"), True) | dict.fromkeys(("0", "f", "false"), False)
_E = TypeVar("_E", bound=StrEnum)


class UsageError(WardgateError):
    """The command line cannot be understood. The message names the flag and never its value."""


class HelpRequested(WardgateError):
    """Somebody asked for help: print this exception's text to standard output and exit with 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevOptions:
    """A dev server: unsealed, with one key share, in memory unless `data` names a directory.

    `kv_version` is that of the engine mounted at ``secret/``; None mounts nothing there.
    """

    host: str
    port: int
    root_token_id: str | None = field(default=None, repr=False)
    store_token: bool = True
    data: Path | None = None
    tls: bool = False
    tls_cert_dir: Path | None = None
    kv_version: int | None = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Everything that was asked for outside of the configuration files, over which it goes."""

    config_paths: tuple[Path, ...] = ()
    dev: DevOptions | None = None
    log_level: LogLevel | None = None
    log_format: LogFormat | None = None
    log_file: Path | None = None
    log_rotate_bytes: int | None = None
    log_rotate_duration: int | None = None
    log_rotate_max_files: int | None = None
    check_config: bool = False
    api_addr: str | None = None
    cluster_addr: str | None = None
    disable_user_lockout: bool = False
    warnings: tuple[str, ...] = ()


def parse_server_arguments(argv: Sequence[str], environ: Mapping[str, str]) -> ServerOptions:
    """The options in `argv`, which begins after the word "server", and in `environ`.

    Raises `UsageError`, or `HelpRequested` for -h, -help and --help.
    """
    given = _Given(argv, environ)
    warnings = given.without_effect()
    dev = _dev(given) if given.dev else None
    if dev is None and given.text("data") is not None:
        raise UsageError("-data is for a dev server; give -dev, or a storage block in the file")
    if dev is None and given.text("dev-root-token-id") is not None:
        warnings.append("-dev-root-token-id has no effect without -dev")
    config_paths = tuple(Path(text) for text in given.texts("config"))
    if dev is None and not config_paths:
        raise UsageError("nothing to start: give -config=PATH, or -dev for a dev server")
    if dev is not None and given.switch("check-config"):
        raise UsageError("-check-config is for configuration files; leave -dev out")
    log_file = given.text("log-file")
    return ServerOptions(
        config_paths=config_paths,
        dev=dev,
        log_level=given.log_level(),
        log_format=given.choice("log-format", LogFormat),
        log_file=None if log_file is None else Path(log_file),
        log_rotate_bytes=given.number("log-rotate-bytes", 0),
        log_rotate_duration=given.seconds("log-rotate-duration"),
        log_rotate_max_files=given.number("log-rotate-max-files", -1),
        check_config=given.switch("check-config"),
        api_addr=given.url("API_ADDR") or given.url("REDIRECT_ADDR"),
        cluster_addr=given.url("CLUSTER_ADDR"),
        disable_user_lockout=given.variable_is_on("DISABLE_USER_LOCKOUT"),
        warnings=tuple(warnings),
    )


def _dev(given: "_Given") -> DevOptions:
    try:
        host, port = parse_address(given.text("dev-listen-address") or DEFAULT_ADDRESS)
    except ValueError:
        raise UsageError('-dev-listen-address must be "host:port" or "[IPv6]:port"') from None
    data, cert_dir = given.text("data"), given.text("dev-tls-cert-dir")
    if given.switch("dev-no-kv") and given.switch("dev-kv-v1"):
        raise UsageError("-dev-no-kv and -dev-kv-v1 contradict each other")
    return DevOptions(
        host=host,
        port=port,
        root_token_id=given.text("dev-root-token-id"),
        store_token=not given.switch("dev-no-store-token"),
        data=None if data is None else Path(data),
        tls=given.switch("dev-tls"),
        tls_cert_dir=None if cert_dir is None else Path(cert_dir),
        kv_version=None if given.switch("dev-no-kv") else 1 if given.switch("dev-kv-v1") else 2,
    )


class _Given:
    """The flags that were given, with the environment behind them."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._values: dict[str, list[str]] = {}
        arguments = iter(enumerate(argv, start=1))
        for position, argument in arguments:
            flag, value = _split(argument, position)
            if value is None and flag.value:
                _, value = next(arguments, (0, None))
                if value is None:
                    raise UsageError(f"-{flag.name} needs a value")
            if flag.fate is Fate.REFUSED:
                raise UsageError(f"-{flag.name} is not supported by Wardgate; leave it out")
            self._values.setdefault(flag.name, []).append("true" if value is None else value)

    @property
    def dev(self) -> bool:
        return self.switch("dev") or self.switch("dev-tls")

    def without_effect(self) -> list[str]:
        names = (name for name in self._values if FLAGS[name].fate is Fate.NO_EFFECT)
        return [f"-{name} has no effect on a Wardgate server" for name in names]

    def switch(self, name: str) -> bool:
        text = self._values.get(name, ["false"])[-1].lower()
        if text not in _SWITCH:
            raise UsageError(f"-{name} takes no value but true or false")
        return _SWITCH[text]

    def texts(self, name: str) -> list[str]:
        """All values of a flag, or else that of the environment. Empty ones do not count."""
        texts = self._values.get(name) or [self._variable(FLAGS[name].environment)]
        return [text for text in texts if text]

    def text(self, name: str) -> str | None:
        texts = self.texts(name)
        if any("\0" in text for text in texts):
            raise UsageError(f"-{name} has a NUL character in its value")
        return texts[-1] if texts else None

    def choice(self, name: str, choices: type[_E]) -> _E | None:
        text = self.text(name)
        for choice in choices:
            if text is not None and choice == text.strip().lower():
                return choice
        if text is not None:
            raise UsageError(f"-{name} must be one of " + ", ".join(choices))
        return None

    def log_level(self) -> LogLevel | None:
        """The level by any name that Vault knows it by."""
        text = self.text("log-level")
        if text is None:
            return None
        name = level_name(text)
        if name is None:
            raise UsageError("-log-level must be one of " + ", ".join(LogLevel))
        return LogLevel(name)

    def number(self, name: str, least: int) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        if not re.fullmatch("-?[0-9]{1,18}", text) or int(text) < least:
            raise UsageError(f"-{name} must be a whole number not below {least}")
        return int(text)

    def seconds(self, name: str) -> int | None:
        text = self.text(name)
        try:
            seconds = None if text is None else parse_duration(text)
        except ValueError:
            seconds = -1
        if seconds is not None and seconds <= 0:
            raise UsageError(f'-{name} must be a duration such as "30s" or "24h"')
        return seconds

    def url(self, ending: str) -> str | None:
        """A variable that overrides the configuration's api_addr or cluster_addr."""
        text = self._variable(ending)
        if text and not is_http_url(text):
            raise UsageError(
                f'VAULT_{ending} must be a URL such as "https://vault.example.com:8200"'
            )
        return text or None

    def variable_is_on(self, ending: str) -> bool:
        """Whether a variable that has no flag is set to true."""
        text = (self._variable(ending) or "false").lower()
        if text not in _SWITCH:
            raise UsageError(f"VAULT_{ending} must be true or false")
        return _SWITCH[text]

    def _variable(self, ending: str) -> str:
        names = [prefix + ending for prefix in _PREFIXES] if ending else []
        return next((self._environ[name] for name in names if self._environ.get(name)), "")


def _split(argument: str, position: int) -> tuple[Flag, str | None]:
    """The flag that an argument names, and the value that it carries, if any."""
    name, equals, value = argument.removeprefix("-").removeprefix("-").partition("=")
    if not argument.startswith("-") or not name:
        raise UsageError(f"argument {position} is no flag; wardgate server takes nothing else")
    if name in ("h", "help"):
        raise HelpRequested(help_text())
    if name not in FLAGS:
        near = difflib.get_close_matches(name[:60], FLAGS, 1, cutoff=0.0)
        raise UsageError(f"argument {position} is no known flag; the nearest is -{near[0]}")
    return FLAGS[name], value if equals else None
