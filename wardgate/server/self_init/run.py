"""Makes the requests of ``initialize`` blocks, on a server that is not there yet.

They are made in memory, by a server of their own with the real seal, and with a root token that is
revoked in the end. Only when all of them have succeeded is everything written to the storage, in one
commit. So a request that fails, or a crash at any moment, leaves the storage as new as it was, and
the next start begins afresh.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wardgate.barrier.keys import KEYRING, SEAL
from wardgate.core import json
from wardgate.core.bootstrap import first_writes
from wardgate.core.ids import new_uuid
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response
from wardgate.core.unexpected import log_unexpected
from wardgate.errors import RequestError, WardgateError
from wardgate.http.parsing import check_path
from wardgate.server.node import Node
from wardgate.server.self_init.blocks import OPERATIONS, InitRequest
from wardgate.server.self_init.values import NoValue, Values, boolean
from wardgate.store.interface import ABSENT, Conflict, Put, Store
from wardgate.store.memory import MemoryStore

_WRITES = (Operation.CREATE, Operation.UPDATE, Operation.PATCH)

_log = logging.getLogger("wardgate.seal")


class SelfInitFailed(WardgateError):
    """A request of the configuration could not be made. The storage is as it was."""


async def initialise(
    store: Store,
    make_node: Callable[[Store], Node],
    requests: Sequence[InitRequest],
    environ: Mapping[str, str],
) -> None:
    """Make a server in the empty `store`, unless another process is faster.

    `make_node` makes the server, over whatever store, with the seal of the real one. Raises
    `SelfInitFailed`, and `SealFailed` when the seal cannot be used now.
    """
    scratch = MemoryStore()
    node = make_node(scratch)
    try:
        root_token, writes = await first_writes(node.core)
        await node.seal.initialize(0, 0, writes)
        run = _Run(node, root_token, Values(environ))
        for request in requests:
            await run.make(request)
        await run.revoke_root()
        await node.barrier.save_counts()
        written = await _everything(scratch)
    except WardgateError:
        raise
    except Exception as error:
        log_unexpected("the initialisation by the configuration", error)
        raise SelfInitFailed("internal error; the log says where") from None
    finally:
        await node.stop()
    try:
        await store.commit({KEYRING: ABSENT, SEAL: ABSENT}, written)
    except Conflict:
        _log.info("another process has initialised the storage")
    else:
        _log.info("initialised by the configuration; requests made: %d", len(requests))


class _Run:
    """The requests, one after the other."""

    def __init__(self, node: Node, root_token: str, values: Values) -> None:
        self._node = node
        self._root_token = root_token
        self._values = values

    async def make(self, planned: InitRequest) -> None:
        try:
            operation = _operation(self._values.of(planned.operation))
            path = _path(self._values.of(planned.path))
            data = _data(self._values.of(planned.data))
            token = _token(self._values.of(planned.token))
            lenient = _lenient(self._values.of(planned.allow_failure))
        except (NoValue, RequestError) as error:
            raise SelfInitFailed(f"{planned}: {error}") from None
        response = await self._send(operation, path, data, token)
        if response.status >= 400 and _messages(response):
            said = f"{response.status} {'; '.join(_messages(response))}"
            if not lenient:
                raise SelfInitFailed(f"{planned}: was refused: {said}")
            _log.warning("%s: was refused, which is allowed: %s", planned, said)
        asked = {"operation": operation.value, "path": path, "data": data, "map": data}
        self._values.remember(planned.block, planned.name, asked, _answer(response))

    async def revoke_root(self) -> None:
        """End the root token. Raises `SelfInitFailed` when it lives on."""
        await self._send(Operation.UPDATE, "auth/token/revoke-self", {}, None)
        core = self._node.core
        transaction = await core.storage.begin()
        now = core.clock.now()
        if await core.tokens.find(transaction, self._root_token, now) is not None:
            raise SelfInitFailed("the root token of the initialisation could not be revoked")

    async def _send(
        self, operation: Operation, path: str, data: dict[str, Any], token: str | None
    ) -> Response:
        writes = operation in _WRITES
        request = Request(
            Operation.UPDATE if operation is Operation.CREATE else operation,
            path,
            id=new_uuid(),
            time=self._node.core.clock.now(),
            body=data if writes else None,
            query=None if writes else {key: _in_query(each) for key, each in data.items()},
            client_token=self._root_token if token is None else token,
        )
        return await self._node.pipeline.handle(request)


def _operation(value: Any) -> Operation:
    try:
        return Operation(value)
    except ValueError:
        raise NoValue(f"operation: must be one of {OPERATIONS}") from None


def _path(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise NoValue("path: must be the path of a request, without /v1/")
    check_path(value)
    return value


def _data(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NoValue("data: must be a map")
    return value


def _token(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise NoValue("token: must be a text")
    return value


def _lenient(value: Any) -> bool:
    try:
        return value is not None and boolean(value)
    except ValueError:
        raise NoValue("allow_failure: must be true or false") from None


def _in_query(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(_in_query, value))
    return value if isinstance(value, str) else json.encode(value).decode()


def _messages(response: Response) -> list[str]:
    """Why a request was refused; nothing for one that only found nothing."""
    if response.status == 404 and not isinstance(response.data, dict):
        return []
    errors = (response.data or {}).get("errors", []) if isinstance(response.data, dict) else []
    if not errors and response.status != 404:
        return ["no reason given"]
    return [str(error) for error in errors]


def _answer(response: Response) -> dict[str, Any]:
    """The response as sources refer to it."""
    whole = {
        "data": response.data,
        "auth": response.auth,
        "wrap_info": response.wrap_info,
        "warnings": response.warnings,
        "lease_duration": response.lease_duration,
        "renewable": response.renewable,
    }
    plain: dict[str, Any] = json.decode(json.encode(whole))
    return plain


async def _everything(store: Store) -> list[Put]:
    """All that `store` holds, as it lies there."""
    found: list[Put] = []
    folders = [""]
    while folders:
        folder = folders.pop()
        for name in await store.list(folder):
            if name.endswith("/"):
                folders.append(folder + name)
                continue
            entry = await store.get(folder + name)
            assert entry is not None
            found.append(Put(folder + name, entry.value))
    return found
