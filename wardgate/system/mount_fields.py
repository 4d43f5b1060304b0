"""What mounting and tuning take and show, for secret engines and auth methods alike."""

import re
from typing import Annotated, Any

import msgspec

from wardgate import __version__
from wardgate.core.mounts import Mount, MountConfig
from wardgate.core.request import JsonMap
from wardgate.core.settings import Settings
from wardgate.durations import parse_length
from wardgate.errors import InvalidRequest
from wardgate.framework.fields import Body, BodyReader, Doc, JsonObject, StringList, StringMap
from wardgate.system.lockout_fields import changed_lockout, shown_lockout

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
ALWAYS_THERE = ("system", "token", "cubbyhole", "identity")
"""Kinds that are part of every server, and so have no status of their own."""
LISTING = ("", "hidden", "unauth")
TOKEN_TYPES = ("default-service", "default-batch", "service", "batch")


class ConfigBody(Body):
    """The fields that both mounting (below ``config``) and tuning have."""

    allowed_response_headers: Annotated[
        StringList | None, Doc("Headers that the backend may set on its answers.")
    ] = None
    audit_non_hmac_request_keys: Annotated[
        StringList | None, Doc("Request fields that the audit log shows in clear.")
    ] = None
    audit_non_hmac_response_keys: Annotated[
        StringList | None, Doc("Response fields that the audit log shows in clear.")
    ] = None
    default_lease_ttl: Annotated[
        str | None, Doc("Default TTL of this mount; 'system' or 0 for the system's.")
    ] = None
    listing_visibility: Annotated[
        str | None, Doc("Whether the mount is listed to anybody: 'unauth', 'hidden' or ''.")
    ] = None
    max_lease_ttl: Annotated[
        str | None, Doc("Maximum TTL of this mount; 'system' or 0 for the system's.")
    ] = None
    passthrough_request_headers: Annotated[
        StringList | None, Doc("Request headers that the backend gets to see.")
    ] = None
    token_type: Annotated[
        str | None, Doc("The kind of token that logins get: service, batch or a default-.")
    ] = None


class MountConfigBody(ConfigBody):
    """``config`` of a new mount."""

    force_no_cache: Annotated[bool | None, Doc("Accepted; nothing stale is ever answered.")] = None
    user_lockout_config: Annotated[JsonObject | None, Doc("User lockout of this mount.")] = None


class MountBody(Body):
    """A new mount."""

    config: Annotated[JsonObject | None, Doc("Settings, as for tune.")] = None
    description: Annotated[str, Doc("For people.")] = ""
    external_entropy_access: Annotated[bool, Doc("Accepted and shown.")] = False
    local: Annotated[bool, Doc("Accepted and shown.")] = False
    options: Annotated[StringMap | None, Doc("Options of the backend, as version for kv.")] = None
    plugin_name: Annotated[
        str, Doc("The kind of backend, if 'type' is 'plugin'.", deprecated=True)
    ] = ""
    plugin_version: Annotated[str, Doc("Accepted: all backends are built in.")] = ""
    seal_wrap: Annotated[bool, Doc("Accepted and shown.")] = False
    type: Annotated[str, Doc("The kind of backend, such as kv or userpass.")] = ""


class TuneBody(ConfigBody):
    """Changes to a mount."""

    description: Annotated[str | None, Doc("For people.")] = None
    options: Annotated[StringMap | None, Doc("Options of the backend.")] = None
    plugin_version: Annotated[
        str | None, Doc("Refused: all backends are built in, in one version.")
    ] = None
    user_lockout_config: Annotated[JsonObject | None, Doc("User lockout of this mount.")] = None


_CONFIG_READER = BodyReader(MountConfigBody)


def new_config(
    given: dict[str, Any] | None, kind: str, *, is_auth: bool, settings: Settings
) -> MountConfig:
    """The config of a new mount of this `kind` from what the client sent below ``config``."""
    body = _CONFIG_READER.read(given, [])
    config = changed_config(MountConfig(), body, is_auth=is_auth, settings=settings)
    if body.force_no_cache is not None:
        config = msgspec.structs.replace(config, force_no_cache=body.force_no_cache)
    if body.user_lockout_config:
        lockout = changed_lockout(None, body.user_lockout_config, kind)
        config = msgspec.structs.replace(config, user_lockout=lockout)
    if is_auth and not config.token_type:
        config = msgspec.structs.replace(config, token_type="default-service")
    return config


def changed_config(
    config: MountConfig, body: ConfigBody, *, is_auth: bool, settings: Settings
) -> MountConfig:
    """`config` with the given fields; `InvalidRequest` names the one that cannot be."""
    given: dict[str, Any] = {}
    for name in (
        "allowed_response_headers",
        "audit_non_hmac_request_keys",
        "audit_non_hmac_response_keys",
        "listing_visibility",
        "passthrough_request_headers",
        "token_type",
    ):
        value = getattr(body, name)
        if value is not None:
            given[name] = value
    for name in ("default_lease_ttl", "max_lease_ttl"):
        value = getattr(body, name)
        if value:  # an empty text leaves it as it is
            given[name] = _ttl(name, value)
    if not is_auth and given.get("token_type"):
        raise InvalidRequest("'token_type' can only be modified on auth mounts")
    changed = msgspec.structs.replace(config, **given)
    _check(changed, settings)
    return changed


def _ttl(name: str, value: str) -> int:
    if value == "system":
        return 0
    try:
        return parse_length(value)
    except ValueError:
        raise InvalidRequest(
            f"{name}: expected a duration such as '90s' or '1h30m', not negative, or 'system'"
        ) from None


def _check(config: MountConfig, settings: Settings) -> None:
    if config.listing_visibility not in LISTING:
        raise InvalidRequest("listing_visibility: use 'unauth', 'hidden' or ''")
    if config.token_type and config.token_type not in TOKEN_TYPES:
        raise InvalidRequest(f"token_type: use one of {', '.join(TOKEN_TYPES)}")
    longest = config.max_lease_ttl or settings.max_lease_ttl
    if config.default_lease_ttl > longest:
        raise InvalidRequest(
            "default_lease_ttl: cannot be greater than the effective max_lease_ttl"
            f" of {longest} seconds"
        )
    for name in ("passthrough_request_headers", "allowed_response_headers"):
        if not all(_HEADER.fullmatch(header) for header in getattr(config, name)):
            raise InvalidRequest(f"{name}: each must be the name of an HTTP header")


def shown_config(mount: Mount) -> JsonMap:
    """``config``, as mounts are listed with it."""
    config = mount.config
    shown: JsonMap = {
        "default_lease_ttl": config.default_lease_ttl,
        "max_lease_ttl": config.max_lease_ttl,
        "force_no_cache": config.force_no_cache,
    }
    if config.user_lockout is not None:
        shown["user_lockout_config"] = shown_lockout(config.user_lockout)
    return {**shown, **_optional(config)}


def shown_tuning(mount: Mount, settings: Settings) -> JsonMap:
    """What reading ``tune`` shows: the effective TTLs and what is set."""
    shown: JsonMap = {
        "default_lease_ttl": settings.default_ttl(mount),
        "max_lease_ttl": settings.max_ttl(mount),
        "force_no_cache": mount.config.force_no_cache,
        "description": mount.description,
        **_optional(mount.config),
    }
    if mount.options:
        shown["options"] = mount.options
    if mount.config.user_lockout is not None:
        shown |= shown_lockout(mount.config.user_lockout)
    return shown


def _optional(config: MountConfig) -> JsonMap:
    names = (
        "allowed_response_headers",
        "audit_non_hmac_request_keys",
        "audit_non_hmac_response_keys",
        "listing_visibility",
        "passthrough_request_headers",
        "token_type",
    )
    return {name: value for name in names if (value := getattr(config, name))}


def shown_mount(mount: Mount) -> JsonMap:
    """A mount as it is listed and read."""
    shown: JsonMap = {
        "accessor": mount.accessor,
        "config": shown_config(mount),
        "description": mount.description,
        "external_entropy_access": mount.external_entropy_access,
        "local": mount.local,
        "options": mount.options,
        "plugin_version": "",
        "running_plugin_version": f"v{__version__}+builtin.wardgate",
        "running_sha256": "",
        "seal_wrap": mount.seal_wrap,
        "type": mount.type,
        "uuid": mount.uuid,
    }
    if mount.type not in ALWAYS_THERE:
        shown["deprecation_status"] = "supported"
    return shown
