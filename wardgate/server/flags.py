"""The flags of ``wardgate server``: those of ``vault server`` and ``bao server``, and ``-data``.

What a flag means is decided in `wardgate.server.options`; this is the table that command line,
environment and help text share.
"""

import textwrap
from dataclasses import dataclass
from enum import Enum


class Fate(Enum):
    """What becomes of a flag that is given."""

    USED = "in effect"
    QUIET = "accepted; Wardgate does it anyway"
    NO_EFFECT = "accepted with a warning"
    REFUSED = "refused, since leaving it out would do something else than asked"


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. `value` is what the help text calls its value; an on/off flag has none.

    `environment` is the end of the variables' names: WARDGATE_x, BAO_x and VAULT_x.
    """

    name: str
    help: str
    value: str = ""
    environment: str = ""
    fate: Fate = Fate.USED


SERVER_FLAGS = (
    Flag(
        "config",
        "File, or directory of *.hcl and *.json files, with the configuration. May be repeated.",
        "PATH",
        "CONFIG_PATH",
    ),
    Flag("log-level", "trace, debug, info, warn or error.", "LEVEL", "LOG_LEVEL"),
    Flag("log-format", "standard or json.", "FORMAT", "LOG_FORMAT"),
    Flag("log-file", "Log to this file too.", "PATH"),
    Flag("log-rotate-bytes", "Begin a new log file after so many bytes.", "BYTES"),
    Flag("log-rotate-duration", "Begin a new log file after so long; 24h without it.", "DURATION"),
    Flag("log-rotate-max-files", "How many older log files to keep; all of them by 0.", "NUMBER"),
    Flag("check-config", "Check the configuration, say what it means, and end."),
)
DEV_FLAGS = (
    Flag("dev", "Start at once, unsealed, with everything in memory. Not for real secrets."),
    Flag("data", "With -dev: keep the data in this directory instead, in LMDB.", "DIR"),
    Flag(
        "dev-root-token-id",
        "The root token; without it one is made up. Prefer the variable: others can read a "
        "process's arguments.",
        "ID",
        "DEV_ROOT_TOKEN_ID",
    ),
    Flag(
        "dev-listen-address",
        "Where the dev server listens; 127.0.0.1:8200 without it.",
        "HOST:PORT",
        "DEV_LISTEN_ADDRESS",
    ),
    Flag("dev-no-store-token", "Do not leave the root token in the token helper's file."),
    Flag("dev-tls", "Serve HTTPS with a certificate made for the occasion (implies -dev)."),
    Flag("dev-tls-cert-dir", "Where -dev-tls puts its PEM files while it runs.", "DIR"),
    Flag("dev-kv-v1", "Mount version 1 of the KV engine at secret/ instead of version 2."),
    Flag("dev-no-kv", "Mount nothing at secret/."),
)

_QUIET = ("exit-on-core-shutdown", "combine-logs")
_NO_EFFECT_SWITCHES = (
    "dev-ha", "dev-plugin-init", "disable-redirects", "non-interactive", "policy-override",
    "tls-skip-verify",
)  # fmt: skip
_NO_EFFECT = (
    "address", "agent-address", "ca-cert", "ca-path", "client-cert", "client-key",
    "dev-cluster-json", "dev-latency", "dev-latency-jitter", "dev-plugin-dir", "header", "mfa",
    "namespace", "ns",
    "tls-server-name", "unlock-key", "wrap-ttl",
)  # fmt: skip
_REFUSED_SWITCHES = (
    "dev-auto-seal", "dev-leased-kv", "dev-skip-init", "dev-three-node", "output-curl-string",
    "output-policy", "recovery", "test-server-config", "test-verify-only",
)  # fmt: skip

FLAGS = {
    flag.name: flag
    for flag in (
        *SERVER_FLAGS,
        *DEV_FLAGS,
        *(Flag(name, "", fate=Fate.QUIET) for name in _QUIET),
        *(Flag(name, "", fate=Fate.NO_EFFECT) for name in _NO_EFFECT_SWITCHES),
        *(Flag(name, "", "VALUE", fate=Fate.NO_EFFECT) for name in _NO_EFFECT),
        *(Flag(name, "", fate=Fate.REFUSED) for name in _REFUSED_SWITCHES),
    )
}


def help_text() -> str:
    """What ``wardgate server -h`` prints."""
    parts = [
        "Usage: wardgate server [options]",
        "Start a server from configuration files, or a dev server to try things with:",
        "    $ wardgate server -config=/etc/wardgate/wardgate.hcl\n    $ wardgate server -dev",
        "Flags are spelled with one dash or two, and take their value after = or a space.",
        "Options:\n",
        *(_described(flag) for flag in SERVER_FLAGS),
        "Dev options:\n",
        *(_described(flag) for flag in DEV_FLAGS),
        "Accepted without effect:\n",
        _listed(Fate.NO_EFFECT, Fate.QUIET),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _described(flag: Flag) -> str:
    name = f"-{flag.name}={flag.value}" if flag.value else f"-{flag.name}"
    text = flag.help
    if flag.environment:
        text += (
            f" Or WARDGATE_{flag.environment}, BAO_{flag.environment}, VAULT_{flag.environment}."
        )
    return f"  {name}\n" + textwrap.fill(
        text, 84, initial_indent=" " * 6, subsequent_indent=" " * 6
    )


def _listed(*fates: Fate) -> str:
    names = ", ".join(f"-{flag.name}" for flag in FLAGS.values() if flag.fate in fates)
    return textwrap.fill(
        names, 84, initial_indent=" " * 6, subsequent_indent=" " * 6, break_on_hyphens=False
    )
