"""kill -9 under write load: everything acknowledged is there, nothing is half there.

A writer process commits on several tasks at once, each commit a new key and a counter on either
side, and reports every acknowledgement through a pipe. It is killed after a number of them that
differs from round to round, so it dies in the midst of other commits; the next round goes on with
what it left behind.
"""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

from wardgate.store.interface import ABSENT, Put
from wardgate.store.lmdb import LmdbStore

ROUNDS = 30
TASKS = 16
REPOSITORY = Path(__file__).parents[2]


async def write_until_killed(path: Path) -> None:
    # So small that the file also grows while it is written.
    store = LmdbStore.open(path, map_size=16 * 4096)

    async def write(task: int) -> None:
        entry = await store.get(f"left/{task}")
        count, version = (int(entry.value[:20]), entry.version) if entry else (0, ABSENT)
        while True:
            count += 1
            value = b"%020d" % count + bytes(count * 37 % 3000)
            version = await store.commit(
                {f"left/{task}": version, f"right/{task}": version},
                [
                    Put(f"left/{task}", value),
                    Put(f"log/{task}/{count}", value),
                    Put(f"right/{task}", value),
                ],
            )
            os.write(sys.stdout.fileno(), b"%d %d %d\n" % (task, count, version))

    await asyncio.gather(*(write(task) for task in range(TASKS)))


def acknowledged_before_death(path: Path, kill_after: int) -> list[tuple[int, int, int]]:
    """Task, count and revision of each acknowledgement of one writer."""
    writer = subprocess.Popen(
        [sys.executable, "-m", __name__, str(path)], stdout=subprocess.PIPE, cwd=REPOSITORY
    )
    assert writer.stdout is not None
    lines = [writer.stdout.readline() for _ in range(kill_after)]
    writer.kill()
    lines += writer.stdout.readlines()
    writer.stdout.close()
    writer.wait()
    assert all(line.endswith(b"\n") for line in lines), "the writer died by itself"
    return [(int(t), int(c), int(r)) for t, c, r in (line.split() for line in lines)]


async def check(path: Path, acknowledged: list[tuple[int, int, int]]) -> None:
    store = LmdbStore.open(path)
    for task, count, revision in acknowledged:
        entry = await store.get(f"log/{task}/{count}")
        assert entry is not None, "an acknowledged commit is lost"
        assert entry.version == revision
        assert revision <= await store.revision()
    for task in range(TASKS):
        left, right = await store.get(f"left/{task}"), await store.get(f"right/{task}")
        assert left == right, "half a commit is there"
        last = int(left.value[:20]) if left else 0
        assert last >= max((c for t, c, _ in acknowledged if t == task), default=0)
        log = await store.list(f"log/{task}/")
        assert len(log) == last
        assert not left or await store.get(f"log/{task}/{last}") == left
    await store.close()


def test_53_a_killed_writer_loses_nothing_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    rounds = random.Random(2)
    everything: list[tuple[int, int, int]] = []
    for _ in range(ROUNDS):
        acknowledged = acknowledged_before_death(tmp_path, kill_after=rounds.randint(1, 400))
        everything += acknowledged
        asyncio.run(check(tmp_path, acknowledged))
    asyncio.run(check(tmp_path, everything))
    revisions = [revision for _, _, revision in everything]
    assert len(set(revisions)) == len(revisions)


if __name__ == "__main__":
    asyncio.run(write_until_killed(Path(sys.argv[1])))
