"""From a granted login to a token."""

from wardgate.core.cidr import address_allowed
from wardgate.core.identity import Entity, Standings, entity_for_login, set_external_groups
from wardgate.core.mounts import Mount
from wardgate.core.policies import DEFAULT, ROOT, canonical_name
from wardgate.core.request import JsonMap, Request, TokenGrant
from wardgate.core.settings import Settings
from wardgate.core.tokens.record import Token, TokenType
from wardgate.core.tokens.store import TokenStore
from wardgate.core.tokens.ttl import lifetime
from wardgate.errors import InvalidRequest, PermissionDenied


def canonical_policies(names: tuple[str, ...], *, add_default: bool) -> tuple[str, ...]:
    """Policy names lower-cased, sorted, each once, with ``default`` where it is wanted."""
    cleaned = {canonical_name(name) for name in names} - {""}
    if add_default and ROOT not in cleaned:
        cleaned.add(DEFAULT)
    return tuple(sorted(cleaned))


def auth_reply(token_id: str, token: Token, *, entity_policies: tuple[str, ...] = ()) -> JsonMap:
    """The ``auth`` part of a response about a new or renewed token."""
    return {
        "client_token": token_id,
        "accessor": token.accessor,
        "policies": sorted({*token.policies, *entity_policies}),
        **({"token_policies": token.policies} if token.policies else {}),
        **({"identity_policies": sorted(entity_policies)} if entity_policies else {}),
        "metadata": token.metadata,
        "lease_duration": token.granted,
        "renewable": token.renewable,
        "entity_id": token.entity_id,
        "token_type": token.type,
        "orphan": token.orphan,
        "mfa_requirement": None,
        "num_uses": token.num_uses,
    }


class Logins:
    """Turns what an auth method granted into a token."""

    def __init__(self, tokens: TokenStore, standings: Standings, settings: Settings) -> None:
        self._tokens = tokens
        self._standings = standings
        self._settings = settings

    async def issue(self, request: Request, grant: TokenGrant) -> tuple[JsonMap, list[str]]:
        """Create the token for a login through `request.mount`; its ``auth`` reply and warnings."""
        transaction, mount, now = request.transaction, request.mount, request.time
        if not address_allowed(request.remote_address, grant.bound_cidrs):
            raise PermissionDenied()
        names = canonical_policies(grant.policies, add_default=not grant.no_default_policy)
        if ROOT in names:
            raise InvalidRequest("auth methods cannot create root tokens")
        entity: Entity | None = None
        if grant.alias:
            entity = await entity_for_login(
                transaction, mount, grant.alias, grant.alias_metadata, now
            )
            if entity.disabled:
                raise PermissionDenied("entity is disabled")
            entity = await set_external_groups(transaction, mount, entity, grant.group_aliases)
        batch = self._batch(mount, grant)
        if batch:
            now = float(int(now))  # a batch token tells its times in whole seconds
        if batch and (grant.period or grant.num_uses):
            raise InvalidRequest("batch tokens cannot have a period or a limited number of uses")
        granted = lifetime(
            now=now,
            started=now,
            role_ttl=grant.ttl,
            role_max=grant.max_ttl,
            period=grant.period,
            explicit_max=grant.explicit_max_ttl,
            default_ttl=self._settings.default_ttl(mount),
            max_ttl=self._settings.max_ttl(mount),
        )
        token = Token(
            policies=names,
            path="/".join(filter(None, (request.path, grant.path_suffix))),
            issuer=mount.uuid,
            issued=now,
            expires=granted.expires,
            ttl=granted.ttl,
            granted=granted.ttl,
            type=TokenType.BATCH if batch else TokenType.SERVICE,
            display_name=display_name(mount, grant.display_name),
            metadata=grant.metadata,
            renewable=grant.renewable and not batch,
            num_uses=grant.num_uses,
            explicit_max_ttl=grant.explicit_max_ttl,
            max_ttl=grant.max_ttl,
            period=grant.period,
            entity_id=entity.id if entity else "",
            bound_cidrs=grant.bound_cidrs,
            renewal=None if batch else grant.renewal,  # these are never renewed
        )
        token_id, token = await self._tokens.create(transaction, token)
        request.issued = token
        standing = await self._standings.of(transaction, token.entity_id)
        entity_policies = standing.policies if standing else ()
        reply = auth_reply(token_id, token, entity_policies=entity_policies)
        return reply, list(granted.warnings)

    @staticmethod
    def _batch(mount: Mount, grant: TokenGrant) -> bool:
        """The mount's token type decides, unless it leaves the choice to the role."""
        match mount.config.token_type:
            case "service" | "batch" as forced:
                return forced == "batch"
            case "default-batch":
                return grant.token_type in ("batch", "", "default", "default-batch")
            case _:
                return grant.token_type in ("batch", "default-batch")


def display_name(mount: Mount, name: str) -> str:
    """What people see beside the token: the mount's path and the name there, as Vault joins them."""
    prefix = mount.path.removeprefix("auth/").strip("/").replace("/", "-")
    return f"{prefix}-{name}" if name else prefix
