"""The options that every command takes."""

import dataclasses
from collections.abc import Iterable
from enum import StrEnum

from wardgate.cli.failure import UsageError

_ALIASES = {"ns": "namespace"}
_SWITCHES = frozenset({"non-interactive", "tls-skip-verify"})

HELP = """\
Options of every command, with one dash or two, before or after its words: -address, -namespace
(-ns), -token (visible to other users of the machine: prefer "wardgate login" or VAULT_TOKEN),
-ca-cert, -ca-path, -client-cert, -client-key, -tls-server-name, -tls-skip-verify,
-format=table|json, -field=NAME, -wrap-ttl=DURATION, -header=NAME=VALUE, -non-interactive.
Environment: VAULT_ADDR, VAULT_TOKEN and so on, as WARDGATE_… or BAO_… too."""


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


@dataclasses.dataclass(slots=True)
class GlobalOptions:
    """What the command line says; what it leaves out comes from the environment."""

    address: str | None = None
    token: str | None = dataclasses.field(default=None, repr=False)
    namespace: str | None = None
    ca_cert: str | None = None
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    tls_server_name: str | None = None
    tls_skip_verify: bool | None = None
    format: str | None = None
    field: str | None = None
    wrap_ttl: str | None = None
    non_interactive: bool = False
    header: dict[str, str] = dataclasses.field(default_factory=dict, repr=False)

    def take(self, options: Iterable[tuple[str, str | bool]]) -> None:
        """Keep what the command line says; of an option that is given again, the last."""
        for name, value in options:
            if name == "header":
                self._add_header(str(value))
            else:
                setattr(self, _ALIASES.get(name, name).replace("-", "_"), value)

    def _add_header(self, text: str) -> None:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError("option -header looks like -header=NAME=VALUE")
        if name.lower().startswith("x-vault-"):
            raise UsageError("option -header cannot set an X-Vault- header")
        self.header[name] = value


_NAMES = (member.name.replace("_", "-") for member in dataclasses.fields(GlobalOptions))
KNOWN = {name: name in _SWITCHES for name in (*_NAMES, *_ALIASES)}
"""The names of all these options, and whether they are switches."""
