"""The fields of ``config``."""

from typing import Annotated, Any

from wardgate.durations import parse_length, parse_nanoseconds
from wardgate.framework.fields import Doc, Kind, whole_number
from wardgate.framework.token_fields import TokenFields

TLS_VERSIONS = ("tls10", "tls11", "tls12", "tls13")
DEREFERENCES = ("never", "finding", "searching", "always")
LARGEST_PAGE = 2**31 - 1  # RFC 2696
DEFAULT_USER_FILTER = "({{.UserAttr}}={{.Username}})"
DEFAULT_GROUP_FILTER = "(|(memberUid={{.Username}})(member={{.UserDN}})(uniqueMember={{.UserDN}}))"


def _one_of(*values: str) -> Kind:
    def convert(value: Any) -> str:
        if isinstance(value, str) and value in values:
            return value
        raise ValueError

    return Kind(
        "string", f"one of {', '.join(values)}", convert, {"type": "string", "enum": list(values)}
    )


def _timeout(value: Any) -> int:
    """Whole seconds. What is less than one, but something, would become 0: no limit at all."""
    seconds = parse_length(value)
    if isinstance(value, float) or (not seconds and parse_nanoseconds(value)):
        raise ValueError
    return seconds


def _page_size(value: Any) -> int:
    size = whole_number(value)
    if not 0 <= size <= LARGEST_PAGE:
        raise ValueError
    return size


_TIMEOUT = Kind(
    "duration (sec)",
    "a duration such as 90, '90s' or '1h30m', from 1 second to 292 years, or 0",
    _timeout,
    {"type": "integer", "format": "seconds"},
)
_PAGE_SIZE = Kind(
    "int", f"a whole number from 0 to {LARGEST_PAGE}", _page_size, {"type": "integer"}
)
_TLS_VERSION = _one_of(*TLS_VERSIONS)
_DEREFERENCE = _one_of(*DEREFERENCES)


class ConfigBody(TokenFields):
    """Where the directory is, how people and their groups are found there, and their tokens."""

    anonymous_group_search: Annotated[
        bool | None,
        Doc("Whether groups are searched on a connection without a bind.", default=False),
    ] = None
    binddn: Annotated[
        str | None, Doc("DN of the service account that searches for people and groups.")
    ] = None
    bindpass: Annotated[str | None, Doc("Its password; never shown.")] = None
    case_sensitive_names: Annotated[
        bool | None,
        Doc("Whether the case of names counts where policies are looked up.", default=False),
    ] = None
    certificate: Annotated[
        str | None,
        Doc(
            "Certificates in PEM that the directory's is signed by; else the system's are trusted."
        ),
    ] = None
    client_tls_cert: Annotated[
        str | None, Doc("Certificate in PEM to show to the directory; needs client_tls_key.")
    ] = None
    client_tls_key: Annotated[str | None, Doc("Its key in PEM; never shown.")] = None
    connection_timeout: Annotated[
        int | None,
        _TIMEOUT,
        Doc("How long to wait for a connection before the next URL is tried.", default=30),
    ] = None
    deny_null_bind: Annotated[
        bool | None,
        Doc("Empty passwords are always refused.", deprecated=True, default=True),
    ] = None
    dereference_aliases: Annotated[
        str | None,
        _DEREFERENCE,
        Doc("When searches follow aliases.", default="never"),
    ] = None
    discoverdn: Annotated[
        bool | None,
        Doc("Whether people are searched for without a service account.", default=False),
    ] = None
    enable_samaccountname_login: Annotated[
        bool | None,
        Doc(
            "Whether, with upndomain, sAMAccountName is a name to log in with, too.", default=False
        ),
    ] = None
    groupattr: Annotated[
        str | None, Doc("Attribute of what groupfilter finds that names a group.", default="cn")
    ] = None
    groupdn: Annotated[str | None, Doc("DN below which groups are searched.")] = None
    groupfilter: Annotated[
        str | None,
        Doc(
            "Filter that finds somebody's groups, with {{.UserDN}} and {{.Username}}.",
            default=DEFAULT_GROUP_FILTER,
        ),
    ] = None
    insecure_tls: Annotated[
        bool | None,
        Doc("Whether any certificate of the directory will do: very insecure.", default=False),
    ] = None
    max_page_size: Annotated[
        int | None,
        _PAGE_SIZE,
        Doc("If not 0, groups are asked for in pages of this many.", default=0),
    ] = None
    request_timeout: Annotated[
        int | None,
        _TIMEOUT,
        Doc("How long everything that a login asks of the directory may take.", default=90),
    ] = None
    starttls: Annotated[
        bool | None, Doc("Whether ldap:// connections change to TLS (StartTLS).", default=False)
    ] = None
    tls_max_version: Annotated[
        str | None, _TLS_VERSION, Doc("The latest version of TLS.", default="tls12")
    ] = None
    tls_min_version: Annotated[
        str | None, _TLS_VERSION, Doc("The earliest version of TLS.", default="tls12")
    ] = None
    upndomain: Annotated[
        str | None, Doc("Domain of userPrincipalName: people log in as NAME@DOMAIN.")
    ] = None
    url: Annotated[
        str | None,
        Doc(
            "ldap:// or ldaps:// URLs of the directory, separated by commas, tried in this order.",
            default="ldap://127.0.0.1",
        ),
    ] = None
    use_pre111_group_cn_behavior: Annotated[
        bool | None,
        Doc("Whether groups are named by a CN written in capitals alone, as before Vault 1.1.1."),
    ] = None
    use_token_groups: Annotated[
        bool | None,
        Doc("Whether groups are those of Active Directory's tokenGroups.", default=False),
    ] = None
    userattr: Annotated[str | None, Doc("Attribute that is somebody's name.", default="cn")] = None
    userdn: Annotated[str | None, Doc("DN below which people are.")] = None
    userfilter: Annotated[
        str | None,
        Doc(
            "Filter that finds somebody, with {{.UserAttr}} and {{.Username}}.",
            default=DEFAULT_USER_FILTER,
        ),
    ] = None
    username_as_alias: Annotated[
        bool | None,
        Doc(
            "Whether the name that was given is the alias, not what the directory has.",
            default=False,
        ),
    ] = None
