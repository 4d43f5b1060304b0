"""Log in with a signed token, by a CEL role."""

import json
from typing import Annotated, Any

from wardgate.auth.jwt.cel import CelError, Evaluator, Result
from wardgate.auth.jwt.cel_roles import CelRole, cel_role_of
from wardgate.auth.jwt.config import Config
from wardgate.auth.jwt.keys import Keys
from wardgate.auth.jwt.login import asked_role, configuration, signed_claims
from wardgate.auth.jwt.validity import Expected, check_validity
from wardgate.core.cidr import parse_cidrs
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, TokenGrant
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc

CEL = "cel"
"""The kind of role that a token was given by, as its renewal has to know it."""
_SECOND = 10**9  # nanoseconds, which times in a pb.Auth are given in
_TOKEN_TYPES = ("default", "service", "batch", "default-service", "default-batch")
_LONGEST_MESSAGE = 1000  # characters
_FAILED = "error executing cel program: "


class CelLoginBody(Body):
    """A token, and the CEL role that it is to be used for."""

    jwt: Annotated[str, Doc("The signed JWT.")] = ""
    role: Annotated[str, Doc("The CEL role to log in by; else the mount's default role.")] = ""


class CelLoginEndpoints:
    """Logins by CEL roles."""

    def __init__(self, core: Core, keys: Keys, evaluator: Evaluator) -> None:
        self._core = core
        self._keys = keys
        self._evaluator = evaluator

    @endpoint("cel/login", Operation.UPDATE, operation_id="jwt-cel-login", unauthenticated=True)
    async def cel_login(self, request: Request, body: CelLoginBody) -> Response:
        """Log in with a signed token, by a CEL role."""
        config = await configuration(request)
        role = await cel_role_of(request.storage, asked_role(config, body.role))
        if role is None:
            raise InvalidRequest("role: there is none of this name")
        if not body.jwt:
            raise InvalidRequest("missing token")
        claims = await signed_claims(self._core, self._keys, request, config, body.jwt)
        check_validity(claims, _expected(config, role), request.time)
        try:
            result = await request.once(
                f"result {config.written} {role.program}",
                lambda: self._evaluator.evaluate(
                    role.program, claims, request.time, request.operation.value
                ),
            )
        except CelError as error:
            where = f"variable {error.where}: " if error.where else ""
            raise InvalidRequest(f"{_FAILED}CEL auth program failed: {where}{error}") from None
        return Response(grant=_grant(role, _allowed(role, result)))


def _expected(config: Config, role: CelRole) -> Expected:
    return Expected(
        issuer=config.bound_issuer,
        audiences=role.bound_audiences,
        clock_skew_leeway=role.clock_skew_leeway,
        expiration_leeway=role.expiration_leeway,
        not_before_leeway=role.not_before_leeway,
    )


def _allowed(role: CelRole, result: Result) -> JsonMap:
    """What is set in the message that lets somebody in; any other result keeps them out."""
    name = role.name
    if result.kind == "auth":
        found: JsonMap = result.value
        return found
    if result.kind == "string":
        text = result.value[:_LONGEST_MESSAGE]
        raise InvalidRequest(
            f"{_FAILED}CEL role '{name}' blocked authorization with message: {text}"
        )
    if result.kind == "bool" and not result.value:
        raise InvalidRequest(
            f"{_FAILED}CEL role '{name}' blocked authorization with boolean false return"
        )
    raise InvalidRequest(
        f"{_FAILED}CEL program '{name}' returned an unexpected type: use pb.Auth, false or a string"
    )


def _grant(role: CelRole, auth: JsonMap) -> TokenGrant:
    """The grant that a pb.Auth describes; `InvalidRequest` when it cannot be."""
    options = auth.get("lease_options", {})
    alias = auth.get("alias")
    if alias is not None and not alias.get("name"):
        raise InvalidRequest("missing name in alias")
    if "entity_id" in auth:
        raise _wrong("entity_id", "cannot be set; an alias leads to its entity")
    _check_internal_data(auth.get("internal_data", ""))
    kind = auth.get("token_type", 0)
    if kind >= len(_TOKEN_TYPES):
        raise _wrong("token_type", f"must be a number from 0 to {len(_TOKEN_TYPES) - 1}")
    return TokenGrant(
        display_name=auth.get("display_name", ""),
        policies=tuple(auth.get("policies", ())),
        no_default_policy=auth.get("no_default_policy", False),
        alias=alias["name"] if alias else "",
        alias_metadata=alias.get("metadata", {}) if alias else {},
        group_aliases=_groups(auth.get("group_aliases", [])),
        metadata=auth.get("metadata", {}),
        ttl=_seconds("lease_options.TTL", options.get("TTL", 0)),
        max_ttl=_seconds("lease_options.MaxTTL", options.get("MaxTTL", 0)),
        explicit_max_ttl=_seconds("explicit_max_ttl", auth.get("explicit_max_ttl", 0)),
        period=_seconds("period", auth.get("period", 0)),
        num_uses=_not_negative("num_uses", auth.get("num_uses", 0)),
        token_type=_TOKEN_TYPES[kind],
        bound_cidrs=parse_cidrs("bound_cidrs", auth.get("bound_cidrs", ())),
        renewable=options.get("renewable", False),
        renewal={"role": role.name, "role_type": CEL},
    )


def _groups(aliases: list[JsonMap]) -> tuple[str, ...]:
    names = tuple(alias.get("name", "") for alias in aliases)
    if not all(names):
        raise InvalidRequest("missing name in alias of a group")
    return names


def _check_internal_data(text: str) -> None:
    """It is kept by OpenBao and used by nobody; here it has to be right, too."""
    try:
        right: Any = json.loads(text or "{}")
    except (ValueError, RecursionError):
        right = None
    if not isinstance(right, dict):
        raise _wrong("internal_data", "must be a JSON object")


def _seconds(field: str, nanoseconds: int) -> int:
    return _not_negative(field, nanoseconds) // _SECOND


def _not_negative(field: str, value: int) -> int:
    if value < 0:
        raise _wrong(field, "cannot be negative")
    return value


def _wrong(field: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"error converting proto auth: {field}: {why}")
