"""``login``, and renewals, which need all that a login needs."""

import asyncio
from typing import Annotated

from wardgate.auth.kubernetes import claims, pod
from wardgate.auth.kubernetes.api import Api
from wardgate.auth.kubernetes.claims import Account
from wardgate.auth.kubernetes.config import CONFIG, Config, configuration
from wardgate.auth.kubernetes.reviews import Reviews, review_key
from wardgate.auth.kubernetes.roles import NAME, Role, role_key, role_of
from wardgate.core.backend import Renewal
from wardgate.core.cidr import address_allowed
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.core.storage import View
from wardgate.core.tokens.record import Token
from wardgate.errors import InvalidRequest, PermissionDenied
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc


class LoginBody(Body):
    """What a pod proves itself with."""

    role: Annotated[str, Doc("Name of the role to log in with. Required.")] = ""
    jwt: Annotated[str, Doc("The service account's token. Required.")] = ""


class Login:
    """Logs service accounts in."""

    def __init__(self, core: Core) -> None:
        self._outgoing = core.outgoing
        self._reviews = Reviews()

    @endpoint("login", Operation.UPDATE, operation_id="kubernetes-login", unauthenticated=True)
    async def login(self, request: Request, body: LoginBody) -> Response:
        """Log in with the token of a service account."""
        for field, value in (("role", body.role), ("jwt", body.jwt)):
            if not value:
                raise InvalidRequest(f"missing {field}")
        name = role_key(body.role)
        role = await role_of(request.storage, body.role)
        if role is None or name is None:
            raise InvalidRequest("invalid role name")
        if not address_allowed(request.remote_address, role.settings.bound_cidrs):
            raise PermissionDenied
        config = await configuration(request.storage)
        account, alias_metadata = await self._checked(request, config, role, body.jwt)
        known = {
            "service_account_uid": account.uid,
            "service_account_name": account.name,
            "service_account_namespace": account.namespace,
            "service_account_secret_name": account.secret_name,
        }
        if not known.keys().isdisjoint(alias_metadata):
            raise InvalidRequest(
                f"annotations of the service account: {', '.join(known)} are the server's own"
            )
        full_name = f"{account.namespace}/{account.name}"
        grant = role.settings.grant(
            f"{account.namespace}-{account.name}",
            request.remote_address,
            alias=full_name if role.alias_name_source == NAME else account.uid,
            alias_metadata={**alias_metadata, **known},
            metadata={**known, "role": body.role},
            renewal={"role": name, "jwt": body.jwt},
        )
        return Response(grant=grant)

    async def renewed(self, request: Request, storage: View, token: Token) -> Renewal:
        """The role, what it demands, and the account's token must all be there still."""
        kept = token.renewal or {}
        role = await role_of(storage, kept.get("role", ""))
        if role is None:
            raise InvalidRequest("the role no longer exists: the token is not renewed")
        config = await configuration(storage)
        await self._checked(request, config, role, kept.get("jwt", ""), renewal=True)
        return role.settings.renewal()

    async def _checked(
        self, request: Request, config: Config, role: Role, jwt: str, *, renewal: bool = False
    ) -> tuple[Account, dict[str, str]]:
        """Whose token `jwt` is, if the role is for them and the cluster agrees, and what annotations
        say of their alias."""
        said = await request.once(
            f"claims {config.pem_keys}",
            lambda: asyncio.to_thread(claims.read, jwt, config.pem_keys),
        )
        claims.check(
            said,
            issuer="" if config.disable_iss_validation else config.issuer,
            audience=role.audience,
            now=request.time,
        )
        account = claims.account(said)
        if not role.allows_name(account.name):
            raise PermissionDenied("service account name not authorized")
        by_name = role.allows_namespace(account.namespace)
        if not by_name and role.selector is None:
            raise PermissionDenied("namespace not authorized")
        api = await self._api(request, config)
        await self._review(request, config, role, api, jwt, account)
        if not by_name:
            await _check_labels(request, config, role, api, account)
        if renewal or not config.use_annotations:
            return account, {}
        found = await request.once(
            f"annotations {_key(config).hex()}", lambda: api.alias_metadata(jwt, account)
        )
        return account, found

    async def _api(self, request: Request, config: Config) -> Api:
        ca_pem, reviewer = config.ca_cert, config.reviewer_jwt
        if not config.disable_local_ca_jwt:
            if not ca_pem:
                ca_pem = await request.once("pod ca", lambda: asyncio.to_thread(pod.ca_pem))
            if not reviewer:
                reviewer = await request.once("pod token", lambda: asyncio.to_thread(pod.token))
        return Api(self._outgoing, config.url, ca_pem, reviewer)

    async def _review(
        self, request: Request, config: Config, role: Role, api: Api, jwt: str, account: Account
    ) -> None:
        audiences = (role.audience,) if role.audience else account.audiences
        asked = "\0".join(audiences)
        key = review_key(CONFIG.encode(config), asked.encode(), jwt.encode())
        if config.review_cache_ttl and self._reviews.holds(key, request.time):
            return
        await request.once(f"review {key.hex()}", lambda: api.review(jwt, account, audiences))
        if config.review_cache_ttl:
            self._reviews.remember(key, request.time, config.review_cache_ttl)


async def _check_labels(
    request: Request, config: Config, role: Role, api: Api, account: Account
) -> None:
    labels = await request.once(
        f"labels {_key(config).hex()}", lambda: api.labels(account.namespace)
    )
    if role.selector is None or labels is None or not role.selector.matches(labels):
        raise PermissionDenied("namespace not authorized")


def _key(config: Config) -> bytes:
    """Tells one configuration from another: a request that runs again may meet a new one."""
    return review_key(CONFIG.encode(config))
