"""The `wardgate` command: finds the module of a command and gives the shell its exit code.

Only the module that is needed is loaded, since loading all of them is felt at every call.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from wardgate.cli import options
from wardgate.cli.arguments import CommandLine, wants_help
from wardgate.cli.failure import CommandFailed, UnknownCommand

# Where each command is: a module whose `COMMANDS` has it.
MODULES = {
    "audit": "wardgate.cli.audit",
    "auth": "wardgate.cli.auth",
    "delete": "wardgate.cli.data",
    "kv": "wardgate.cli.kv",
    "lease": "wardgate.cli.lease",
    "list": "wardgate.cli.data",
    "login": "wardgate.cli.login",
    "operator": "wardgate.cli.operator",
    "patch": "wardgate.cli.data",
    "policy": "wardgate.cli.policy",
    "print": "wardgate.cli.print",
    "read": "wardgate.cli.data",
    "secrets": "wardgate.cli.secrets",
    "server": "wardgate.cli.server",
    "status": "wardgate.cli.status",
    "token": "wardgate.cli.token",
    "unwrap": "wardgate.cli.data",
    "version": "wardgate.cli.version",
    "write": "wardgate.cli.data",
}

_VERSION = {"v": True, "version": True}


def main() -> None:
    """The console entry point."""
    sys.exit(run(sys.argv[1:]))


def run(line: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors are on stderr by then."""
    try:
        _run(CommandLine(line))
        sys.stdout.flush()
    except CommandFailed as failure:
        if text := str(failure):
            _tell(text)
        return failure.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of a pipe went away; what is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _run(line: CommandLine) -> None:
    before = line.options(options.KNOWN | _VERSION)
    name = line.word()
    if any(option in _VERSION for option, _ in before):
        before, name = [], "version"
    if name == "help" or (name is None and wants_help(before)):
        _show_overview()
    elif name is None or name not in MODULES:
        raise UnknownCommand(f"Usage: wardgate COMMAND, one of: {', '.join(sorted(MODULES))}")
    else:
        from wardgate.cli.dispatch import dispatch

        dispatch(import_module(MODULES[name]).COMMANDS, name, before, line)


def _tell(text: str) -> None:
    """An error on stderr. It may repeat what a server says, which must not drive a terminal."""
    from wardgate.cli.text import visible

    print(visible(text) if sys.stderr.isatty() else text, file=sys.stderr)


def _show_overview() -> None:
    from wardgate import __doc__ as purpose
    from wardgate.cli.command import Group
    from wardgate.cli.help import group_help

    commands = {name: import_module(module).COMMANDS[name] for name, module in MODULES.items()}
    print(group_help([], Group(purpose or "", commands)))


if __name__ == "__main__":
    main()
