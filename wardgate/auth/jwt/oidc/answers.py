"""What a login at a provider answers: pages for browsers, and refusals that are remembered."""

from wardgate import pages
from wardgate.auth.jwt.oidc.flows import Flow
from wardgate.core.request import Response
from wardgate.errors import InvalidRequest

NO_CODE = "no_code"
"""Stands for a code that has been sent already, by form_post."""
FAILED = "Login failed."
EXPIRED = f"{FAILED} Expired or missing OAuth state."


def refusal(message: str) -> Response:
    """A refusal whose writes are kept."""
    return Response({"errors": [message]}, status=400, bare=True)


def unreachable(error: Exception) -> InvalidRequest:
    """The provider did not do what a login needs."""
    return InvalidRequest(f"{FAILED} The OpenID provider could not be asked: {error}")


def failed_page(message: str, status: int = 400) -> Response:
    """The login failed, for whoever looks at a browser."""
    return _page(
        pages.page("Login failed", message.removeprefix(FAILED).strip(), failed=True), status
    )


def done_page() -> Response:
    """The login succeeded; the token goes to the program that began it."""
    return _page(
        pages.page("You are logged in", "You can close this window and go back to the program.")
    )


def ended_page() -> Response:
    """The login has succeeded before, as when somebody clicks twice."""
    return _page(
        pages.page(
            "The login has ended already", "You can close this window and go back to the program."
        )
    )


def handed_over_page() -> Response:
    """What was posted is stored; the program that began the login goes on with it."""
    return _page(pages.page("The login goes on where it began", "You can close this window."))


def confirmation_page(flow: Flow, code: str, confirmation: str = "1") -> Response:
    """Asks whether the person at the browser has begun this login: else somebody could send them a
    link, and would get a token of theirs (CVE-2026-33757; RFC 8628, section 5.4).

    `code`, or `confirmation` where the code was posted, is what nobody else knows who would confirm.
    """
    return _page(
        pages.page(
            "Did you begin this login?",
            "A program has asked to log in as you. It gets a token with your rights when you confirm.",
            "If you have not just started a login yourself, close this window.",
            facts=(("Asked from", flow.requester or "unknown"), ("Role", flow.role)),
            button="Yes, log in",
            hidden={"state": flow.state, "code": code, "confirmation": confirmation},
        )
    )


def _page(content: bytes, status: int = 200) -> Response:
    response = Response(status=status, raw=content, content_type=pages.CONTENT_TYPE, bare=True)
    response.headers = [*pages.HEADERS]
    return response
