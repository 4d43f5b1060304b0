"""What the endpoints of logins at a provider are sent."""

from typing import Annotated

from wardgate.framework.fields import Body, Doc


class AuthUrlBody(Body):
    """How a login begins."""

    role: Annotated[str, Doc("The role to log in by; else the mount's default role.")] = ""
    redirect_uri: Annotated[
        str, Doc("Where the provider sends the browser back to. Not needed for a device.")
    ] = ""
    client_nonce: Annotated[
        str,
        Doc(
            "A text that only the program knows which begins the login; it is asked for again at"
            " its end. Needed with the callback modes direct and device."
        ),
    ] = ""


class CallbackQuery(Body):
    """What a browser brings back from the provider, and the program adds."""

    state: Annotated[str, Doc("Which login it is.", query=True)] = ""
    code: Annotated[str, Doc("The provider's authorization code.", query=True)] = ""
    client_nonce: Annotated[str, Doc("The client_nonce of auth_url.", query=True)] = ""
    confirmation: Annotated[
        str, Doc("Set when the person at the browser has confirmed the login.", query=True)
    ] = ""
    error: Annotated[str, Doc("The provider's error code.", query=True)] = ""
    error_description: Annotated[str, Doc("What the provider says of it.", query=True)] = ""
    error_uri: Annotated[str, Doc("Where the provider says more.", query=True)] = ""
    id_token: Annotated[
        str,
        Doc(
            "Not looked at: an ID token is good only when it is posted. OpenBao's command line sends"
            " an empty one.",
            query=True,
        ),
    ] = ""
    iss: Annotated[str, Doc("Which provider it comes from (RFC 9207).", query=True)] = ""


class CallbackForm(CallbackQuery):
    """The same, as a form."""

    id_token: Annotated[str, Doc("The provider's ID token.")] = ""


class PollBody(Body):
    """Which login is asked for."""

    state: Annotated[str, Doc("The state of auth_url's answer.")] = ""
    client_nonce: Annotated[str, Doc("The client_nonce of auth_url.")] = ""
