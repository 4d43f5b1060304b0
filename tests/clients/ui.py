"""What tests of the web page do again and again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.api import Api, tcp
from tests.chromium import open_page
from tests.servers import Server, wardgate_dev

LOGGED_IN = "You are logged in"
PASSWORD = "correct horse"
_AXE = Path(__file__).parents[1] / "services/node_modules/axe-core/axe.min.js"
_KEPT = """async () => [
  document.cookie,
  JSON.stringify(localStorage),
  JSON.stringify(sessionStorage),
  JSON.stringify(await indexedDB.databases()),
  JSON.stringify(await caches.keys()),
  JSON.stringify(history.state),
  window.name,
]"""
NOTHING_KEPT = ["", "{}", "{}", "[]", "[]", "null", ""]


@contextmanager
def visiting(
    browser: Browser, server: Server, address: str = "", *, dark: bool = False
) -> Iterator[Page]:
    """The web page of a server, at `address` below ``/ui/login``."""
    with open_page(browser, dark=dark) as page:
        page.goto(f"{server.address}/ui/login{address}")
        yield page


@contextmanager
def password_server() -> Iterator[Server]:
    """A server with the user ada at a mount that is listed, and grace at ``hidden/staff``, which is
    not."""
    with wardgate_dev() as server:
        with Api(tcp(server.port), server.root_token) as api:
            for path, config in (
                ("userpass", {"listing_visibility": "unauth"}),
                ("hidden/staff", {}),
            ):
                body = {"type": "userpass", "description": f"People of {path}", "config": config}
                assert api.post(f"sys/auth/{path}", body).status == 204
        make_user(server, "ada", token_policies="app", token_ttl="2h")
        make_user(server, "grace", mount="hidden/staff")
        yield server


def make_user(server: Server, name: str, mount: str = "userpass", **fields: Any) -> None:
    """A user of a userpass mount, with `PASSWORD`."""
    with Api(tcp(server.port), server.root_token) as api:
        body = {"password": PASSWORD, **fields}
        assert api.post(f"auth/{mount}/users/{name}", body).status == 204


def log_in_by_password(page: Page, name: str) -> str:
    """Fill in the form that is shown, and be logged in. Answers the token."""
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    with page.expect_response(lambda response: "/login/" in response.url) as found:
        page.get_by_role("button", name="Log in").click()
    token: str = found.value.json()["auth"]["client_token"]
    expect_logged_in(page)
    return token


def expect_logged_in(page: Page) -> None:
    expect(page.get_by_role("heading", name=LOGGED_IN)).to_be_visible()


def fact(page: Page, name: str) -> Any:
    """A value that is shown of whoever is logged in."""
    return page.locator(f"dl > div:has(dt:text-is('{name}')) > dd")


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("You are logged out")).to_be_visible()


def what_is_kept(page: Page) -> list[str]:
    """What the browser keeps for the page, of all kinds but the cookies that scripts do not see:
    `NOTHING_KEPT`."""
    kept: list[str] = page.evaluate(_KEPT)
    return kept


def expect_nowhere(page: Page, *secrets: str) -> None:
    """Nothing that somebody could look at later has one of these: the address, the document, what is
    typed in."""
    held = page.evaluate(
        """() => [document.documentElement.outerHTML, location.href,
        ...[...document.querySelectorAll("input")].map((each) => each.value)].join("\\n")"""
    )
    for secret in secrets:
        assert secret
        assert secret not in held
        assert secret not in str(page.context.cookies())
    assert what_is_kept(page) == NOTHING_KEPT


def expect_accessible(page: Page) -> None:
    """axe-core finds nothing to complain about (WCAG 2.2 A and AA, and what is good practice)."""
    page.evaluate(_AXE.read_text(encoding="utf-8"))
    result = page.evaluate("() => axe.run(document)")
    found = [
        (each["id"], [node["html"] for node in each["nodes"]]) for each in result["violations"]
    ]
    assert not found, found


def expect_no_sideways_scrolling(page: Page) -> None:
    wide, room = page.evaluate(
        "() => [document.scrollingElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= room
