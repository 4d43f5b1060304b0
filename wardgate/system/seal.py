"""``sys/init``, ``sys/unseal``, ``sys/seal`` and what tells the state of the server.

Most of these answer on a sealed server and need no token: `OpenSealEndpoints`. The others go the way
of any request: `SealEndpoints`.
"""

import base64
import binascii
import logging
import re
from typing import Annotated

from wardgate import __version__
from wardgate.barrier.barrier import Barrier
from wardgate.barrier.shamir_seal import ShamirSeal
from wardgate.core.bootstrap import CLUSTER, CLUSTER_KEY, Cluster, first_writes
from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response, no_content
from wardgate.errors import InvalidRequest, Sealed
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, StringList
from wardgate.timestamps import rfc3339


class InitBody(Body):
    """How to split the unseal key."""

    pgp_keys: Annotated[StringList | None, Doc("Not supported yet.")] = None
    root_token_pgp_key: Annotated[str, Doc("Not supported yet.")] = ""
    secret_shares: Annotated[int, Doc("Into how many shares the key is split.")] = 0
    secret_threshold: Annotated[int, Doc("How many of them are needed to unseal.")] = 0
    stored_shares: Annotated[int, Doc("Accepted.")] = 0
    recovery_shares: Annotated[int, Doc("Not applicable to this kind of seal.")] = 0
    recovery_threshold: Annotated[int, Doc("Not applicable to this kind of seal.")] = 0


class UnsealBody(Body):
    """One share of the unseal key."""

    key: Annotated[str, Doc("The share, as hexadecimal digits or base64.")] = ""
    migrate: Annotated[bool, Doc("Not supported: there is one kind of seal.")] = False
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


_log = logging.getLogger("wardgate.seal")

_STATUS = re.compile("[2-9][0-9]{2}")
_SHORTEST_SHARE = 16  # bytes; no kind of seal has keys below 128 bits
_BOOLEANS = {"", "0", "1", "t", "f", "T", "F", "true", "false", "TRUE", "FALSE", "True", "False"}


class OpenSealEndpoints:
    """The state of the seal, and the way to open it."""

    def __init__(self, core: Core, barrier: Barrier, seal: ShamirSeal) -> None:
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
        recovery = [
            name for name in ("recovery_shares", "recovery_threshold") if getattr(body, name)
        ]
        if recovery:
            raise InvalidRequest(
                f"parameters {','.join(recovery)} not applicable to seal type shamir"
            )
        if body.pgp_keys or body.root_token_pgp_key:
            raise InvalidRequest(
                "pgp_keys, root_token_pgp_key: encrypted shares are not supported yet"
            )
        root_token, writes = await first_writes(self._core)
        result = await self._seal.initialize(body.secret_shares, body.secret_threshold, writes)
        _log.info("initialised; requested from %s", _origin(request))
        return Response(
            {
                "keys": [key.hex() for key in result.keys],
                "keys_base64": [base64.b64encode(key).decode() for key in result.keys],
                "root_token": root_token,
            },
            bare=True,
        )

    @endpoint("unseal", Operation.UPDATE, operation_id="unseal", unauthenticated=True)
    async def unseal(self, request: Request, body: UnsealBody) -> Response:
        """Give one share of the unseal key; with the last one needed, the server opens."""
        if body.migrate:
            raise InvalidRequest("migrate: there is no other seal to migrate from or to")
        if body.reset:
            self._seal.reset()
            _log.info("unsealing starts again; requested from %s", _origin(request))
        elif not body.key:
            raise InvalidRequest(
                "'key' must be specified in request body as JSON, or 'reset' set to true"
            )
        else:
            await self._submit(_share(body.key), _origin(request))
        return Response(await self._status(), bare=True)

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
            "recovery_seal": False,
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
    """Sealing the server, and the key that encrypts."""

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
        self._core.forget()
        _log.info("sealed; requested from %s", origin)

    @endpoint("key-status", Operation.READ, operation_id="status-encryption-key")
    async def key_status(self, request: Request) -> Response:
        """Tell about the key that encrypts what is stored from now on."""
        status = self._barrier.key_status()
        return Response(
            {
                "term": status.term,
                "install_time": rfc3339(status.install_time),
                "encryptions": status.encryptions,
            },
            spread=True,
        )

    @endpoint("rotate", Operation.UPDATE, operation_id="rotate-encryption-key", sudo=True)
    async def rotate(self, request: Request) -> Response:
        """Encrypt with a new key from now on; what is stored stays readable."""
        await request.once("rotate", lambda: self._rotate(_origin(request)))
        return no_content()

    async def _rotate(self, origin: str) -> None:
        term = await self._barrier.rotate()
        _log.info("keyring rotated: term %d is in use now; requested from %s", term, origin)

    @endpoint("rotate/keyring", Operation.UPDATE, operation_id="rotate-rotate-keyring", sudo=True)
    async def rotate_keyring(self, request: Request) -> Response:
        """Encrypt with a new key from now on; what is stored stays readable."""
        return await self.rotate(request)


def _origin(request: Request) -> str:
    return request.remote_address or "a unix socket"


def _code(text: str) -> int:
    if not _STATUS.fullmatch(text):
        raise InvalidRequest("status codes are whole numbers from 200 to 999")
    return int(text)


def _share(text: str) -> bytes:
    share = _decoded(text)
    if len(share) < _SHORTEST_SHARE:
        raise InvalidRequest(f"invalid key: key is shorter than minimum {_SHORTEST_SHARE} bytes")
    return share


def _decoded(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest("'key' must be a valid hex or base64 string") from None
