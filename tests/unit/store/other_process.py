"""A second, real process on the same LMDB data, told what to do line by line.

Commands and answers are JSON, one a line: ``["commit", key, text]`` answers the revision,
``["fill", count, size]`` too, ``["hold"]`` takes LMDB's write lock until ``["release"]``,
``["read"]`` begins a read transaction and keeps it open.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from wardgate.store.interface import Put
from wardgate.store.lmdb import LmdbStore

REPOSITORY = Path(__file__).parents[3]


class OtherProcess:
    """Starts the process; leaving the context kills it."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )

    def ask(self, *command: object) -> Any:
        """Send one command and wait for its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()


async def obey(path: Path) -> None:
    store = LmdbStore.open(path, map_size=16 * 4096)
    held: list[Any] = []
    for line in sys.stdin:
        match json.loads(line):
            case ["commit", key, text]:
                answer = await store.commit({}, [Put(key, text.encode())])
            case ["fill", count, size]:
                writes = [Put(f"fill/{i}", bytes(size)) for i in range(count)]
                answer = await store.commit({}, writes)
            case ["hold"]:
                held.append(store._file.begin(write=True))
                answer = 0
            case ["release"]:
                held.pop().abort()
                answer = 0
            case ["read"]:
                held.append(store._file.begin())
                answer = 0
            case _:
                raise ValueError("unknown command")
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(obey(Path(sys.argv[1])))
