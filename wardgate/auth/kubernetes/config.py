"""``config``: where the cluster's API is, whom to trust there, and what is checked here.

Every write replaces all of it, as in Vault.
"""

import asyncio
import re
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from wardgate.auth.kubernetes import pod
from wardgate.core.operation import Operation
from wardgate.core.outgoing import checked_ca
from wardgate.core.records import Codec
from wardgate.core.request import Request, Response, no_content
from wardgate.core.storage import View
from wardgate.errors import BadGateway, InvalidRequest, NotFound
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, Duration, StringList
from wardgate.framework.jws import pem_keys

_KEY = "config"
_LONGEST_CACHE = 60  # seconds: a deleted pod could log in for so long
_HOST = re.compile(r"[A-Za-z0-9._~:/%\[\]-]+", re.ASCII)
_BEARER = re.compile(r"[\x21-\x7e]*")  # what a header can carry

_HOST_EXPECTED = (
    "kubernetes_host: expected the URL of the Kubernetes API, such as https://10.0.0.1:6443, without"
    " credentials, query or fragment"
)


class ConfigBody(Body):
    """How to reach the cluster's API, and what to check."""

    kubernetes_host: Annotated[
        str, Doc("URL of the Kubernetes API server; a host or host:port means https.")
    ] = ""
    kubernetes_ca_cert: Annotated[
        str,
        Doc(
            "Certificates in PEM that the API's is signed by. Without it those of the pod that this"
            " server runs in are taken or, if disable_local_ca_jwt is true, the system's."
        ),
    ] = ""
    token_reviewer_jwt: Annotated[
        str,
        Doc(
            "A service account's token with which the API is asked. Without it the pod's own is"
            " taken or, where there is none, the token that logs in."
        ),
    ] = ""
    pem_keys: Annotated[
        StringList,
        Doc("Public keys or certificates in PEM with which tokens are checked here, too."),
    ] = ()
    issuer: Annotated[
        str,
        Doc("Issuer that tokens must name if disable_iss_validation is false.", deprecated=True),
    ] = ""
    disable_iss_validation: Annotated[
        bool,
        Doc(
            "Whether the issuer of tokens is left to the API to check.",
            deprecated=True,
            default=True,
        ),
    ] = True
    disable_local_ca_jwt: Annotated[
        bool, Doc("Whether to leave the pod's own certificates and token alone.", default=False)
    ] = False
    use_annotations_as_alias_metadata: Annotated[
        bool,
        Doc(
            "Whether annotations of the service account that begin with"
            " vault.hashicorp.com/alias-metadata- become metadata of the alias. The reviewer must"
            " be allowed to read service accounts.",
            default=False,
        ),
    ] = False
    token_review_cache_ttl: Annotated[
        Duration,
        Doc("Seconds, at most 60, for which the API's good opinion of a token is kept; 0: never."),
    ] = 0


class Config(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The configuration as stored."""

    host: str
    ca_cert: str = ""
    reviewer_jwt: str = ""
    pem_keys: tuple[str, ...] = ()
    issuer: str = ""
    disable_iss_validation: bool = True
    disable_local_ca_jwt: bool = False
    use_annotations: bool = False
    review_cache_ttl: int = 0

    @property
    def url(self) -> str:
        """The API's address, without a slash at its end."""
        return ("" if "://" in self.host else "https://") + self.host.rstrip("/")


CONFIG: Codec[Config] = Codec(Config)


async def configuration(storage: View) -> Config:
    """The mount's configuration; `InvalidRequest` where there is none yet."""
    config = await storage.get(_KEY, CONFIG)
    if config is None:
        raise InvalidRequest(
            "the mount is not configured: write kubernetes_host and the rest to its config"
        )
    return config


class ConfigEndpoints:
    """``config``: read and write."""

    @endpoint("config", Operation.READ, operation_id="kubernetes-read-auth-configuration")
    async def read(self, request: Request) -> Response:
        """Read the configuration, without the reviewer's token."""
        config = await request.storage.get(_KEY, CONFIG)
        if config is None:
            raise NotFound
        return Response(
            {
                "kubernetes_host": config.host,
                "kubernetes_ca_cert": config.ca_cert,
                "token_reviewer_jwt_set": bool(config.reviewer_jwt),
                "pem_keys": config.pem_keys,
                "issuer": config.issuer,
                "disable_iss_validation": config.disable_iss_validation,
                "disable_local_ca_jwt": config.disable_local_ca_jwt,
                "use_annotations_as_alias_metadata": config.use_annotations,
                "token_review_cache_ttl": config.review_cache_ttl,
            }
        )

    @endpoint("config", Operation.UPDATE, operation_id="kubernetes-configure-auth")
    async def write(self, request: Request, body: ConfigBody) -> Response:
        """Write the whole configuration; what is not given has its default again."""
        config = Config(
            host=_checked_host(body.kubernetes_host),
            ca_cert=body.kubernetes_ca_cert,
            reviewer_jwt=body.token_reviewer_jwt.strip(),
            pem_keys=body.pem_keys,
            issuer=body.issuer,
            disable_iss_validation=body.disable_iss_validation,
            disable_local_ca_jwt=body.disable_local_ca_jwt,
            use_annotations=body.use_annotations_as_alias_metadata,
            review_cache_ttl=body.token_review_cache_ttl,
        )
        if not _BEARER.fullmatch(config.reviewer_jwt):
            raise InvalidRequest("token_reviewer_jwt: expected one token, in printable ASCII")
        if config.review_cache_ttl > _LONGEST_CACHE:
            raise InvalidRequest(f"token_review_cache_ttl: at most {_LONGEST_CACHE} seconds")
        _check_keys(config.pem_keys)
        if config.ca_cert:
            checked_ca("kubernetes_ca_cert", config.ca_cert)
        elif not config.disable_local_ca_jwt:
            await _check_pod(request)
        request.storage.put(_KEY, config, CONFIG)
        return no_content()


def _checked_host(host: str) -> str:
    if not host:
        raise InvalidRequest("no host provided")
    url = Config(host=host).url
    try:
        parts = urlsplit(url)
        good = _HOST.fullmatch(host) and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.scheme not in ("https", "http"):
        raise InvalidRequest(_HOST_EXPECTED)
    return host


def _check_keys(keys: tuple[str, ...]) -> None:
    for key in keys:
        try:
            pem_keys(key)
        except ValueError:
            raise InvalidRequest("pem_keys: expected public keys or certificates in PEM") from None


async def _check_pod(request: Request) -> None:
    try:
        await request.once("the pod's certificates", lambda: asyncio.to_thread(pod.ca_pem))
    except BadGateway:
        raise InvalidRequest(
            "kubernetes_ca_cert: missing, and this server is in no pod that has one; give it, or set"
            " disable_local_ca_jwt to trust the system's certificates"
        ) from None
