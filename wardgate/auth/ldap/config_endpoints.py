"""``config``: read and write. A write changes what it names, as in Vault; all that can be checked
without asking the directory is checked then."""

import asyncio
from collections.abc import Callable

import msgspec

from wardgate.auth.ldap import filters, messages
from wardgate.auth.ldap.config import CONFIG, CONFIG_KEY, Config, configuration
from wardgate.auth.ldap.config_fields import DEFAULT_USER_FILTER, TLS_VERSIONS, ConfigBody
from wardgate.auth.ldap.dialing import addresses, tls_context
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.token_fields import changed_settings

_SECRETS = ("bindpass", "client_tls_key")
_NOT_SHOWN = (*_SECRETS, "client_tls_cert", "settings")  # the certificate as in the originals
_COLLIDING = (
    "userfilter configured does not consider userattr and may result in colliding entity aliases on"
    " logins"
)
_COLLIDING_PRINCIPALS = (
    "userattr: with upndomain, people are found by userPrincipalName, and all of them who have the same"
    " userattr get one entity alias; set userattr to userPrincipalName, or username_as_alias"
)
_UNIQUE_IN_A_DOMAIN = ("userprincipalname", "samaccountname")
_IN_CLEAR = "url: passwords travel in clear; use ldaps://, or ldap:// with starttls"
_ANY_CERTIFICATE = (
    "insecure_tls: whoever stands between gets the passwords and decides who gets in; trust the"
    " directory's CA in certificate instead"
)
_NULL_BINDS = "deny_null_bind: empty passwords are refused, whatever is written here"
_URL_EXPECTED = (
    "url: expected addresses such as ldaps://ldap.example.com:636 or ldap://10.0.0.1, separated by"
    " commas, without path or credentials"
)


class ConfigEndpoints:
    """Reads and writes the configuration. `changed` is called when a new one is durable."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed

    @endpoint("config", Operation.READ, operation_id="ldap-read-auth-configuration")
    async def read(self, request: Request) -> Response:
        """Read the configuration, without password and key."""
        config = await configuration(request.storage)
        shown = {
            name: value
            for name, value in msgspec.structs.asdict(config).items()
            if name not in _NOT_SHOWN
        }
        data = {**shown, "deny_null_bind": True, **config.settings.show()}
        return Response(data, warnings=_warnings(config) or None)

    @endpoint("config", Operation.UPDATE, operation_id="ldap-configure-auth")
    async def write(self, request: Request, body: ConfigBody) -> Response:
        """Change the given fields of the configuration."""
        config = await configuration(request.storage)
        given = {
            name: value
            for name in Config.__struct_fields__
            if name != "settings" and (value := getattr(body, name)) is not None
        }
        for name in ("url", "userattr"):
            if name in given:
                given[name] = given[name].lower()  # as the originals store them
        if "bindpass" in given:
            given["bindpass"] = given["bindpass"].rstrip(
                "\r\n"
            )  # a file's line end is no part of it
        config = msgspec.structs.replace(
            config, **given, settings=changed_settings(config.settings, body, {})
        )
        _check(config)
        await request.once(
            f"check {config.fingerprint.hex()}", lambda: asyncio.to_thread(_check_slowly, config)
        )
        request.storage.put(CONFIG_KEY, config, CONFIG)
        warnings = _warnings(config)
        if body.deny_null_bind is False:
            warnings.append(_NULL_BINDS)
        response = no_content(warnings)
        response.then = self._changed
        return response


def _warnings(config: Config) -> list[str]:
    """What may be wrong with a configuration that is possible."""
    found = []
    template = config.userfilter or DEFAULT_USER_FILTER
    if not (filters.has_place(template, "UserAttr") or config.userattr in template):
        found.append(_COLLIDING)
    aliased = config.searches and not config.username_as_alias
    if config.upndomain and aliased and config.userattr not in _UNIQUE_IN_A_DOMAIN:
        found.append(_COLLIDING_PRINCIPALS)
    far = [address for address in addresses(config.url) if not address.is_local]
    if any(not address.tls for address in far) and not config.starttls:
        found.append(_IN_CLEAR)
    if far and config.insecure_tls:
        found.append(_ANY_CERTIFICATE)
    return found


def _check(config: Config) -> None:
    """`InvalidRequest` for what cannot be."""
    try:
        addresses(config.url)
    except ValueError:
        raise InvalidRequest(_URL_EXPECTED) from None
    if TLS_VERSIONS.index(config.tls_max_version) < TLS_VERSIONS.index(config.tls_min_version):
        raise InvalidRequest("'tls_max_version' must be greater than or equal to 'tls_min_version'")
    if bool(config.client_tls_cert) != bool(config.client_tls_key):
        raise InvalidRequest("both client_tls_cert and client_tls_key must be set")
    for name in ("userattr", "groupattr"):
        if not filters.is_attribute(getattr(config, name)):
            raise InvalidRequest(f"{name}: expected the name of an attribute, such as cn")
    filters.checked_template("userfilter", config.userfilter, filters.USER_FIELDS)
    filters.checked_template("groupfilter", config.groupfilter, filters.GROUP_FIELDS)


def _check_slowly(config: Config) -> None:
    """`InvalidRequest` for filters that are none, and for certificates that cannot be used."""
    sample = {"UserAttr": config.userattr, "Username": "x", "UserDN": "cn=x"}
    for name in ("userfilter", "groupfilter"):
        template = getattr(config, name)
        try:
            if template:
                text = filters.filled_in(template, sample)
                if not filters.is_sound(text):
                    raise ValueError
                messages.search(1, "", messages.SUBTREE, text, (), dereference=0, most=0, seconds=0)
        except ValueError:
            raise InvalidRequest(
                f"invalid {name}: expected a filter such as (uid={{{{.Username}}}}), RFC 4515, with a"
                f" backslash just before two hexadecimal digits and {filters.DEEPEST} levels at most"
            ) from None
    try:
        tls_context(config)
    except ValueError as error:
        if str(error) == "certificate":
            message = "certificate: expected one or more certificates in PEM, and nothing else"
        else:
            message = "client_tls_cert, client_tls_key: expected a certificate and its key in PEM"
        raise InvalidRequest(message) from None
