"""`wardgate print token`."""

from wardgate.cli.command import Commands, Group
from wardgate.cli.session import Session


def token(session: Session) -> None:
    """Print the token that commands would use."""
    session.output.line(session.settings.token or "")


COMMANDS: Commands = {"print": Group("Print what commands work with.", {"token": token})}
