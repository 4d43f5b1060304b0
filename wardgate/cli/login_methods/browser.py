"""What logins in a browser have in common: their settings, the page to open, and patience."""

import contextlib
import sys
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from wardgate.cli.failure import CommandFailed, UsageError
from wardgate.cli.keyvalue import parse_data
from wardgate.cli.session import Session

PATIENCE = 600.0
"""Seconds that somebody has for it; the server forgets a login that has not ended by then."""
SWITCHES = ("abort_on_error", "show_qr", "skip_browser")
_BOOLEANS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False, "": False}


def given_settings(method: str, words: Sequence[str], known: set[str]) -> dict[str, str]:
    """The words of the command line as settings, of which `SWITCHES` are among the `known`."""
    given = parse_data(words)
    if given.keys() - known:
        raise UsageError(f"{method} takes these settings: {', '.join(sorted(known))}")
    found = {name: str(value).strip() for name, value in given.items()}
    for name in SWITCHES:
        switch(found, name)
    return found


def switch(given: Mapping[str, str], name: str) -> bool:
    """A setting that is true or false."""
    found = _BOOLEANS.get(given.get(name, "").lower())
    if found is None:
        raise UsageError(f"{name} is true or false")
    return found


def is_page(url: str) -> bool:
    """Whether this is the address of a page that a terminal can show."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        return False
    return scheme in ("https", "http") and url.isascii() and url.isprintable()


def invite(
    session: Session, given: Mapping[str, str], url: str, where: str, user_code: str = ""
) -> None:
    """Tell where to log in, and open the browser there."""
    note = session.output.note
    skip = switch(given, "skip_browser")
    how = "Open this page in a browser" if skip else "Your browser opens this page"
    note(f"Log in at your {where}. {how}:\n\n    {url}\n")
    if switch(given, "show_qr"):
        _draw(url)
    if user_code:
        note(f"Type this code there: {user_code}\n")
    note("Waiting for the login ...")
    abort = switch(given, "abort_on_error")
    if skip or _opened(url):
        return
    if abort:
        raise CommandFailed("Error authenticating: no browser could be opened")
    note("No browser could be opened; please open the page yourself.")


def nobody_came() -> CommandFailed:
    """How a command ends that has waited for `PATIENCE`."""
    return CommandFailed(
        f"Error authenticating: nobody has logged in for {PATIENCE / 60:.0f} minutes"
    )


def _opened(url: str) -> bool:
    import webbrowser

    try:
        return webbrowser.open(url)
    except (webbrowser.Error, OSError):
        return False


def _draw(url: str) -> None:
    import segno

    with contextlib.suppress(segno.DataOverflowError):  # some 3,000 characters: too fine to be read
        segno.make(url, error="L", micro=False).terminal(out=sys.stderr, compact=True)
