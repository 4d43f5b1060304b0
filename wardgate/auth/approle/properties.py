"""Single properties of a role at paths of their own, all made of one table."""

from typing import Any, cast, get_type_hints

import msgspec

from wardgate.auth.approle.records import Role, canonical_role_name, role_by_name
from wardgate.auth.approle.roles import RoleBody, save_role, shown_role
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, no_content
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body


class Property(msgspec.Struct, frozen=True, kw_only=True):
    """What one path is about.

    `fields` are those of the role that it reads and writes, the first of them named when none is
    given. `reset` is what DELETE writes; without it there is no DELETE, and without `writable` only
    a READ. `about` completes "Read ...". `shown_as` is the name of the value where it is not its
    field's. With `empty_is_null` an empty list is shown as null, as Vault has it.
    """

    path: str
    about: str
    fields: tuple[str, ...]
    reset: JsonMap | None = None
    writable: bool = True
    shown_as: str = ""
    empty_is_null: bool = False
    warning: str = ""


_OLD_CIDRS = (
    'The "bound_cidr_list" field is deprecated and will be removed. Please use'
    ' "secret_id_bound_cidrs" instead.'
)
PROPERTIES = (
    Property(
        path="bind-secret-id",
        about="whether a login needs a secret id",
        fields=("bind_secret_id",),
        reset={"bind_secret_id": True},
    ),
    Property(
        path="bound-cidr-list",
        about="the blocks that logins may come from, by their old name",
        fields=("bound_cidr_list",),
        reset={"secret_id_bound_cidrs": ()},
        shown_as="secret_id_bound_cidrs",
        warning=_OLD_CIDRS,
    ),
    Property(
        path="local-secret-ids",
        about="whether the secret ids stay in this cluster",
        fields=("local_secret_ids",),
        writable=False,
    ),
    Property(
        path="period",
        about="the period of the tokens",
        fields=("period", "token_period"),
        reset={"token_period": 0},
    ),
    Property(
        path="policies",
        about="the policies of the tokens",
        fields=("token_policies", "policies"),
        reset={"token_policies": ()},
    ),
    Property(path="role-id", about="the id to log in with", fields=("role_id",)),
    Property(
        path="secret-id-bound-cidrs",
        about="the blocks that logins may come from",
        fields=("secret_id_bound_cidrs",),
        reset={"secret_id_bound_cidrs": ()},
    ),
    Property(
        path="secret-id-num-uses",
        about="how often new secret ids may be used",
        fields=("secret_id_num_uses",),
        reset={"secret_id_num_uses": 0},
    ),
    Property(
        path="secret-id-ttl",
        about="how long new secret ids live",
        fields=("secret_id_ttl",),
        reset={"secret_id_ttl": 0},
    ),
    Property(
        path="token-bound-cidrs",
        about="the blocks from which the tokens may be used",
        fields=("token_bound_cidrs",),
        reset={"token_bound_cidrs": ()},
        empty_is_null=True,
    ),
    Property(
        path="token-max-ttl",
        about="the longest life of the tokens",
        fields=("token_max_ttl",),
        reset={"token_max_ttl": 0},
    ),
    Property(
        path="token-num-uses",
        about="how often the tokens may be used",
        fields=("token_num_uses",),
        reset={"token_num_uses": 0},
    ),
    Property(
        path="token-ttl",
        about="the tokens' life until the first renewal",
        fields=("token_ttl",),
        reset={"token_ttl": 0},
    ),
)


def property_endpoints(core: Core) -> list[object]:
    """The endpoints of all properties, for one mount."""
    return [group(core) for group in _GROUPS]


class _Readable:
    """A property that can be read. Subclasses are made of the table, see `_group`."""

    declared: Property

    def __init__(self, core: Core) -> None:
        self._core = core

    async def _read(self, request: Request, role_name: str) -> Response:
        role = await role_by_name(request.storage, canonical_role_name(role_name))
        if role is None:
            raise NotFound
        warning = self.declared.warning
        return Response(_shown(self.declared, role), warnings=[warning] if warning else None)

    async def _write(self, request: Request, role_name: str, body: Body) -> Response:
        given = {name: getattr(body, name) for name in self.declared.fields}
        if all(value is None or value == "" for value in given.values()):
            raise InvalidRequest(f"missing {self.declared.fields[0]}")
        name = canonical_role_name(role_name)
        role = await role_by_name(request.storage, name)
        if role is None:
            raise NotFound("the role does not exist")
        await save_role(self._core, request, name, role, RoleBody(**given))
        return no_content()

    async def _reset(self, request: Request, role_name: str) -> Response:
        name = canonical_role_name(role_name)
        role = await role_by_name(request.storage, name)
        if role is not None:
            body = RoleBody(**(self.declared.reset or {}))
            await save_role(self._core, request, name, role, body)
        return no_content()


def _shown(declared: Property, role: Role) -> JsonMap:
    values = {**shown_role(role), "role_id": role.role_id}
    shown = {
        name: values[declared.shown_as or name]
        for name in declared.fields
        if (declared.shown_as or name) in values
    }
    if declared.empty_is_null:
        shown = {name: value or None for name, value in shown.items()}
    return shown


def _group(declared: Property) -> type[_Readable]:
    """A class with the endpoints of one property."""
    path, name = f"role/{{role_name}}/{declared.path}", declared.path
    hints = get_type_hints(RoleBody, include_extras=True)
    body_type = msgspec.defstruct(
        f"{name.title().replace('-', '')}Body",
        [(field, hints[field], None) for field in declared.fields],
        bases=(Body,),
    )

    async def read(self: _Readable, request: Request, role_name: str) -> Response:
        return await self._read(request, role_name)

    async def write(self: _Readable, request: Request, role_name: str, body: Body) -> Response:
        return await self._write(request, role_name, body)

    async def reset(self: _Readable, request: Request, role_name: str) -> Response:
        return await self._reset(request, role_name)

    write.__annotations__["body"] = body_type  # what it is read into
    members: dict[str, Any] = {"declared": declared}
    for verb, function, operation, wanted in (
        ("Read", read, Operation.READ, True),
        ("Write", write, Operation.UPDATE, declared.writable),
        ("Delete", reset, Operation.DELETE, declared.reset is not None),
    ):
        if wanted:
            end = " as new roles have it" if verb == "Delete" else ""
            function.__doc__ = f"{'Set' if verb != 'Read' else verb} {declared.about}{end}."
            declare = endpoint(
                path,
                operation,
                operation_id=f"app-role-{verb.lower()}-{name}",
                folded=True,
                status=200 if operation is Operation.READ else 204,
            )
            members[verb] = declare(function)
    return cast("type[_Readable]", type(f"_{name}", (_Readable,), members))


_GROUPS = [_group(declared) for declared in PROPERTIES]
