"""`wardgate version`."""

from wardgate import __version__
from wardgate.cli.command import Commands
from wardgate.cli.session import Session


def version(session: Session) -> None:
    """Print the version of this program."""
    session.output.line(f"Wardgate v{__version__}")


COMMANDS: Commands = {"version": version}
