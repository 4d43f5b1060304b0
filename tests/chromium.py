"""A real browser: Debian's Chromium without a window, driven by Playwright.

It reaches nothing but this machine. Screenshots are kept in `ARTEFACTS`, for people to look at.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

ARTEFACTS = Path(__file__).parent.parent / "test-artefacts"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_LOCAL = "MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1"
_REFUSED = "Failed to load resource: the server responded with a status of "
"""What the browser says when a page, or something that it asks the API for, is refused."""
DEADLINE = 60_000.0
"""Milliseconds, only so that nothing hangs."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    assert program, "no chromium: run scripts/install-test-services"
    expect.set_options(timeout=DEADLINE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            chromium_sandbox=os.geteuid() != 0,  # it has none for root
            args=[f"--host-resolver-rules={_LOCAL}"],
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser: Browser, *, dark: bool = False) -> Iterator[Page]:
    """A page without cookies of others. Ends with an error if it, or a page that it opened, complained
    (of a script or style that its policy forbids, for one) or asked for anything that is not on this
    machine."""
    complaints: list[str] = []

    def look_at(request: Request) -> None:
        if request.url != "about:blank" and urlsplit(request.url).hostname not in (
            "localhost",
            "127.0.0.1",
        ):
            complaints.append(f"asked for {request.url}")

    def listen(message: ConsoleMessage) -> None:
        address = urlsplit(message.location["url"]).path
        icon = address == "/favicon.ico"  # which no page here has
        refused = message.text.startswith(_REFUSED) and "/static/" not in address
        if message.type == "error" and not icon and not refused:
            complaints.append(message.text)

    context = browser.new_context(
        color_scheme="dark" if dark else "light", viewport={"width": 800, "height": 600}
    )
    context.set_default_timeout(DEADLINE)
    context.on("request", look_at)
    context.on("console", listen)
    context.on("weberror", lambda found: complaints.append(str(found.error)))
    try:
        yield context.new_page()
    finally:
        context.close()
    assert not complaints, complaints


def screenshot(page: Page, name: str) -> None:
    """Keep what the page looks like."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png")
