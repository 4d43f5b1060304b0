"""``wardgate server``."""

import os
import sys
from collections.abc import Sequence

from wardgate.cli.command import Commands, Program
from wardgate.errors import WardgateError


def serve(arguments: Sequence[str]) -> int:
    """Run a server by the arguments after the word "server"; the exit code when it has stopped."""
    from wardgate.server.checking import check_config
    from wardgate.server.options import HelpRequested, parse_server_arguments
    from wardgate.server.run import run_server

    try:
        options = parse_server_arguments(arguments, os.environ)
        if options.check_config:
            return check_config(options)
        run_server(options)
    except HelpRequested as help_text:
        print(help_text)
    except WardgateError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


COMMANDS: Commands = {"server": Program("Run a server.", serve)}
