"""The processes of a server: how much memory and CPU they take, and how they end.

Every server is started as leader of a session of its own, so its processes are those of that
session, even a worker whose parent has died.
"""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from bench.results import Memory

GRACE = 15.0  # seconds between SIGTERM and SIGKILL
TICKS = os.sysconf("SC_CLK_TCK")
MEBI = 1024  # smaps_rollup counts in KiB


def members(session: int) -> list[int]:
    """The ids of the living processes in `session`."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            fields = _stat(int(folder.name))
            if fields and int(fields[3]) == session and fields[0] != "Z":
                found.append(int(folder.name))
    return found


def memory(session: int) -> Memory:
    """What the session's processes hold in memory together.

    RSS counts a page once for each process that maps it, PSS divides it among them.
    """
    rss = pss = 0
    for pid in members(session):
        with contextlib.suppress(OSError):  # ended meanwhile
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, rest = line.partition(":")
                if name == "Rss":
                    rss += int(rest.split()[0])
                elif name == "Pss":
                    pss += int(rest.split()[0])
    return Memory(rss=rss / MEBI, pss=pss / MEBI)


def anonymous(session: int) -> float:
    """MiB that the session's processes hold which are no pages of files: what they made themselves."""
    held = 0
    for pid in members(session):
        with contextlib.suppress(OSError):  # ended meanwhile
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, rest = line.partition(":")
                held += int(rest.split()[0]) if name == "Anonymous" else 0
    return held / MEBI


def cpu_seconds(session: int) -> float:
    """The CPU time (user and system) that the session's living processes have used."""
    spent = 0
    for pid in members(session):
        fields = _stat(pid)
        if fields:
            spent += int(fields[11]) + int(fields[12])
    return spent / TICKS


def busy_seconds() -> float:
    """The CPU time that all processors together have spent on anything since the machine started.

    Time stolen by the hypervisor counts, as nobody here could use it; see proc(5).
    """
    _, user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = (
        Path("/proc/stat").read_text().partition("\n")[0].split()
    )
    return sum(map(int, (user, nice, system, irq, softirq, steal))) / TICKS


def stop(process: subprocess.Popen[bytes]) -> None:
    """End `process`, a session leader, and all of its session: politely, then by force."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    deadline = time.monotonic() + GRACE
    while (left := members(process.pid)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    process.wait()


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the command, from the state on; see proc(5)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()
