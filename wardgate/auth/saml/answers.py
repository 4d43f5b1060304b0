"""The pages that people see at the end of a login, and refusals that are remembered."""

from wardgate import pages
from wardgate.auth.saml.flows import Flow
from wardgate.core.request import Request, Response

FAILED = "Login failed."
EXPIRED = f"{FAILED} It has expired, has ended already or never began: begin again."
UNTRUSTED = (
    f"{FAILED} The identity provider's answer cannot be verified; the server's log says more."
)
PENDING = "authorization_pending"
"""What a program is told that asks for its token too early."""


def refusal(message: str, status: int = 400) -> Response:
    """A refusal whose writes are kept."""
    return Response({"errors": [message]}, status=status, bare=True)


def failed(request: Request, message: str, status: int = 400) -> Response:
    """The login failed: a page for whoever looks at a browser, and JSON for programs."""
    if "text/html" not in (request.headers("accept") or ""):
        return refusal(message, status)
    text = message.removeprefix(FAILED).strip()
    return _page(pages.page("Login failed", text, failed=True), status)


def done_page() -> Response:
    """The login succeeded; the token goes to the program that began it."""
    return _page(
        pages.page("You are logged in", "You can close this window and go back to the program.")
    )


def confirmation_page(flow: Flow, subject: str) -> Response:
    """Asks whether the person at the browser has begun this login: else somebody could send them a
    link, and would get a token of theirs."""
    return _page(
        pages.page(
            "Did you begin this login?",
            "A program has asked to log in as you. It gets a token with your rights when you confirm.",
            "If you have not just started a login yourself, close this window.",
            facts=(
                ("You", subject),
                ("Role", flow.role),
                ("Asked from", flow.requester or "unknown"),
            ),
            button="Yes, log in",
            hidden={"RelayState": flow.state, "confirmation": flow.confirmation},
            posted=True,
        )
    )


def _page(content: bytes, status: int = 200) -> Response:
    response = Response(status=status, raw=content, content_type=pages.CONTENT_TYPE, bare=True)
    response.headers = [*pages.HEADERS]
    return response
