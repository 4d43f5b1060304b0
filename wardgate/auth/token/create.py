"""Making tokens from a token.

The rules are Vault's ("Tokens" and the token auth API page). In short: a child has a subset of its
parent's policies; root or sudo on the path is needed for an orphan, for a period, for an id of one's
own and for other policies; a role replaces these rules by its own.
"""

import re
from typing import Annotated

import msgspec

from wardgate.auth.token.roles import ROLE, ROLES, Role
from wardgate.core.cidr import narrowed
from wardgate.core.core import Core
from wardgate.core.globs import glob_matches
from wardgate.core.identity import entity_for_login
from wardgate.core.logins import auth_reply, canonical_policies
from wardgate.core.operation import Operation
from wardgate.core.policies import DEFAULT, RESPONSE_WRAPPING, ROOT, Policies
from wardgate.core.request import Request, Response
from wardgate.core.storage import Transaction
from wardgate.core.tokens.record import Token, TokenType
from wardgate.core.tokens.store import SERVICE_PREFIX
from wardgate.core.tokens.ttl import lifetime
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, DurationText, StringMap, Strings

_UNUSUAL = re.compile(r"[^a-zA-Z0-9-]")
_ID_LONGEST = 1024


class CreateBody(Body):
    """What a new token shall be."""

    display_name: Annotated[str, Doc("Name to show beside the token.")] = "token"
    entity_alias: Annotated[
        str, Doc("Name of the entity alias the token belongs to; needs a role that allows it.")
    ] = ""
    explicit_max_ttl: Annotated[
        DurationText, Doc("Hard limit of the token's life, whatever is set later.")
    ] = 0
    id: Annotated[str, Doc("An id of one's own choice; needs root or sudo.")] = ""
    lease: Annotated[DurationText, Doc("Use 'ttl' instead.", deprecated=True)] = 0
    meta: Annotated[StringMap | None, Doc("Free key=value pairs, shown and audited.")] = None
    no_default_policy: Annotated[bool, Doc("Leave out the default policy.")] = False
    no_parent: Annotated[bool, Doc("Make an orphan; needs root or sudo.")] = False
    num_uses: Annotated[int, Doc("How often the token may be used; 0 means without limit.")] = 0
    period: Annotated[
        DurationText, Doc("Length of each renewal, without a maximum; needs root or sudo.")
    ] = 0
    policies: Annotated[Strings, Doc("The token's policies; the parent's if not given.")] = ()
    renewable: Annotated[bool, Doc("Whether it can be renewed.", default=True)] = True
    ttl: Annotated[DurationText, Doc("Its life until the first renewal.")] = 0
    type: Annotated[str, Doc("The kind of token: service or batch.")] = ""


class CreateEndpoints:
    """``create``, ``create-orphan`` and ``create/{role_name}``."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("create", Operation.UPDATE, operation_id="token-create")
    async def create(self, request: Request, body: CreateBody) -> Response:
        """Create a token, a child of the calling one."""
        return await self._create(request, body)

    @endpoint("create-orphan", Operation.UPDATE, operation_id="token-create-orphan")
    async def create_orphan(self, request: Request, body: CreateBody) -> Response:
        """Create a token without a parent."""
        return await self._create(request, body, orphan=True)

    @endpoint("create/{role_name}", Operation.UPDATE, operation_id="token-create-against-role")
    async def create_with_role(
        self, request: Request, role_name: str, body: CreateBody
    ) -> Response:
        """Create a token by the rules of a role."""
        role = await request.storage.get(ROLES + role_name, ROLE)
        if role is None:
            raise InvalidRequest(f"unknown role {role_name}")
        return await self._create(request, body, role=role)

    async def _create(
        self, request: Request, body: CreateBody, *, role: Role | None = None, orphan: bool = False
    ) -> Response:
        parent = request.token
        assert parent is not None
        if parent.num_uses != 0:
            raise InvalidRequest("restricted use token cannot generate child tokens")
        if parent.type is TokenType.BATCH:
            raise InvalidRequest("batch tokens cannot create more tokens")
        if body.num_uses < 0:
            raise InvalidRequest("number of uses cannot be negative")
        privileged = request.acl.allows(Operation.UPDATE, request.path, sudo=True)
        warnings: list[str] = []
        _check_privileges(body, role, privileged, orphan)
        policies = _policies(body, role, parent, privileged)
        kind = _kind(body, role)
        token = Token(
            policies=policies,
            path=_path(request.path, role),
            issuer=request.mount.uuid,
            # a batch token tells its times in whole seconds
            issued=float(int(request.time)) if kind is TokenType.BATCH else request.time,
            expires=0,
            type=kind,
            parent="" if _is_orphan(body, role, orphan) else request.token_key,
            display_name=_display_name(body.display_name),
            metadata=body.meta,
            num_uses=_least(body.num_uses, role.settings.num_uses if role else 0),
            role=role.name if role else "",
            # a child never reaches further than its parent
            bound_cidrs=narrowed(
                role.settings.cidrs(request.remote_address) if role else (), parent.bound_cidrs
            ),
            entity_id=await self._entity_id(request, body, role, orphan=orphan),
        )
        token = self._with_lifetime(request, body, role, token, warnings)
        if kind is TokenType.BATCH:
            _check_batch(body, token)
        _check_id(body.id)
        token_id, token = await self._core.tokens.create(
            request.transaction, token, body.id if kind is TokenType.SERVICE else ""
        )
        request.issued = token
        warnings += await _missing_policies(request.transaction, self._core.policies, policies)
        standing = await self._core.standings.of(request.transaction, token.entity_id)
        reply = auth_reply(token_id, token, entity_policies=standing.policies if standing else ())
        return Response(auth=reply, warnings=warnings or None)

    def _with_lifetime(
        self,
        request: Request,
        body: CreateBody,
        role: Role | None,
        token: Token,
        warnings: list[str],
    ) -> Token:
        settings = self._core.settings
        explicit_max = _least(body.explicit_max_ttl, role.settings.explicit_max_ttl if role else 0)
        if role and body.explicit_max_ttl and role.settings.explicit_max_ttl:
            warnings.append(
                "Explicit max TTL specified both during creation call and in role; using the"
                f" lesser value of {explicit_max} seconds"
            )
        period = _least(body.period, role.settings.period if role else 0)
        if period and role and body.period and role.settings.period:
            warnings.append(
                "Period specified both during creation call and in role; using the lesser value"
                f" of {period} seconds"
            )
        asked = body.ttl or body.lease
        parent = request.token
        assert parent is not None
        if ROOT in token.policies and not (asked or period or explicit_max):
            if parent.expires:
                raise InvalidRequest("expiring root tokens cannot create non-expiring root tokens")
            return token
        granted = lifetime(
            now=token.issued,
            started=token.issued,
            asked=asked,
            period=period,
            explicit_max=explicit_max,
            default_ttl=settings.default_ttl(request.mount),
            max_ttl=settings.max_ttl(request.mount),
        )
        warnings += granted.warnings
        renewable = body.renewable and (role is None or role.renewable)
        return msgspec.structs.replace(
            token,
            expires=granted.expires,
            ttl=granted.ttl,
            granted=granted.ttl,
            explicit_max_ttl=explicit_max,
            period=period,
            renewable=renewable and token.type is TokenType.SERVICE,
        )

    async def _entity_id(
        self, request: Request, body: CreateBody, role: Role | None, *, orphan: bool
    ) -> str:
        parent = request.token
        assert parent is not None
        if not body.entity_alias:
            # an orphan is nobody's: it leaves the person who made it behind, with their rights
            return "" if _is_orphan(body, role, orphan) else parent.entity_id
        if role is None:
            raise InvalidRequest("'entity_alias' is only allowed in combination with token role")
        name = body.entity_alias.lower()
        if not any(glob_matches(allowed, name) for allowed in role.allowed_entity_aliases):
            raise InvalidRequest("invalid 'entity_alias' value")
        entity = await entity_for_login(request.transaction, request.mount, name, {}, request.time)
        if entity.disabled:
            raise InvalidRequest("entity_alias: its entity is disabled")
        return entity.id


def _least(*values: int) -> int:
    """The smallest of those that are set (not 0)."""
    return min((value for value in values if value), default=0)


def _check_privileges(body: CreateBody, role: Role | None, privileged: bool, orphan: bool) -> None:
    if privileged:
        return
    if body.id:
        raise InvalidRequest("root or sudo privileges required to specify token id")
    if body.no_parent and role is None and not orphan:
        raise InvalidRequest("root or sudo privileges required to create orphan token")
    if body.period and (role is None or not role.settings.period):
        raise InvalidRequest("root or sudo privileges required to create periodic token")


def _check_id(token_id: str) -> None:
    if token_id.startswith(SERVICE_PREFIX):
        raise InvalidRequest("custom token ID cannot have the 's.' prefix")
    if "." in token_id:
        raise InvalidRequest("custom token ID cannot have a '.' in the value")
    if len(token_id) > _ID_LONGEST:
        raise InvalidRequest(f"custom token ID cannot have more than {_ID_LONGEST} characters")


def _check_batch(body: CreateBody, token: Token) -> None:
    if ROOT in token.policies:
        raise InvalidRequest("batch tokens cannot be root tokens")
    for field in ("num_uses", "period", "explicit_max_ttl"):
        if getattr(body, field) or getattr(token, field):
            raise InvalidRequest(f'batch tokens cannot have "{field}" set')


def _kind(body: CreateBody, role: Role | None) -> TokenType:
    if body.type not in ("", TokenType.SERVICE, TokenType.BATCH):
        raise InvalidRequest("invalid 'token_type' value")
    match role.settings.type if role else "default-service":
        case "service":
            return TokenType.SERVICE
        case "batch":
            return TokenType.BATCH
        case "default-batch":
            return TokenType(body.type or TokenType.BATCH)
        case _:
            return TokenType(body.type or TokenType.SERVICE)


def _is_orphan(body: CreateBody, role: Role | None, orphan: bool) -> bool:
    return orphan or (role.orphan if role else body.no_parent)


def _path(path: str, role: Role | None) -> str:
    return f"{path}/{role.path_suffix}" if role and role.path_suffix else path


def _display_name(name: str) -> str:
    cleaned = _UNUSUAL.sub("-", name).strip("-")
    return "token" if cleaned in ("", "token") else f"token-{cleaned}"


def _policies(
    body: CreateBody, role: Role | None, parent: Token, privileged: bool
) -> tuple[str, ...]:
    """The new token's policies, if the caller may give them."""
    names = _granted_policies(body, role, parent, privileged)
    if body.no_default_policy:  # even when it was asked for by name
        names = tuple(name for name in names if name != DEFAULT)
    return names


def _granted_policies(
    body: CreateBody, role: Role | None, parent: Token, privileged: bool
) -> tuple[str, ...]:
    asked = canonical_policies(body.policies, add_default=False)
    if RESPONSE_WRAPPING in asked:
        raise InvalidRequest(f'cannot assign policy "{RESPONSE_WRAPPING}"')
    if role is not None and role.limits_policies:
        return _role_policies(body, role, parent, asked)
    add_default = not body.no_default_policy
    if not body.policies:
        # without a wish the child is like its parent, which may lack "default"
        return tuple(sorted(parent.policies))
    if not privileged:
        if not set(asked) <= set(parent.policies):
            raise InvalidRequest("child policies must be subset of parent")
        add_default = add_default and DEFAULT in parent.policies
    if ROOT in asked:
        if ROOT not in parent.policies:
            raise InvalidRequest("root tokens may not be created without parent token being root")
        return (ROOT,)
    return canonical_policies(asked, add_default=add_default)


def _role_policies(
    body: CreateBody, role: Role, parent: Token, asked: tuple[str, ...]
) -> tuple[str, ...]:
    without_default = body.no_default_policy or role.settings.no_default_policy
    without_default = without_default or _matches(
        DEFAULT, role.disallowed_policies, role.disallowed_policies_glob
    )
    limited = bool(role.allowed_policies or role.allowed_policies_glob)
    wished = asked if body.policies else role.allowed_policies if limited else parent.policies
    wanted = canonical_policies(wished, add_default=not without_default)
    if ROOT in wanted:
        wanted = (ROOT,)  # which needs no other
    if limited:
        allowed = set(role.allowed_policies) | (set() if without_default else {DEFAULT})
        for name in wanted:
            if not _matches(name, tuple(allowed), role.allowed_policies_glob):
                raise InvalidRequest(
                    "policies: each must be among the role's allowed_policies or match its"
                    " allowed_policies_glob"
                )
    if ROOT in wanted and ROOT not in parent.policies:
        raise InvalidRequest("root tokens may not be created without parent token being root")
    if RESPONSE_WRAPPING in wanted:
        raise InvalidRequest(f'cannot assign policy "{RESPONSE_WRAPPING}"')
    for name in wanted:
        if _matches(name, role.disallowed_policies, role.disallowed_policies_glob):
            raise InvalidRequest(f'token policy "{name}" is disallowed by this role')
    return wanted


def _matches(name: str, names: tuple[str, ...], globs: tuple[str, ...]) -> bool:
    return name in names or any(glob_matches(glob, name) for glob in globs)


async def _missing_policies(
    transaction: Transaction, policies: Policies, names: tuple[str, ...]
) -> list[str]:
    """A warning for each of `names` that no policy is called."""
    return [
        f'Policy "{name}" does not exist'
        for name in names
        if name != ROOT and await policies.get(transaction, name) is None
    ]
