"""kill -9 in the middle of clearing away what a revoked token has left: it is all gone in the end.

The server starts again each time on what the killed one has left. Whatever is still there is dead.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.filling import Filled, fill
from tests.api import Api, tcp
from tests.server_process import (
    lmdb_storage,
    plain_listener,
    serving,
    unseal,
    write_config,
)
from tests.servers import free_port
from wardgate.store.lmdb import LmdbStore

CHILDREN = 6000
TOKENS = 7000
KILLS = 4
PATIENCE = 60.0  # seconds


class Watch:
    """Looks into the data file from outside of the server."""

    def __init__(self, data: Path, parent: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._store = LmdbStore.open(data)
        self._parent = parent

    def names(self, folder: str) -> list[str]:
        return self._loop.run_until_complete(self._store.list(folder))

    @property
    def children(self) -> int:
        return len(self.names(f"token/child/{self._parent}/"))

    def wait_for_fewer_than(self, number: int) -> int:
        """How many children are left once there are fewer than `number` of them."""
        deadline = time.monotonic() + PATIENCE
        while (left := self.children) >= number:
            assert time.monotonic() < deadline, f"there are still {left} children"
            time.sleep(0.005)
        return left

    def close(self) -> None:
        self._loop.run_until_complete(self._store.close())
        self._loop.close()


@contextmanager
def watching(data: Path, filled: Filled) -> Iterator[Watch]:
    watch = Watch(data, filled.parent_name)
    try:
        yield watch
    finally:
        watch.close()


def test_a_server_that_is_killed_while_it_clears_away_finishes_it_later(tmp_path: Path) -> None:
    data = tmp_path / "data"
    filled = fill(data, TOKENS, CHILDREN, lambda _: None)
    port = free_port()
    config = write_config(tmp_path, lmdb_storage(data), plain_listener(port))
    left = CHILDREN
    halves = []
    with watching(data, filled) as watch, Api(tcp(port)) as api:
        api.token = filled.root_token
        for number in range(KILLS):
            with serving(config, folder=tmp_path) as server:
                unseal(api, [filled.unseal_key])
                if number == 0:
                    assert api.get("auth/token/lookup-self", filled.child).status == 200
                    assert api.post("auth/token/revoke", {"token": filled.parent}).status == 204
                assert api.get("auth/token/lookup-self", filled.child).status == 403
                left = watch.wait_for_fewer_than(left)
                server.kill()
                api.close()
            left = watch.children
            halves.append(left)
        assert halves[0] < CHILDREN
        assert halves[0] >= halves[-1] > 0  # it was killed in the middle each time
        with serving(config, folder=tmp_path):
            unseal(api, [filled.unseal_key])
            watch.wait_for_fewer_than(1)
            deadline = time.monotonic() + PATIENCE
            while watch.names("job/token/"):
                assert time.monotonic() < deadline
                time.sleep(0.005)
            assert api.get("auth/token/lookup-self", filled.ordinary).status == 200
            assert api.get("auth/token/lookup-self", filled.child).status == 403
            api.close()
        others = TOKENS - CHILDREN
        assert len(watch.names("token/id/")) == others + 1  # and the root token
        assert len(watch.names("token/accessor/")) == others + 1
        assert len(watch.names("token/expiry/")) == others
        assert len(watch.names("lease/id/auth/token/create/")) == others
