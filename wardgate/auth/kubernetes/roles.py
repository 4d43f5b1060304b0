"""``role``: which service accounts of which namespaces get which tokens."""

from typing import Annotated

import msgspec

from wardgate.auth.kubernetes.selector import Selector, read_selector
from wardgate.core.core import Core
from wardgate.core.globs import glob_matches
from wardgate.core.mounts import Mount
from wardgate.core.operation import Operation
from wardgate.core.records import Codec
from wardgate.core.request import JsonMap, Request, Response, listing, no_content
from wardgate.core.storage import View
from wardgate.errors import InvalidRequest, NotFound, UnsupportedPath
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Doc, StringList
from wardgate.framework.names import is_name
from wardgate.framework.paging import Page
from wardgate.framework.token_fields import (
    OLD_NAMES,
    OldTokenFields,
    TokenSettings,
    changed_settings,
)

ROLES = "role/"
ANY = "*"
UID, NAME = "serviceaccount_uid", "serviceaccount_name"
ALIAS_SOURCES = (UID, NAME)
_LONGEST_NAME = 255  # characters
_SELECTOR = "bound_service_account_namespace_selector"


class RoleBody(OldTokenFields):
    """The fields of a role."""

    bound_service_account_names: Annotated[
        StringList | None,
        Doc("Names of service accounts that may log in; globs such as 'web-*' or '*' are allowed."),
    ] = None
    bound_service_account_namespaces: Annotated[
        StringList | None, Doc("Their namespaces; globs are allowed.")
    ] = None
    bound_service_account_namespace_selector: Annotated[
        str,
        Doc(
            "A label selector in JSON or YAML for further namespaces. A write without it takes it"
            " away."
        ),
    ] = ""
    audience: Annotated[str | None, Doc("Audience that tokens must be for.")] = None
    alias_name_source: Annotated[
        str | None,
        Doc(
            "What the alias is called: serviceaccount_uid, the account's uid, which is never used"
            " again, or serviceaccount_name, its namespace/name.",
            default=UID,
        ),
    ] = None


class Role(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A role as stored."""

    settings: TokenSettings = TokenSettings()
    names: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    selector_text: str = ""
    """The selector as it was written, to show it so again."""
    selector: Selector | None = None
    audience: str = ""
    alias_name_source: str = ""
    """One of `ALIAS_SOURCES`; empty only until the role is stored."""

    def allows_name(self, name: str) -> bool:
        """Whether service accounts of this name may log in."""
        return any(glob_matches(glob, name) for glob in self.names)

    def allows_namespace(self, namespace: str) -> bool:
        """Whether those of this namespace may, whatever its labels are."""
        return any(glob_matches(glob, namespace) for glob in self.namespaces)

    def show(self) -> JsonMap:
        """The role as it is read."""
        return {
            "alias_name_source": self.alias_name_source,
            **({"audience": self.audience} if self.audience else {}),
            "bound_service_account_names": self.names,
            "bound_service_account_namespaces": self.namespaces,
            _SELECTOR: self.selector_text,
            **self.settings.show(),
            **self.settings.show_old(OLD_NAMES),
        }


ROLE: Codec[Role] = Codec(Role)


def role_key(name: str) -> str | None:
    """The one form of a role's name; None for what no role can be called."""
    return name.lower() if is_name(name, _LONGEST_NAME) else None


async def role_of(storage: View, name: str) -> Role | None:
    """The role, however its name is spelt."""
    key = role_key(name)
    if key is None:
        return None
    return await storage.get(ROLES + key, ROLE)


class RoleEndpoints:
    """``role``: list, read, write and delete."""

    def __init__(self, core: Core, mount: Mount) -> None:
        self._settings = core.settings

    @endpoint("role", Operation.LIST, operation_id="kubernetes-list-auth-roles")
    async def list_roles(self, request: Request, page: Page) -> Response:
        """List the names of the roles."""
        return listing(await request.storage.list(ROLES, page.after, page.most))

    @endpoint("role/{name}", Operation.READ, operation_id="kubernetes-read-auth-role", folded=True)
    async def read_role(self, request: Request, name: str) -> Response:
        """Read a role."""
        _checked_key(name)
        role = await role_of(request.storage, name)
        if role is None:
            raise NotFound
        return Response(role.show())

    async def role_exists(self, request: Request, name: str) -> bool:
        return await role_of(request.storage, name) is not None

    @endpoint(
        "role/{name}",
        Operation.CREATE,
        Operation.UPDATE,
        operation_id="kubernetes-write-auth-role",
        folded=True,
        exists="role_exists",
    )
    async def write_role(self, request: Request, name: str, body: RoleBody) -> Response:
        """Make a role, or change the given fields of one."""
        key = _checked_key(name)
        role = await role_of(request.storage, name) or Role()
        settings = changed_settings(role.settings, body, OLD_NAMES)
        most = self._settings.max_ttl(request.mount)
        if settings.period > most:
            raise InvalidRequest(
                f"token_period: cannot be greater than the mount's maximum TTL of {most} seconds"
            )
        role = _changed(msgspec.structs.replace(role, settings=settings), body)
        request.storage.put(ROLES + key, role, ROLE)
        if settings.max_ttl > most:
            return no_content(
                [
                    "max_ttl is greater than the system or backend mount's maximum TTL value;"
                    " issued tokens' max TTL value will be truncated"
                ]
            )
        return no_content()

    @endpoint(
        "role/{name}", Operation.DELETE, operation_id="kubernetes-delete-auth-role", folded=True
    )
    async def delete_role(self, request: Request, name: str) -> Response:
        """Delete a role. Its tokens live on to their end but are not renewed."""
        request.storage.delete(ROLES + _checked_key(name))
        return no_content()


def _checked_key(name: str) -> str:
    key = role_key(name)
    if key is None:
        raise UnsupportedPath
    return key


def _changed(role: Role, body: RoleBody) -> Role:
    names, namespaces = role.names, role.namespaces
    if body.bound_service_account_names is not None:
        names = body.bound_service_account_names
    if body.bound_service_account_namespaces is not None:
        namespaces = body.bound_service_account_namespaces
    text = body.bound_service_account_namespace_selector
    if not names:
        raise InvalidRequest('"bound_service_account_names" can not be empty')
    _check_star(names)
    if not namespaces and not text:
        raise InvalidRequest(
            f'"bound_service_account_namespaces" can not be empty if "{_SELECTOR}" is not set'
        )
    selector = _selector(text) if text else None
    _check_star(namespaces)
    return msgspec.structs.replace(
        role,
        names=names,
        namespaces=namespaces,
        selector_text=text,
        selector=selector,
        audience=role.audience if body.audience is None else body.audience,
        alias_name_source=_alias_source(role, body.alias_name_source),
    )


def _check_star(globs: tuple[str, ...]) -> None:
    """Who writes a star beside names means something else than everybody."""
    if len(globs) > 1 and ANY in globs:
        raise InvalidRequest(f'can not mix "{ANY}" with values')


def _selector(text: str) -> Selector:
    try:
        return read_selector(text)
    except ValueError:
        raise InvalidRequest(
            f"{_SELECTOR}: expected a label selector in JSON or YAML with matchLabels,"
            " matchExpressions or both"
        ) from None


def _alias_source(role: Role, given: str | None) -> str:
    source = role.alias_name_source if given is None else given
    source = source or ("" if role.alias_name_source else UID)
    if source not in ALIAS_SOURCES:
        raise InvalidRequest(
            f"invalid alias_name_source, must be one of: {', '.join(ALIAS_SOURCES)}"
        )
    return source
