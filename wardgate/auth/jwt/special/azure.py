"""Azure / Entra ID: groups of somebody who is in more than fit into a token.

The token then names where to ask for them (distributed claims, OpenID Connect Core 1.0, section
5.6.2). Whoever is asked gets an access token, so it is Microsoft Graph or the configured
``graph_endpoint``, whatever the token says.
https://learn.microsoft.com/en-us/graph/api/directoryobject-getmemberobjects
"""

from typing import Any
from urllib.parse import urlsplit

from wardgate.auth.jwt.asking import ask
from wardgate.auth.jwt.claims import claim_of
from wardgate.auth.jwt.config import Config
from wardgate.auth.jwt.roles import Role
from wardgate.core.core import Core
from wardgate.core.outgoing import OutgoingFailed
from wardgate.errors import InvalidRequest
from wardgate.framework.jws import Claims

GRAPHS = frozenset(
    {
        "https://graph.microsoft.com",
        "https://graph.microsoft.us",
        "https://dod-graph.microsoft.us",
        "https://microsoftgraph.chinacloudapi.cn",
    }
)
"""Microsoft Graph, by national cloud."""
_OLD_GRAPHS = {
    "graph.windows.net": "https://graph.microsoft.com/v1.0",
    "graph.microsoftazure.us": "https://graph.microsoft.us/v1.0",
}
"""The API before it, which tokens still name, and what took its place."""
_FINE = 200


def check_endpoint(config: Config) -> None:
    """Raises `InvalidRequest` when ``graph_endpoint`` is something else than a server's address."""
    given = config.provider_config.get("graph_endpoint", "")
    try:
        parts = urlsplit(given if isinstance(given, str) else " ")
        sound = parts.scheme in ("https", "http") and parts.hostname and parts.path in ("", "/")
        sound = sound and not {"?", "#", "@"} & set(given)
    except ValueError:
        sound = False
    if given != "" and not sound:
        raise InvalidRequest(
            "provider_config: graph_endpoint must be like https://graph.example, without a path or"
            " anything else behind the host"
        )


async def azure_groups(
    core: Core, config: Config, role: Role, claims: Claims, access_token: str
) -> tuple[str, ...] | None:
    """The groups, when the token does not list them. Raises `InvalidRequest`."""
    if claim_of(claims, role.groups_claim) is not None:
        return None
    url = _source(config, role, claims)
    if not access_token:
        raise _missing(role, "there is no access token to ask Microsoft Graph with")
    try:
        answer = await ask(
            core,
            "POST",
            url,
            ca_pem=config.oidc_discovery_ca_pem,
            headers={"Authorization": f"Bearer {access_token}"},
            json={"securityEnabledOnly": False},
        )
        if answer.status != _FINE:
            raise OutgoingFailed(f"the answer has status {answer.status}")
        found = answer.json()
    except OutgoingFailed as error:
        raise _missing(role, f"Microsoft Graph did not tell: {error}") from None
    groups = found.get("value") if isinstance(found, dict) else None
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise _missing(role, "Microsoft Graph answered without a list of groups")
    return tuple(groups)


def _source(config: Config, role: Role, claims: Claims) -> str:
    """Where the token says that the groups are, if that may be asked."""
    names, sources = claims.get("_claim_names"), claims.get("_claim_sources")
    source = names.get(role.groups_claim.lstrip("/")) if isinstance(names, dict) else None
    if not isinstance(source, str):
        raise _missing(role, "_claim_names does not name it either")
    described: Any = sources.get(source) if isinstance(sources, dict) else None
    endpoint = described.get("endpoint") if isinstance(described, dict) else None
    if not isinstance(endpoint, str) or not endpoint.isprintable():
        raise _missing(role, "_claim_sources has no endpoint for it")
    try:
        parts = urlsplit(endpoint)
    except ValueError:
        raise _missing(role, "its endpoint in _claim_sources is no address") from None
    base = _OLD_GRAPHS.get(parts.netloc.lower())
    if base is None:
        base = f"{parts.scheme}://{parts.netloc.lower()}"
        own = str(config.provider_config.get("graph_endpoint", "")).rstrip("/").lower()
        if base not in GRAPHS and (not own or base != own):
            raise _missing(
                role,
                "its endpoint in _claim_sources is neither Microsoft Graph nor the"
                " graph_endpoint of provider_config",
            )
    query = f"?{parts.query}" if parts.query else ""
    return f"{base}{parts.path}{query}"


def _missing(role: Role, why: str) -> InvalidRequest:
    return InvalidRequest(
        f'failed to fetch groups: "{role.groups_claim}" claim not found in token: {why}'
    )
