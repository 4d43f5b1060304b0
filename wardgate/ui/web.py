"""Which path of the web page is answered with what.

There are few paths, and each is looked up as it is: no path is ever taken for the name of a file on
disk.
"""

import re

from wardgate.core.storage import Storage
from wardgate.core.ui_headers import read_ui_headers
from wardgate.errors import Sealed
from wardgate.ui.files import File, read_files
from wardgate.ui.headers import STANDARD, Headers, with_custom

HOME = "/ui/login"
VIEWS = (HOME, "/ui/account")
"""Where the page has something to show; `static/views.js` has the same table. All are one document,
which shows what its address says."""

_ELSEWHERE = {
    **dict.fromkeys(("/", "/ui", "/ui/", "/ui/vault", "/ui/vault/", "/ui/vault/auth"), HOME),
    **{f"{view}/": view for view in VIEWS},
}
"""Addresses that lead to a view, with those of Vault's page that people have as bookmarks."""
_FILES = "/ui/static/"
_CALLBACK = re.compile("/ui/vault/auth/.+/oidc/callback", re.DOTALL)
"""Where OpenID providers send browsers back to: it is registered there for Vault's page."""
_QUERY = re.compile(r"[A-Za-z0-9%&+,./:=@_~-]{1,2000}")
"""A query that a redirect may carry on; the page knows `with` and `method`."""
_METHODS = frozenset({"GET", "HEAD"})

Answer = tuple[int, Headers, bytes]


class WebPage:
    """The page of one server."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._files = read_files()
        self._shell = self._files.pop("shell.html")
        self._callback = self._files.pop("callback.html")

    async def answer(self, method: str, path: str, query: str, known: str) -> Answer | None:
        """The answer to a request; None for a path that is not the page's. `known` is the header
        If-None-Match. Raises a `StoreError`."""
        found = self._found(path, query)
        if found is None:
            return None
        if method not in _METHODS:
            found = 405, [("allow", "GET, HEAD"), ("cache-control", "no-store")], b""
        status, headers, body = found
        etag = dict(headers).get("etag")
        if status == 200 and etag is not None and _is_known(etag, known):
            status, body = 304, b""
        return status, with_custom([*STANDARD, *headers], await self._custom()), body

    def _found(self, path: str, query: str) -> Answer | None:
        if path in _ELSEWHERE:
            view = _ELSEWHERE[path]
            target = f"{view}?{query}" if _QUERY.fullmatch(query) else view
            return 307, [("location", target), ("cache-control", "no-store")], b""
        if not path.startswith("/ui/"):
            return None
        if path.startswith(_FILES):
            file = self._files.get(path[len(_FILES) :])
            if file is not None:
                # asked for again each time, so that all modules are of one version
                fields = [
                    ("content-type", file.content_type),
                    ("etag", file.etag),
                    ("cache-control", "no-cache"),
                ]
                return 200, fields, file.body
        if _CALLBACK.fullmatch(path):
            return _document(self._callback)
        return _document(self._shell, 200 if path in VIEWS else 404)

    async def _custom(self) -> Headers:
        """What the operator adds. A sealed server does not know it."""
        try:
            return await read_ui_headers(await self._storage.begin())
        except Sealed:
            return []


def _document(file: File, status: int = 200) -> Answer:
    """A document is kept nowhere: not on disk, and not to go back to (CVE-2021-38554)."""
    return status, [("content-type", file.content_type), ("cache-control", "no-store")], file.body


def _is_known(etag: str, known: str) -> bool:
    """Whether a client has this version (RFC 9110, section 13.1.2)."""
    return known.strip() == "*" or any(
        each.strip().removeprefix("W/") == etag for each in known.split(",")
    )
