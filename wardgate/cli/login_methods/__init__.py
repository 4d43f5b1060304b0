"""How `wardgate login` proves who somebody is: one file for each kind of auth method."""

from collections.abc import Callable, Mapping, Sequence

from wardgate.cli.login_methods.jwt import with_jwt
from wardgate.cli.login_methods.ldap import with_directory_password
from wardgate.cli.login_methods.oidc import with_browser
from wardgate.cli.login_methods.saml import at_identity_provider
from wardgate.cli.login_methods.token import with_token
from wardgate.cli.login_methods.userpass import with_password
from wardgate.cli.session import Session
from wardgate.client.reply import Reply

Method = Callable[[Session, Sequence[str], str], Reply]
"""Logs in at the path of a mount with the words of the command line."""

METHODS: Mapping[str, Method] = {
    "token": with_token,
    "userpass": with_password,
    "ldap": with_directory_password,
    "jwt": with_jwt,
    "oidc": with_browser,
    "saml": at_identity_provider,
}
