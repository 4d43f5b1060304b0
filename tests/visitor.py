"""Somebody with a browser that has no scripts: opens pages, follows redirects, sends forms.

Good enough for the pages of the providers in tests/services and for ours, which have no scripts.
"""

import http.client
import http.cookiejar
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 20
MOST_FORMS = 5
DEADLINE = 60.0
"""Seconds, only so that nothing hangs."""


@dataclass(frozen=True)
class Form:
    """A form of a page: where it goes, how, and what it holds when it is not touched."""

    action: str
    method: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Page:
    """What came back. `url` is where it is, after all redirects."""

    url: str
    status: int
    headers: dict[str, str]
    text: str
    forms: list[Form] = field(default_factory=list)

    @property
    def query(self) -> dict[str, str]:
        """The query of the page's address."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}


class Visitor:
    """One browser with its cookies. It does not go to an address that has `stop` in it, and shows
    instead a page of status 302 there: so a test gets the code that is in the address."""

    def __init__(self, stop: str = "") -> None:
        self._stop = stop
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
            _NoRedirects(),
        )

    def open(self, url: str, form: dict[str, str] | None = None) -> Page:
        """Go to a page; with `form`, send that."""
        for _ in range(MOST_REDIRECTS):
            if self._stop and self._stop in url:
                return Page(url, 302, {}, urlencode(form or {}), [])
            status, headers, text = self._fetch(url, form)
            if status not in REDIRECTS:
                return Page(url, status, headers, text, forms_of(text, url))
            url = urljoin(url, headers["location"])
            form = form if status in (307, 308) else None
        raise AssertionError("redirected for ever")

    def send(self, page: Page, **fields: str) -> Page:
        """Fill in the first form of a page and send it."""
        form = page.forms[0]
        given = {**form.fields, **fields}
        if form.method == "get":
            return self.open(f"{form.action.partition('?')[0]}?{urlencode(given)}")
        return self.open(form.action, given)

    def fill_in(self, page: Page, fields: Mapping[str, str]) -> Page:
        """Send the first form of a page, and of each page that follows, until there is none; `fields`
        are filled in where a form has them."""
        for _ in range(MOST_FORMS):
            if not page.forms:
                return page
            known = page.forms[0].fields
            page = self.send(page, **{name: fields[name] for name in fields if name in known})
        raise AssertionError("one form after the other")

    def _fetch(self, url: str, form: dict[str, str] | None) -> tuple[int, dict[str, str], str]:
        data = None if form is None else urlencode(form).encode()
        response: Any
        try:
            response = self._opener.open(url, data, timeout=DEADLINE)
        except HTTPError as error:
            response = error
        with response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            try:
                text = response.read()
            except http.client.IncompleteRead as error:
                text = (
                    error.partial
                )  # bao ends while its page is on the way; browsers show the rest
            return response.status, headers, text.decode()


def forms_of(text: str, url: str = "") -> list[Form]:
    """The forms of a page that is at `url`."""
    found = _Forms(url)
    found.feed(text)
    return found.forms


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        return None


class _Forms(HTMLParser):
    def __init__(self, base: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._base = base

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self._base, found.get("action", ""))
            self.forms.append(Form(action, found.get("method", "get").lower(), {}))
        elif tag == "input" and self.forms and "name" in found:
            self.forms[-1].fields[found["name"]] = found.get("value", "")
