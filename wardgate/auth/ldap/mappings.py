"""``users`` and ``groups``: policies, and further groups, for people and groups of the directory."""

import hashlib
import re
from typing import Annotated, TypeVar
from urllib.parse import quote, unquote

import msgspec

from wardgate.auth.ldap.config import configuration
from wardgate.auth.ldap.names import LONGEST_NAME, login_name
from wardgate.core.logins import canonical_policies
from wardgate.core.operation import Operation
from wardgate.core.policies import ROOT
from wardgate.core.records import Codec
from wardgate.core.request import Request, Response, listing, no_content
from wardgate.core.storage import View
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, StringList
from wardgate.framework.paging import Page

_USERS, _GROUPS = "user/", "group/"
_LONGEST_GROUP = 1024  # characters
_MANY = 50  # groups of somebody, from which on the list of those with policies is read first
_LONGEST_IN_KEYS = 320  # bytes of a name that stands in a key as it is
_BEGINNING = 80  # bytes of a longer one that do
_SHORTENED = "%~"  # before the digest of one; nothing that is quoted has it
_NOT_IN_KEYS = re.compile(r"[%/\x00-\x1f\x7f]")


class UserBody(Body):
    """What somebody has beside what the directory says."""

    groups: Annotated[
        StringList, Doc("Comma-separated or JSON list of further groups that they are in.")
    ] = ()
    policies: Annotated[StringList, Doc("Comma-separated or JSON list of their policies.")] = ()


class GroupBody(Body):
    """What the members of a group have."""

    policies: Annotated[StringList, Doc("Comma-separated or JSON list of their policies.")] = ()


class User(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A user as stored; `name` where the key has just a part of it."""

    name: str = ""
    groups: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()


class Group(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A group as stored; `name` where the key has just a part of it."""

    name: str = ""
    policies: tuple[str, ...] = ()


N = TypeVar("N", User, Group)
USER: Codec[User] = Codec(User)
GROUP: Codec[Group] = Codec(Group)


async def user_of(storage: View, name: str) -> User:
    """What is mapped to somebody, by the one form of their name."""
    return await storage.get(_USERS + _stored(name), USER) or User()


async def group_policies(
    storage: View, groups: tuple[str, ...], *, case_sensitive: bool
) -> set[str]:
    """The policies of all these groups."""
    found: set[str] = set()
    keys = {_stored(_group_name(each, case_sensitive=case_sensitive)) for each in groups} - {""}
    if len(keys) > _MANY:
        keys &= {*await storage.list(_GROUPS)}
    for key in keys:
        group = await storage.get(_GROUPS + key, GROUP)
        found.update(group.policies if group else ())
    return found


class MappingEndpoints:
    """Reads and writes both."""

    @endpoint("users", Operation.LIST, operation_id="ldap-list-users")
    async def list_users(self, request: Request, page: Page) -> Response:
        """List the names of users with policies or groups here."""
        return await _listed(request, _USERS, USER, page)

    @endpoint("users/{name...}", Operation.READ, operation_id="ldap-read-user", folded=True)
    async def read_user(self, request: Request, name: str) -> Response:
        """Read a user's policies and groups."""
        user = await request.storage.get(await _user_key(request, name), USER)
        if user is None:
            raise NotFound
        return Response({"groups": ",".join(user.groups), "policies": user.policies})

    @endpoint("users/{name...}", Operation.UPDATE, operation_id="ldap-write-user", folded=True)
    async def write_user(self, request: Request, name: str, body: UserBody) -> Response:
        """Give a user these policies and groups and no others."""
        config = await configuration(request.storage)
        groups = {
            _group_name(each, case_sensitive=config.case_sensitive_names) for each in body.groups
        }
        known = await _user_name(request, name)
        user = User(
            name=_if_shortened(known),
            groups=tuple(sorted(groups)),
            policies=_policies(body.policies),
        )
        request.storage.put(_USERS + _stored(known), user, USER)
        return no_content()

    @endpoint("users/{name...}", Operation.DELETE, operation_id="ldap-delete-user", folded=True)
    async def delete_user(self, request: Request, name: str) -> Response:
        """Take all that away from a user, who can log in still."""
        request.storage.delete(await _user_key(request, name))
        return no_content()

    @endpoint("groups", Operation.LIST, operation_id="ldap-list-groups")
    async def list_groups(self, request: Request, page: Page) -> Response:
        """List the names of groups with policies here."""
        return await _listed(request, _GROUPS, GROUP, page)

    @endpoint("groups/{name...}", Operation.READ, operation_id="ldap-read-group", folded=True)
    async def read_group(self, request: Request, name: str) -> Response:
        """Read a group's policies."""
        group = await request.storage.get(await _group_key(request, name), GROUP)
        if group is None:
            raise NotFound
        return Response({"policies": group.policies})

    @endpoint("groups/{name...}", Operation.UPDATE, operation_id="ldap-write-group", folded=True)
    async def write_group(self, request: Request, name: str, body: GroupBody) -> Response:
        """Give a group these policies and no others."""
        known = await _group_named(request, name)
        group = Group(name=_if_shortened(known), policies=_policies(body.policies))
        request.storage.put(_GROUPS + _stored(known), group, GROUP)
        return no_content()

    @endpoint("groups/{name...}", Operation.DELETE, operation_id="ldap-delete-group", folded=True)
    async def delete_group(self, request: Request, name: str) -> Response:
        """Take its policies from a group."""
        request.storage.delete(await _group_key(request, name))
        return no_content()


def _policies(given: tuple[str, ...]) -> tuple[str, ...]:
    policies = canonical_policies(given, add_default=False)
    return (ROOT,) if ROOT in policies else policies


def _group_name(name: str, *, case_sensitive: bool) -> str:
    name = " ".join(name.split())
    return name if case_sensitive else name.lower()


def _stored(name: str) -> str:
    """A name as the last part of a key: no folder, nothing that a key may not have, and never too
    long: a long name is there by its beginning and a digest."""
    raw = name.encode(errors="surrogatepass")
    quoted = _quoted(name)
    if len(quoted.encode(errors="surrogatepass")) <= _LONGEST_IN_KEYS:
        return quoted
    digest = hashlib.blake2b(raw, digest_size=32).hexdigest()
    return f"{_quoted(raw[:_BEGINNING].decode(errors='ignore'))}{_SHORTENED}{digest}"


def _quoted(name: str) -> str:
    return _NOT_IN_KEYS.sub(lambda found: quote(found[0], safe=""), name)


def _if_shortened(name: str) -> str:
    """A name that its key does not tell; else nothing."""
    return name if _SHORTENED in _stored(name) else ""


async def _user_name(request: Request, name: str) -> str:
    config = await configuration(request.storage)
    known = login_name(name, case_sensitive=config.case_sensitive_names)
    if not known:
        raise InvalidRequest(f"name: expected up to {LONGEST_NAME} characters that can be seen")
    return known


async def _group_named(request: Request, name: str) -> str:
    config = await configuration(request.storage)
    known = _group_name(name, case_sensitive=config.case_sensitive_names)
    if not known or len(known) > _LONGEST_GROUP:
        raise InvalidRequest(f"name: expected up to {_LONGEST_GROUP} characters")
    return known


async def _user_key(request: Request, name: str) -> str:
    return _USERS + _stored(await _user_name(request, name))


async def _group_key(request: Request, name: str) -> str:
    return _GROUPS + _stored(await _group_named(request, name))


async def _listed(request: Request, folder: str, codec: Codec[N], page: Page) -> Response:
    storage = request.storage
    names = []
    for key in await storage.list(folder, _stored(page.after) if page.after else "", page.most):
        name = unquote(key)
        if _SHORTENED in key and (record := await storage.get(folder + key, codec)):
            name = record.name
        names.append(name)
    return listing(names)
