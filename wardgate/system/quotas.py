"""``sys/quotas``: rate limits for everybody, and how they are enforced."""

import re
from typing import Annotated

from wardgate.core.core import Core
from wardgate.core.mounts import Mount, MountTable
from wardgate.core.operation import Operation
from wardgate.core.quotas import (
    QuotaTable,
    RateLimit,
    quota_table,
    save_quota_table,
    whole_rate,
)
from wardgate.core.request import JsonMap, Request, Response, listing, no_content
from wardgate.errors import InvalidRequest, NotFound, UnsupportedPath
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, Duration, Strings
from wardgate.framework.paging import Page

MOST_QUOTAS = 10_000
"""All of them are one record, which is read whole."""
_NAME = re.compile(r"\w(?:[\w.-]*\w)?", re.ASCII)
_LONGEST_PATH = 4096
_ODD_SEGMENTS = ("", ".", "..")
_WHOLE = 1e15  # from here on, numbers are not written out


class RateLimitBody(Body):
    """A rate limit."""

    block_interval: Annotated[
        Duration, Doc("For how long a client that reached the limit is refused everything.")
    ] = 0
    inheritable: Annotated[
        bool | None, Doc("Accepted and shown: there are no namespaces to inherit it.")
    ] = None
    interval: Annotated[Duration, Doc("The length of the interval, one second by default.")] = 0
    path: Annotated[
        str,
        Doc(
            "What the limit is for: a mount, a path in it, also with '*' at its end; or, empty, all."
        ),
    ] = ""
    rate: Annotated[float, Doc("How many requests each client may send in an interval.")] = 0.0
    role: Annotated[str, Doc("With an auth method as path: only logins with this role.")] = ""
    type: Annotated[str, Doc("Accepted; there are only rate limits.")] = ""


class QuotaConfigBody(Body):
    """How rate limits are enforced; what is not given goes back to its default."""

    enable_rate_limit_audit_logging: Annotated[
        bool, Doc("Whether refused requests are written to the audit log.")
    ] = False
    enable_rate_limit_response_headers: Annotated[
        bool, Doc("Whether answers tell how many requests are left.")
    ] = False
    rate_limit_exempt_paths: Annotated[
        Strings, Doc("Paths, and all that begin like one of them, that are never limited.")
    ] = ()


class QuotaEndpoints:
    """List, read, write and delete rate limits, and configure them."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("quotas/config", Operation.READ, operation_id="rate-limit-quotas-read-configuration")
    async def read_config(self, request: Request) -> Response:
        """Read how rate limits are enforced."""
        table = await quota_table(request.transaction)
        return Response(
            {
                "enable_rate_limit_audit_logging": table.audit_logging,
                "enable_rate_limit_response_headers": table.response_headers,
                "rate_limit_exempt_paths": table.exempt_paths,
            }
        )

    @endpoint("quotas/config", Operation.UPDATE, operation_id="rate-limit-quotas-configure")
    async def configure(self, request: Request, body: QuotaConfigBody) -> Response:
        """Set how rate limits are enforced, all of it."""
        table = await quota_table(request.transaction)
        changed = QuotaTable(
            table.limits,
            tuple(path.strip() for path in body.rate_limit_exempt_paths),
            response_headers=body.enable_rate_limit_response_headers,
            audit_logging=body.enable_rate_limit_audit_logging,
        )
        save_quota_table(request.transaction, changed)
        return no_content()

    @endpoint("quotas/rate-limit", Operation.LIST, operation_id="rate-limit-quotas-list")
    async def list_quotas(self, request: Request, page: Page) -> Response:
        """List the names of the rate limits."""
        mounts = await self._core.mounts.table(request.transaction)
        table = await quota_table(request.transaction)
        names = sorted(limit.name for limit in _alive(table, mounts))
        return listing([name for name in names if name > page.after][: page.most])

    @endpoint("quotas/rate-limit/{name}", Operation.READ, operation_id="rate-limit-quotas-read")
    async def read(self, request: Request, name: str) -> Response:
        """Read a rate limit."""
        _check_name(name)
        mounts = await self._core.mounts.table(request.transaction)
        for limit in _alive(await quota_table(request.transaction), mounts):
            if limit.name == name:
                return Response(_shown(limit, mounts.by_uuid.get(limit.mount)))
        raise NotFound

    @endpoint("quotas/rate-limit/{name}", Operation.UPDATE, operation_id="rate-limit-quotas-write")
    async def write(self, request: Request, name: str, body: RateLimitBody) -> Response:
        """Write a rate limit; what is not given has its default."""
        _check_name(name)
        if body.rate <= 0:
            raise InvalidRequest("'rate' is invalid")
        mounts = await self._core.mounts.table(request.transaction)
        mount, path = _place(mounts, body.path)
        if body.role:
            _check_role(mounts, mount, path)
        limit = RateLimit(
            name=name,
            rate=body.rate,
            most=whole_rate(body.rate),
            interval=body.interval or 1,
            block=body.block_interval,
            mount=mount.uuid if mount else "",
            path=path,
            role=body.role,
            inheritable=mount is None if body.inheritable is None else body.inheritable,
        )
        table = await quota_table(request.transaction)
        others = tuple(each for each in _alive(table, mounts) if each.name != name)
        for other in others:
            if other.scope == limit.scope:
                raise InvalidRequest(
                    f'quota rule with similar properties exists under the name "{other.name}"'
                )
        if len(others) >= MOST_QUOTAS:
            raise InvalidRequest(f"there are {MOST_QUOTAS} quotas already; delete one first")
        save_quota_table(request.transaction, table.with_limits((*others, limit)))
        return no_content()

    @endpoint("quotas/rate-limit/{name}", Operation.DELETE, operation_id="rate-limit-quotas-delete")
    async def delete(self, request: Request, name: str) -> Response:
        """Delete a rate limit."""
        _check_name(name)
        table = await quota_table(request.transaction)
        rest = tuple(limit for limit in table.limits if limit.name != name)
        if len(rest) < len(table.limits):
            save_quota_table(request.transaction, table.with_limits(rest))
        return no_content()


def _alive(table: QuotaTable, mounts: MountTable) -> list[RateLimit]:
    """The limits without those whose mount is gone; the next write leaves those out for good."""
    return [limit for limit in table.limits if not limit.mount or limit.mount in mounts.by_uuid]


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UnsupportedPath


def _place(mounts: MountTable, given: str) -> tuple[Mount | None, str]:
    """The mount that a path lies in, and the rest of the path; no mount where it is for all."""
    path = given.removeprefix("/").rstrip("/")
    if not path:
        return None, ""
    mount = mounts.find(path)
    if mount is None:
        raise InvalidRequest("path: invalid mount path; begin with the path of a mount")
    rest = path[len(mount.path) :]
    odd = rest and any(segment in _ODD_SEGMENTS for segment in rest.split("/"))
    if odd or len(path) > _LONGEST_PATH:
        raise InvalidRequest(
            "path: must not contain '.' or '..' segments or empty ones, or be longer than"
            f" {_LONGEST_PATH} characters"
        )
    return mount, rest


def _check_role(mounts: MountTable, mount: Mount | None, path: str) -> None:
    if path:
        raise InvalidRequest(
            "Quotas cannot contain both a path suffix and a role. If a role is provided, path must"
            " be a valid auth mount with a concept of roles"
        )
    if mount is None or not mount.is_auth:
        raise InvalidRequest(
            "path: not a valid auth method and therefore unsuitable for use with role-based quotas"
        )
    if not mounts.backend(mount).has_login_roles:
        raise InvalidRequest("path: this auth method does not support role-based quotas")


def _shown(limit: RateLimit, mount: Mount | None) -> JsonMap:
    whole = limit.rate.is_integer() and limit.rate < _WHOLE
    return {
        "block_interval": limit.block,
        "inheritable": limit.inheritable,
        "interval": limit.interval,
        "name": limit.name,
        "path": (mount.path if mount else "") + limit.path,
        "rate": int(limit.rate) if whole else limit.rate,
        "role": limit.role,
        "type": "rate-limit",
    }
