"""The mount's configuration: as whom the server asks browsers for keys, and from which pages."""

import re
import secrets
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from wardgate.core.operation import Operation
from wardgate.core.records import Codec
from wardgate.core.request import Request, Response, no_content
from wardgate.core.storage import View
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, StringList

USER_VERIFICATION = ("required", "preferred", "discouraged")
LOCALHOST = "localhost"
_KEY = "config"
_MOST_ORIGINS = 64
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_ADDRESS = re.compile(r"[0-9.]+")
_LONGEST_DISPLAY_NAME = 256


class ConfigBody(Body):
    """What can be set. What is not given stays as it is."""

    auto_registration: Annotated[
        bool | None,
        Doc("Whether whoever takes a name that is free becomes a user.", default=True),
    ] = None
    rp_display_name: Annotated[
        str | None, Doc("What browsers call this server; by default rp_id.")
    ] = None
    rp_id: Annotated[
        str | None,
        Doc("The domain that keys are for, such as example.com; all origins must lie in it."),
    ] = None
    rp_origins: Annotated[
        StringList | None,
        Doc("The origins of the pages that may ask for keys, such as https://vault.example.com."),
    ] = None
    user_verification: Annotated[
        str | None,
        Doc(
            "Whether authenticators are to check who uses them, by PIN or fingerprint: required,"
            " preferred or discouraged.",
            default="preferred",
        ),
    ] = None


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration as stored."""

    rp_id: str
    rp_origins: tuple[str, ...]
    rp_display_name: str = ""
    auto_registration: bool = True
    user_verification: str = "preferred"
    secret: bytes
    """32 random bytes, never shown: the key of the mount's hashes."""


CONFIG: Codec[Config] = Codec(Config)


async def configured(storage: View) -> Config:
    """The configuration; `InvalidRequest` while there is none."""
    config = await storage.get(_KEY, CONFIG)
    if config is None:
        raise InvalidRequest("this mount is not configured: write rp_id and rp_origins to config")
    return config


class ConfigEndpoints:
    """``config``."""

    @endpoint("config", Operation.READ, operation_id="webauthn-read-config")
    async def read_config(self, request: Request) -> Response:
        """Read the configuration."""
        config = await request.storage.get(_KEY, CONFIG)
        if config is None:
            raise NotFound
        return Response(
            {
                "auto_registration": config.auto_registration,
                "rp_display_name": config.rp_display_name or config.rp_id,
                "rp_id": config.rp_id,
                "rp_origins": config.rp_origins,
                "user_verification": config.user_verification,
            }
        )

    @endpoint("config", Operation.UPDATE, operation_id="webauthn-write-config")
    async def write_config(self, request: Request, body: ConfigBody) -> Response:
        """Write the configuration, or change the given fields of it."""
        config = await request.storage.get(_KEY, CONFIG)
        given: dict[str, Any] = {
            name: value
            for name in body.__struct_fields__
            if (value := getattr(body, name)) is not None
        }
        if config is None:
            for name in ("rp_id", "rp_origins"):
                if not given.get(name):
                    raise InvalidRequest(f"{name}: required")
            config = Config(rp_id="", rp_origins=(), secret=secrets.token_bytes(32))
        changed = _checked(msgspec.structs.replace(config, **given))
        request.storage.put(_KEY, changed, CONFIG)
        return no_content()


def _checked(config: Config) -> Config:
    """The configuration with origins as browsers write them; `InvalidRequest` if it cannot work."""
    rp_id = config.rp_id.lower()
    if not _DOMAIN.fullmatch(rp_id) or _ADDRESS.fullmatch(rp_id):
        raise InvalidRequest(
            "rp_id: give a domain such as example.com, or localhost, without scheme and port;"
            " browsers take no addresses"
        )
    if not 1 <= len(config.rp_origins) <= _MOST_ORIGINS:
        raise InvalidRequest(f"rp_origins: give 1 to {_MOST_ORIGINS} origins")
    if config.user_verification not in USER_VERIFICATION:
        raise InvalidRequest(f"user_verification: give one of {', '.join(USER_VERIFICATION)}")
    if len(config.rp_display_name) > _LONGEST_DISPLAY_NAME:
        raise InvalidRequest(f"rp_display_name: at most {_LONGEST_DISPLAY_NAME} characters")
    origins = tuple(dict.fromkeys(_origin(origin, rp_id) for origin in config.rp_origins))
    return msgspec.structs.replace(config, rp_id=rp_id, rp_origins=origins)


def _origin(origin: str, rp_id: str) -> str:
    """An origin as browsers write it: in lower case, without a port that goes without saying."""
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _no_origin() from None
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    rest = (parts.path.rstrip("/"), parts.query, parts.fragment, parts.username, parts.password)
    if usual is None or any(rest) or not _DOMAIN.fullmatch(host) or port == 0:
        raise _no_origin()
    local = host == LOCALHOST or host.endswith("." + LOCALHOST)
    if parts.scheme == "http" and not local:
        raise InvalidRequest("rp_origins: browsers give keys to https:// alone, but for localhost")
    has_hosts = "." in rp_id or rp_id == LOCALHOST  # "com" has none that belong together
    if host != rp_id and not (has_hosts and host.endswith("." + rp_id)):
        raise InvalidRequest(
            "rp_origins: each host must be rp_id or, if that has a dot in it, lie in that domain"
        )
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != usual else "")


def _no_origin() -> InvalidRequest:
    return InvalidRequest(
        "rp_origins: give scheme, host and port alone, as https://vault.example.com"
    )
