"""``sys/init``, ``sys/unseal``, ``sys/seal`` and what tells the state of the server.

Most of these answer on a sealed server and need no token: `OpenSealEndpoints`. The others go the way
of any request: `SealEndpoints`.
"""

import base64
import logging
import re
from typing import Annotated

from wardgate import __version__
from wardgate.barrier.auto_seal import AutoSeal
from wardgate.barrier.barrier import Barrier
from wardgate.barrier.seal import Seal
from wardgate.core.bootstrap import CLUSTER, CLUSTER_KEY, Cluster, first_writes
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, no_content
from wardgate.errors import InvalidRequest, Sealed
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, StringList
from wardgate.system.key_text import read_share
from wardgate.system.pgp import encrypt_to, read_pgp_key, read_pgp_keys
from wardgate.timestamps import rfc3339


class InitBody(Body):
    """How to split the unseal key, or the recovery key of a server that unseals by itself."""

    pgp_keys: Annotated[
        StringList | None,
        Doc("Public PGP keys, base64, one for each share, that the shares are encrypted to."),
    ] = None
    recovery_pgp_keys: Annotated[
        StringList | None, Doc("The same for the shares of the recovery key.")
    ] = None
    root_token_pgp_key: Annotated[
        str, Doc("A public PGP key, base64, that the root token is encrypted to.")
    ] = ""
    secret_shares: Annotated[int, Doc("Into how many shares the key is split.")] = 0
    secret_threshold: Annotated[int, Doc("How many of them are needed to unseal.")] = 0
    stored_shares: Annotated[int, Doc("Accepted.")] = 0
    recovery_shares: Annotated[
        int, Doc("Into how many shares the recovery key is split; 0 for no such key.")
    ] = 0
    recovery_threshold: Annotated[int, Doc("How many of them prove who is in charge.")] = 0


class UnsealBody(Body):
    """One share of the unseal key."""

    key: Annotated[str, Doc("The share, as hexadecimal digits or base64.")] = ""
    migrate: Annotated[bool, Doc("Not supported: the kind of seal cannot be changed.")] = False
    reset: Annotated[bool, Doc("Forget the shares that were given so far.")] = False


class HealthQuery(Body):
    """Which status code stands for which state."""

    activecode: Annotated[str, Doc("Status for an active server.", default="200")] = "200"
    drsecondarycode: Annotated[str, Doc("Accepted.")] = "472"
    performancestandbycode: Annotated[str, Doc("Accepted.")] = "473"
    perfstandbyok: Annotated[str, Doc("Accepted.")] = "true"
    sealedcode: Annotated[str, Doc("Status for a sealed server.", default="503")] = "503"
    standbycode: Annotated[str, Doc("Accepted: there are no standbys.", default="429")] = "429"
    standbyok: Annotated[str, Doc("Accepted: there are no standbys.")] = "true"
    uninitcode: Annotated[str, Doc("Status for an uninitialised server.", default="501")] = "501"


_FOR_UNSEAL_KEYS = ("secret_shares", "secret_threshold", "pgp_keys")
_FOR_RECOVERY = ("recovery_shares", "recovery_threshold", "recovery_pgp_keys")

_log = logging.getLogger("wardgate.seal")

_STATUS = re.compile("[2-9][0-9]{2}")
_BOOLEANS = {"", "0", "1", "t", "f", "T", "F", "true", "false", "TRUE", "FALSE", "True", "False"}


class OpenSealEndpoints:
    """The state of the seal, and the way to open it."""

    def __init__(self, core: Core, barrier: Barrier, seal: Seal) -> None:
        self._core = core
        self._barrier = barrier
        self._seal = seal

    @endpoint("health", Operation.READ, operation_id="read-health-status", unauthenticated=True)
    async def health(self, request: Request, query: HealthQuery) -> Response:
        """Tell the state of the server by the status code."""
        codes = {
            name: _code(getattr(query, name))
            for name in ("activecode", "sealedcode", "standbycode", "uninitcode")
        }
        if not {query.standbyok, query.perfstandbyok} <= _BOOLEANS:
            raise InvalidRequest("standbyok, perfstandbyok: use true or false")
        initialized, sealed = await self._barrier.initialized(), self._barrier.sealed
        mode = "unknown" if sealed else "disabled"
        answer: JsonMap = {
            "initialized": initialized,
            "sealed": sealed,
            "standby": sealed,
            "replication_performance_mode": mode,
            "replication_dr_mode": mode,
            "server_time_utc": int(request.time),
            "version": __version__,
        }
        answer |= await self._cluster()
        name = "uninitcode" if not initialized else "sealedcode" if sealed else "activecode"
        return Response(answer, bare=True, status=codes[name])

    @endpoint("seal-status", Operation.READ, operation_id="seal-status", unauthenticated=True)
    async def seal_status(self, request: Request) -> Response:
        """Tell whether the server is sealed, and how far unsealing has come."""
        return Response(await self._status(), bare=True)

    @endpoint("leader", Operation.READ, operation_id="leader-status", unauthenticated=True)
    async def leader(self, request: Request) -> Response:
        """There is no leader: all nodes are equal."""
        return Response({"ha_enabled": False}, bare=True)

    @endpoint(
        "init", Operation.READ, operation_id="read-initialization-status", unauthenticated=True
    )
    async def read_init(self, request: Request) -> Response:
        """Tell whether the server is initialised."""
        return Response({"initialized": await self._barrier.initialized()}, bare=True)

    @endpoint("init", Operation.UPDATE, operation_id="initialize-system", unauthenticated=True)
    async def init(self, request: Request, body: InitBody) -> Response:
        """Initialise a new server: its keys and its root token come back, this once only."""
        if self._core.settings.initialises_itself:
            raise InvalidRequest(
                "this server initialises itself by the initialize blocks of its configuration"
            )
        auto = isinstance(self._seal, AutoSeal)
        foreign = [
            name for name in (_FOR_UNSEAL_KEYS if auto else _FOR_RECOVERY) if getattr(body, name)
        ]
        if foreign:
            raise InvalidRequest(
                f"parameters {','.join(foreign)} not applicable to seal type {self._seal.type}"
            )
        kind = "recovery" if auto else "secret"
        shares: int = getattr(body, f"{kind}_shares")
        threshold: int = getattr(body, f"{kind}_threshold")
        self._seal.check_counts(shares, threshold)
        field = "recovery_pgp_keys" if auto else "pgp_keys"
        texts = getattr(body, field) or ()
        if texts and len(texts) != shares:
            raise InvalidRequest(f"{field}: give one key for each share")
        pgp_keys = await read_pgp_keys(field, texts, request.time)
        token_key = body.root_token_pgp_key and read_pgp_key(
            "root_token_pgp_key", body.root_token_pgp_key, request.time
        )
        root_token, writes = await first_writes(self._core)
        result = await self._seal.initialize(shares, threshold, writes)
        _log.info("initialised; requested from %s", _origin(request))
        if token_key:
            root_token = base64.b64encode(token_key.encrypt(root_token.encode())).decode()
        answer: JsonMap = {}
        for name, keys in (("keys", result.keys), ("recovery_keys", result.recovery_keys)):
            shown = await encrypt_to(pgp_keys, keys) if keys and pgp_keys else keys
            if shown or name == "keys":
                answer[name] = [key.hex() for key in shown]
                answer[f"{name}_base64"] = [base64.b64encode(key).decode() for key in shown]
        return Response({**answer, "root_token": root_token}, bare=True)

    @endpoint("unseal", Operation.UPDATE, operation_id="unseal", unauthenticated=True)
    async def unseal(self, request: Request, body: UnsealBody) -> Response:
        """Give one share of the unseal key; with the last one needed, the server opens."""
        if body.reset:
            self._seal.reset()
            _log.info("unsealing starts again; requested from %s", _origin(request))
        elif not body.key:
            raise InvalidRequest(
                "'key' must be specified in request body as JSON, or 'reset' set to true"
            )
        elif body.migrate:
            raise InvalidRequest("can't perform a seal migration, no migration seal found")
        else:
            await self._submit(read_share(body.key), _origin(request))
        return Response(await self._status(), bare=True)

    @endpoint(
        "seal-backend-status",
        Operation.READ,
        operation_id="seal-backend-status",
        unauthenticated=True,
    )
    async def seal_backend_status(self, request: Request) -> Response:
        """Tell whether what the root key is encrypted with can be used."""
        backend: JsonMap = {"name": self._seal.type, "healthy": True}
        if isinstance(self._seal, AutoSeal) and not self._seal.health.healthy:
            since = rfc3339(self._seal.health.since)
            backend |= {"healthy": False, "unhealthy_since": since}
        return Response(
            {"healthy": backend["healthy"], "fully_wrapped": True, "backends": [backend]}, bare=True
        )

    async def _submit(self, share: bytes, origin: str) -> None:
        was_sealed = self._barrier.sealed
        try:
            opened = await self._seal.submit(share)
        except InvalidRequest:
            _log.info("an unseal key was refused; it came from %s", origin)
            raise
        if opened and was_sealed:
            _log.info("unsealed; the last key came from %s", origin)
        elif not opened:
            given = self._seal.progress.progress
            _log.info("unsealing: keys given so far: %d; the last one came from %s", given, origin)

    async def _status(self) -> JsonMap:
        status = await self._seal.status()
        return {
            "type": status.type,
            "initialized": status.initialized,
            "sealed": status.sealed,
            "t": status.threshold,
            "n": status.shares,
            "progress": status.progress,
            "nonce": status.nonce,
            "recovery_seal": status.recovery,
            **({"recovery_seal_type": "shamir"} if status.recovery else {}),
            "version": __version__,
            "commit_date": "",
            "migration": False,
            **await self._cluster(),
            "storage_type": self._core.settings.storage_type,
        }

    async def _cluster(self) -> JsonMap:
        if self._barrier.sealed:
            return {}
        try:
            transaction = await self._core.storage.begin()
            cluster: Cluster | None = await transaction.get(CLUSTER_KEY, CLUSTER)
        except Sealed:
            return {}
        return {"cluster_name": cluster.name, "cluster_id": cluster.id} if cluster else {}


class SealEndpoints:
    """Sealing the server."""

    def __init__(self, core: Core, barrier: Barrier) -> None:
        self._core = core
        self._barrier = barrier

    @endpoint("seal", Operation.UPDATE, operation_id="seal", sudo=True)
    async def seal(self, request: Request) -> Response:
        """Seal the server: it forgets its keys and answers nothing until it is unsealed."""
        response = no_content()
        response.then = lambda: self._seal(_origin(request))
        return response

    def _seal(self, origin: str) -> None:
        self._barrier.seal()
        _log.info("sealed; requested from %s", origin)


def _origin(request: Request) -> str:
    return request.remote_address or "a unix socket"


def _code(text: str) -> int:
    if not _STATUS.fullmatch(text):
        raise InvalidRequest("status codes are whole numbers from 200 to 999")
    return int(text)
