"""Where the browser comes back to after a login at an OpenID provider: a listener for one answer.

It knows one path, ``/oidc/callback``, and takes only what carries the state of the login that waits;
whatever else comes, from other pages or programs, is refused and changes nothing.
"""

import hmac
import queue
import threading
from collections.abc import Mapping
from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from os import strerror
from socket import AI_PASSIVE, SOCK_STREAM, AddressFamily, getaddrinfo
from socketserver import TCPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from wardgate.cli.failure import CommandFailed
from wardgate.pages import CONTENT_TYPE, HEADERS, page

PATH = "/oidc/callback"
FIELDS = ("state", "code", "id_token", "iss", "error", "error_description")
_LONGEST = 256 * 1024  # bytes of a form
_MOST_DIGITS = 9  # of such a length; more could not even be read as a number
_MOST_FIELDS = 50
_CONNECTION_SECONDS = 30.0
_ANSWER_SECONDS = 120.0  # that a browser waits for the server behind us


class Callback:
    """What the browser brought. It waits until `answer` is called."""

    def __init__(self, fields: Mapping[str, str], *, posted: bool) -> None:
        self.fields = fields
        self.posted = posted
        self._page = b""
        self._answered = threading.Event()
        self._sent = threading.Event()

    def answer(self, title: str, text: str, *, failed: bool = False) -> None:
        """Show a page, and wait until it is sent."""
        self._page = page(title, text, failed=failed)
        self._answered.set()
        self._sent.wait(_CONNECTION_SECONDS)

    def page(self) -> bytes:
        """The page to show, once it is known."""
        if not self._answered.wait(_ANSWER_SECONDS):
            return page("Login failed", "Nobody waits for this login any more.", failed=True)
        return self._page

    def sent(self) -> None:
        self._sent.set()


class Listener:
    """Listens at all addresses of `host` on one port, which the system chooses when it is 0."""

    def __init__(self, host: str, port: int) -> None:
        self._state: str | None = None
        self._found: queue.Queue[Callback] = queue.Queue(maxsize=1)
        self._servers: list[_Server] = []
        self.port = port
        try:
            for family, address in _addresses(host, port):
                self._listen(family, address)
            if not self._servers:
                raise OSError(EADDRNOTAVAIL, strerror(EADDRNOTAVAIL))
        except (OSError, ValueError) as error:  # a ValueError is said of a name that cannot be one
            self._close()
            raise CommandFailed(_advice(error, port)) from error

    def __enter__(self) -> Self:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in self._servers:
            server.shutdown()
        self._close()

    def expect(self, state: str) -> None:
        """Take a callback with this state from now on."""
        self._state = state

    def wait(self, seconds: float) -> Callback | None:
        """The callback, or None when there was none for so long."""
        try:
            return self._found.get(timeout=seconds)
        except queue.Empty:
            return None

    def take(self, callback: Callback) -> bool:
        """Whether this is what is waited for. Each login is taken once."""
        state = callback.fields.get("state", "")
        if not self._state or not hmac.compare_digest(state.encode(), self._state.encode()):
            return False
        self._state = None
        self._found.put(callback)
        return True

    def _listen(self, family: AddressFamily, address: str) -> None:
        try:
            self._servers.append(_Server(self, family, (address, self.port)))
        except OSError as error:
            # a machine whose name localhost has an IPv6 address may be without IPv6
            if error.errno not in (EADDRNOTAVAIL, EAFNOSUPPORT):
                raise
            return
        self.port = self._servers[0].server_port

    def _close(self) -> None:
        for server in self._servers:
            server.server_close()


def _advice(error: OSError | ValueError, port: int) -> str:
    """What to give instead of what cannot be listened at."""
    if isinstance(error, OSError) and error.errno in (EACCES, EADDRINUSE):
        return (
            f"cannot listen at listenaddress, port {port}: {error.strerror}; give another "
            "port=, which the role's allowed_redirect_uris and the provider must know"
        )
    reason = error.strerror if isinstance(error, OSError) else "that is no name of a machine"
    return (
        f"cannot listen at listenaddress: {reason}; give an address of this machine, as in "
        "listenaddress=127.0.0.1"
    )


def _addresses(host: str, port: int) -> list[tuple[AddressFamily, str]]:
    """The addresses of a host, each once. An empty IPv6 stack has none."""
    found = getaddrinfo(host, port, type=SOCK_STREAM, flags=AI_PASSIVE)
    return list({(AddressFamily(family), str(where[0])): None for family, *_, where in found})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listener: Listener, family: AddressFamily, where: tuple[str, int]) -> None:
        self.listener = listener
        self.address_family = family
        super().__init__(where, _Handler)

    def server_bind(self) -> None:
        """Without asking for the name of the address, which the parent class does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks is nobody's concern here."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _CONNECTION_SECONDS
    server_version = "wardgate"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(urlsplit(self.path).query, posted=False)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length") or ""
        if not (length.isascii() and length.isdigit()):
            text = "The form came without its length (Content-Length)."
            self._show(411, page("Login failed", text, failed=True))
            return
        if len(length) > _MOST_DIGITS or int(length) > _LONGEST:
            self._show(413, page("Login failed", "The form is too long.", failed=True))
            return
        self._answer(self.rfile.read(int(length)).decode("utf-8", "replace"), posted=True)

    def _answer(self, text: str, *, posted: bool) -> None:
        if urlsplit(self.path).path != PATH:
            self._show(404, page("Nothing is here", "", failed=True))
            return
        try:
            found = parse_qs(text, max_num_fields=_MOST_FIELDS)
        except ValueError:
            found = {}
        fields = {name: found[name][0] for name in FIELDS if name in found}
        callback = Callback(fields, posted=posted)
        if not self.server.listener.take(callback):
            self._show(
                400, page("Login failed", "No login with this state is waited for.", failed=True)
            )
            return
        self._show(200, callback.page())
        callback.sent()

    def _show(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        for name, value in HEADERS:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the codes of logins are in the addresses."""
