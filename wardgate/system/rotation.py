"""``sys/rotate`` and ``sys/key-status``: the key that encrypts what is stored from now on."""

import logging
from typing import Annotated

from wardgate.barrier.barrier import Barrier
from wardgate.core.operation import Operation
from wardgate.core.request import Request, Response, no_content
from wardgate.core.rotation import (
    LEAST_INTERVAL,
    LEAST_OPERATIONS,
    MOST_OPERATIONS,
    ROTATION,
    ROTATION_KEY,
    RotationConfig,
    rotation_config,
)
from wardgate.durations import format_duration
from wardgate.errors import InvalidRequest
from wardgate.framework.endpoints import endpoint
from wardgate.framework.fields import Body, Doc, Duration
from wardgate.timestamps import rfc3339

_log = logging.getLogger("wardgate.seal")


class RotationBody(Body):
    """When the key is replaced by itself; what is not given stays as it is."""

    enabled: Annotated[bool | None, Doc("Whether it is.")] = None
    interval: Annotated[Duration | None, Doc("After how long, at least 24 hours; 0 for never.")] = (
        None
    )
    max_operations: Annotated[int | None, Doc("After how many values were encrypted.")] = None


class RotationEndpoints:
    """Rotate the encryption key, or let it be rotated."""

    def __init__(self, barrier: Barrier) -> None:
        self._barrier = barrier

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
    @endpoint("rotate/keyring", Operation.UPDATE, operation_id="rotate-rotate-keyring", sudo=True)
    async def rotate(self, request: Request) -> Response:
        """Encrypt with a new key from now on; what is stored stays readable."""
        await request.once("rotate", lambda: self._rotate(request))
        return no_content()

    async def _rotate(self, request: Request) -> None:
        term = await self._barrier.rotate()
        origin = request.remote_address or "a unix socket"
        _log.info("keyring rotated: term %d is in use now; requested from %s", term, origin)

    @endpoint("rotate/config", Operation.READ, operation_id="read-encryption-key-config")
    @endpoint("rotate/keyring/config", Operation.READ, operation_id="read-rotate-keyring-config")
    async def read_config(self, request: Request) -> Response:
        """Tell when the encryption key is replaced by itself."""
        config = await rotation_config(request.transaction)
        return Response(
            {
                "enabled": config.enabled,
                "interval": format_duration(config.interval) if config.interval else 0,
                "max_operations": config.max_operations,
            }
        )

    @endpoint("rotate/config", Operation.UPDATE, operation_id="configure-encryption-key-config")
    @endpoint(
        "rotate/keyring/config",
        Operation.UPDATE,
        operation_id="configure-rotate-keyring-config",
    )
    async def write_config(self, request: Request, body: RotationBody) -> Response:
        """Set when the encryption key is replaced by itself."""
        config = await rotation_config(request.transaction)
        interval = config.interval if body.interval is None else body.interval
        most = config.max_operations if body.max_operations is None else body.max_operations
        if not LEAST_OPERATIONS <= most <= MOST_OPERATIONS:
            raise InvalidRequest(
                f"max_operations must be in the range [{LEAST_OPERATIONS},{MOST_OPERATIONS}]"
            )
        if interval and interval < LEAST_INTERVAL:
            raise InvalidRequest(
                f"interval must be greater or equal to {format_duration(LEAST_INTERVAL)}"
            )
        enabled = config.enabled if body.enabled is None else body.enabled
        request.transaction.put(ROTATION_KEY, RotationConfig(enabled, interval, most), ROTATION)
        return no_content()
