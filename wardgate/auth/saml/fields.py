"""What the endpoints of logins are sent."""

from typing import Annotated

from wardgate.framework.fields import Body, Doc

CLI, BROWSER = "cli", "browser"


class SsoServiceUrlBody(Body):
    """How a login begins."""

    role: Annotated[str, Doc("The role to log in by; else the mount's default role.")] = ""
    acs_url: Annotated[
        str,
        Doc(
            "Where the provider sends its answer: one of the mount's acs_urls. Needed where there are"
            " several."
        ),
    ] = ""
    client_challenge: Annotated[
        str,
        Doc(
            "Base64 of the SHA-256 digest of a text that only the program knows which begins the"
            " login, its client_verifier. Required."
        ),
    ] = ""
    client_type: Annotated[
        str,
        Doc(
            "What begins the login: cli, a program, or browser, a page. The same page answers the"
            " browser.",
            default=CLI,
        ),
    ] = CLI


class CallbackBody(Body):
    """What a browser brings from the provider, or from the page that asks for confirmation."""

    RelayState: Annotated[str, Doc("Which login it is; comes back from the provider.")] = ""
    SAMLResponse: Annotated[str, Doc("The provider's answer, in base64.")] = ""
    confirmation: Annotated[
        str, Doc("Sent by the page that asks whether the login is wanted; else empty.")
    ] = ""


class TokenBody(Body):
    """Which login a token is asked for, and proof that it is one's own."""

    token_poll_id: Annotated[str, Doc("The token_poll_id of sso_service_url's answer.")] = ""
    client_verifier: Annotated[str, Doc("The text whose digest was sent as client_challenge.")] = ""
