"""Logins at an OpenID provider."""

from tests.conformance.wordings.wording import Wording

_FAILED = r"OpenBao login failed\. "

ERRORS = [
    Wording(
        r"(?:OpenBao login failed\. )?Could not load configuration\.?",
        "could not load configuration",
    ),
    Wording(
        _FAILED + "sub claim does not match bound subject",
        "Login failed. error validating token: invalid subject (sub) claim",
    ),
    Wording(
        _FAILED + r"Error exchanging oidc code: .* oauth2: \\*\"(?P<code>\w+)\\*\".*",
        "Login failed. Error exchanging oidc code: {code}",
    ),
    Wording(
        _FAILED + "An unknown error occurred during OIDC authentication.*",
        "Login failed. The provider refused, for an unknown reason.",
    ),
    Wording(_FAILED + "(?P<why>.*)", "Login failed. {why}"),
    Wording(r'role "[^"]*" could not be found', "role: there is none of this name"),
]
