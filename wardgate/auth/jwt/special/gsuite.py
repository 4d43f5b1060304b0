"""Google Workspace: groups and custom fields of people, from its Directory API.

https://developers.google.com/admin-sdk/directory/reference/rest/v1/groups/list
https://developers.google.com/admin-sdk/directory/reference/rest/v1/users/get
"""

from typing import Any, Protocol
from urllib.parse import quote, urlencode

import msgspec

from wardgate.auth.jwt.claims import claim_of
from wardgate.auth.jwt.config import Config
from wardgate.auth.jwt.roles import Role
from wardgate.auth.jwt.special.google_access import GoogleAccess
from wardgate.core.core import Core
from wardgate.core.outgoing import OutgoingFailed
from wardgate.errors import InvalidRequest
from wardgate.framework.jws import Claims

_DIRECTORY = "https://admin.googleapis.com"
_MOST_REQUESTS = 200
"""For one login: groups in groups can be many, and go round in circles."""
_FINE = 200


class Settings(msgspec.Struct, frozen=True):
    """What of provider_config is about what to ask for."""

    fetch_groups: bool = False
    fetch_user_info: bool = False
    groups_recurse_max_depth: int = 0
    """How many groups around a group are looked for, one above the other."""
    user_custom_schemas: str = ""
    domain: str = ""
    directory_endpoint: str = _DIRECTORY


class Directory(Protocol):
    """What is asked of a directory of people. Raises `OutgoingFailed`."""

    async def groups_of(self, member: str) -> list[str]:
        """The addresses of the groups that a person or group is in itself."""
        ...

    async def custom_fields(self, person: str, schemas: str) -> dict[str, Any]:
        """The custom fields of somebody, by schema; `schemas` are names with commas."""
        ...


class GoogleDirectory:
    """The Directory API, by the access that `access` gives."""

    def __init__(self, core: Core, access: GoogleAccess, settings: Settings) -> None:
        self._core = core
        self._access = access
        self._base = f"{settings.directory_endpoint.rstrip('/')}/admin/directory/v1"
        self._domain = settings.domain
        self._left = _MOST_REQUESTS

    async def groups_of(self, member: str) -> list[str]:
        query = {"userKey": member, "fields": "nextPageToken,groups(email)"}
        if self._domain:
            query["domain"] = self._domain
        found: list[str] = []
        while True:
            page = await self._get("groups", query)
            groups = page.get("groups") or []
            if not isinstance(groups, list) or not all(isinstance(one, dict) for one in groups):
                raise OutgoingFailed("the answer has no list of groups")
            found += [str(group["email"]) for group in groups if group.get("email")]
            following = page.get("nextPageToken")
            if not following:
                return found
            query["pageToken"] = str(following)

    async def custom_fields(self, person: str, schemas: str) -> dict[str, Any]:
        query = {"projection": "custom", "customFieldMask": schemas, "fields": "customSchemas"}
        found = (await self._get(f"users/{quote(person, safe='')}", query)).get("customSchemas")
        return found if isinstance(found, dict) else {}

    async def _get(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        self._left -= 1
        if self._left < 0:
            raise OutgoingFailed(f"it takes more than {_MOST_REQUESTS} requests")
        token = await self._access.token()
        answer = await self._core.outgoing.send(
            "GET",
            f"{self._base}/{path}?{urlencode(query)}",
            headers={"Authorization": f"Bearer {token}"},
        )
        if answer.status != _FINE:
            raise OutgoingFailed(f"the answer has status {answer.status}")
        found = answer.json()
        if not isinstance(found, dict):
            raise OutgoingFailed("the answer is no JSON object")
        return found


async def gsuite_groups(
    directory: Directory, settings: Settings, role: Role, claims: Claims
) -> tuple[str, ...] | None:
    """All groups of whoever logs in, and those around them as deep as configured, each once. None
    when they are not to be asked for. Raises `InvalidRequest`."""
    if not settings.fetch_groups:
        return None
    seen: dict[str, None] = {}
    members = [_user(role, claims)]
    try:
        for _ in range(settings.groups_recurse_max_depth + 1):
            found = [group for member in members for group in await directory.groups_of(member)]
            members = [group for group in dict.fromkeys(found) if group not in seen]
            if not members:
                break
            seen |= dict.fromkeys(members)
    except OutgoingFailed as error:
        raise InvalidRequest(f"failed to fetch groups of Google Workspace: {error}") from None
    return tuple(seen)


async def gsuite_fields(
    directory: Directory, settings: Settings, role: Role, claims: Claims
) -> Claims:
    """The custom fields of whoever logs in, as claims. Raises `InvalidRequest`."""
    if not (settings.fetch_user_info and settings.user_custom_schemas):
        return {}
    try:
        return await directory.custom_fields(_user(role, claims), settings.user_custom_schemas)
    except OutgoingFailed as error:
        raise InvalidRequest(f"failed to fetch the user from Google Workspace: {error}") from None


def settings_of(config: Config) -> Settings:
    """What is configured; `InvalidRequest` when it is of the wrong kind."""
    try:
        settings = msgspec.convert(config.provider_config, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"provider_config: {error}") from None
    if settings.groups_recurse_max_depth < 0:
        raise InvalidRequest("provider_config: groups_recurse_max_depth must not be negative")
    return settings


def _user(role: Role, claims: Claims) -> str:
    user = claim_of(claims, role.user_claim)
    if not isinstance(user, str) or not user:
        raise InvalidRequest(f'claim "{role.user_claim}" not found in token')
    return user
