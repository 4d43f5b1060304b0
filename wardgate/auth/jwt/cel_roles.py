"""CEL roles: an expression says who may log in, and what they get."""

import re
from typing import Annotated, Any

import msgspec

from wardgate.auth.jwt.cel import CelError, Evaluator, Program
from wardgate.auth.jwt.names import checked_name, is_name
from wardgate.auth.jwt.role_fields import (
    LEEWAY,
    SKEW,
    Audiences,
    ClockSkewLeeway,
    ExpirationLeeway,
    NotBeforeLeeway,
)
from wardgate.core.operation import Operation
from wardgate.core.records import Codec
from wardgate.core.request import JsonMap, Request, Response, listing, no_content
from wardgate.core.storage import View
from wardgate.errors import InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, JsonObject
from wardgate.framework.paging import Page

_ROLES = "cel/role/"
_LONGEST_SOURCE = 16 * 1024  # characters of all expressions of a role
_MOST_VARIABLES = 50
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_TAKEN = frozenset({"claims", "now", "operation"})


class CelRole(msgspec.Struct, frozen=True, kw_only=True):
    """A CEL role as stored. Leeways are seconds, as those of `validity.Expected`."""

    name: str
    program: Program
    message: str = ""
    bound_audiences: tuple[str, ...] = ()
    clock_skew_leeway: int = SKEW
    expiration_leeway: int = LEEWAY
    not_before_leeway: int = LEEWAY

    def show(self) -> JsonMap:
        """The role as it is read."""
        variables = [
            {"name": name, "expression": expression} for name, expression in self.program.variables
        ]
        shown = {field: getattr(self, field) for field in self.__struct_fields__}
        del shown["program"]
        return {
            **shown,
            "cel_program": {
                **({"variables": variables} if variables else {}),
                "expression": self.program.expression,
            },
        }


class CelRoleBody(Body):
    """A CEL role's fields."""

    cel_program: Annotated[
        JsonObject | None,
        Doc("An 'expression', and a list of 'variables', each with 'name' and 'expression'."),
    ] = None
    message: Annotated[str | None, Doc("A note for people. It is not used.")] = None
    bound_audiences: Audiences = None
    clock_skew_leeway: ClockSkewLeeway = None
    expiration_leeway: ExpirationLeeway = None
    not_before_leeway: NotBeforeLeeway = None


_PLAIN = (
    "message", "bound_audiences", "clock_skew_leeway", "expiration_leeway", "not_before_leeway",
)  # fmt: skip
CEL_ROLE: Codec[CelRole] = Codec(CelRole)


async def cel_role_of(storage: View, name: str) -> CelRole | None:
    """The CEL role called `name`, in any case; None for what no role can be called, too."""
    if not is_name(name):
        return None
    return await storage.get(_ROLES + name.lower(), CEL_ROLE)


class CelRoleEndpoints:
    """Make, list, read, change and delete CEL roles."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    @endpoint("cel/role", Operation.LIST, operation_id="jwt-list-cel")
    async def list_roles(self, request: Request, page: Page) -> Response:
        """List the names of the CEL roles."""
        return listing(await request.storage.list(_ROLES, page.after, page.most))

    @endpoint("cel/role/{name}", Operation.READ, operation_id="jwt-read-cel-role", folded=True)
    async def read_role(self, request: Request, name: str) -> Response:
        """Read a CEL role."""
        role = await cel_role_of(request.storage, checked_name(name))
        if role is None:
            raise NotFound
        return Response(role.show())

    @endpoint("cel/role/{name}", Operation.UPDATE, operation_id="jwt-write-cel-role", folded=True)
    async def write_role(self, request: Request, name: str, body: CelRoleBody) -> Response:
        """Make a CEL role, or replace one as a whole."""
        name = checked_name(name)
        if body.cel_program is None:
            raise InvalidRequest("missing required field 'cel_program'")
        program = _program(body.cel_program, Program(expression=""))
        return await self._save(request, CelRole(name=name, program=program), body)

    @endpoint("cel/role/{name}", Operation.PATCH, operation_id="jwt-patch-cel-role", folded=True)
    async def patch_role(self, request: Request, name: str, body: CelRoleBody) -> Response:
        """Change the given fields of a CEL role."""
        role = await cel_role_of(request.storage, checked_name(name))
        if role is None:
            raise InvalidRequest("Unable to fetch cel role entry to patch")
        if body.cel_program is not None:
            program = _program(body.cel_program, role.program)
            role = msgspec.structs.replace(role, program=program)
        return await self._save(request, role, body)

    @endpoint("cel/role/{name}", Operation.DELETE, operation_id="jwt-delete-cel-role", folded=True)
    async def delete_role(self, request: Request, name: str) -> Response:
        """Delete a CEL role. Tokens live on to their end but are not renewed."""
        request.storage.delete(_ROLES + checked_name(name))
        return no_content()

    async def _save(self, request: Request, role: CelRole, body: CelRoleBody) -> Response:
        given = {field: value for field in _PLAIN if (value := getattr(body, field)) is not None}
        role = msgspec.structs.replace(role, **given)
        try:
            # not once for all tries: the role that is patched may be another one in the next
            await request.once(f"check {role.program}", lambda: self._evaluator.check(role.program))
        except CelError as error:
            where = (
                f"the variable at {_place(role.program, error.where)}"
                if error.where
                else ("its expression")
            )
            raise InvalidRequest(f"cel_program: {where} is not valid CEL: {error}") from None
        request.storage.put(_ROLES + role.name, role, CEL_ROLE)
        return Response(role.show())


def _place(program: Program, name: str) -> int:
    """The place of a variable, counted from 0."""
    return [each for each, _ in program.variables].index(name)


def _program(given: dict[str, Any], before: Program) -> Program:
    """The program in the field cel_program; what it does not say stays as `before`."""
    expression = given.get("expression", before.expression)
    if not isinstance(expression, str):
        raise InvalidRequest("cel_program: 'expression' must be text")
    if not expression:
        raise InvalidRequest("cel_program.expression cannot be empty")
    variables = before.variables
    if given.get("variables") is not None:
        if not isinstance(given["variables"], list):
            raise InvalidRequest("cel_program: 'variables' must be a list of objects")
        variables = tuple(map(_variable, given["variables"]))
    _check_names([name for name, _ in variables])
    if len(expression) + sum(len(source) for _, source in variables) > _LONGEST_SOURCE:
        raise InvalidRequest(
            f"cel_program: all expressions may have {_LONGEST_SOURCE} characters together"
        )
    return Program(expression=expression, variables=variables)


def _variable(given: Any) -> tuple[str, str]:
    pair = (given.get("name"), given.get("expression")) if isinstance(given, dict) else (None, None)
    name, expression = pair
    if not isinstance(name, str) or not isinstance(expression, str):
        raise InvalidRequest("cel_program: each variable needs the texts 'name' and 'expression'")
    return name, expression


def _check_names(names: list[str]) -> None:
    if len(names) > _MOST_VARIABLES:
        raise InvalidRequest(f"cel_program: at most {_MOST_VARIABLES} variables are allowed")
    if not all(map(_VARIABLE.fullmatch, names)):
        raise InvalidRequest(
            "cel_program: a variable's name is made of letters, digits and '_', and does not begin"
            " with a digit"
        )
    if _TAKEN & set(names) or len(set(names)) < len(names):
        raise InvalidRequest(
            "cel_program: variables need names of their own, other than claims, now and operation"
        )
