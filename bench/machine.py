"""The machine that a run happens on, and whether its disk is fit for it."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.results import Machine

PACKAGES = ("httptools", "uvloop", "lmdb", "msgspec", "cryptography", "bcrypt")
IN_MEMORY = ("tmpfs", "ramfs")


class NotADisk(Exception):
    """The data would lie in memory, where a durable write costs nothing."""


def look_around(folder: Path) -> Machine:
    """What there is to know about the machine, and the file system that holds `folder`.

    Raises `NotADisk`.
    """
    filesystem = disk_of(folder)
    return Machine(
        cpu=_field(Path("/proc/cpuinfo"), "model name"),
        cores=len(os.sched_getaffinity(0)),
        memory=int(_field(Path("/proc/meminfo"), "MemTotal").split()[0]) / 1024**2,
        kernel=platform.release(),
        filesystem=filesystem,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        wrk=_wrk_version(),
        packages=_versions(),
        load_average=os.getloadavg()[0],
    )


def disk_of(folder: Path) -> str:
    """The file system that holds `folder`. Raises `NotADisk` when it is one in memory."""
    filesystem = _filesystem(folder)
    if filesystem in IN_MEMORY:
        raise NotADisk(f"{folder} is on {filesystem}: name a folder on a disk with --data")
    return filesystem


def _field(file: Path, name: str) -> str:
    for line in file.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "0 (unknown)"


def _filesystem(folder: Path) -> str:
    """The type of the file system that `folder` is on: the longest mount point above it."""
    place = folder.resolve()
    best, kind = -1, "unknown"
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, point, type_, *_ = line.split()
        # later mounts cover earlier ones of the same place
        if place.is_relative_to(point) and len(point) >= best:
            best, kind = len(point), type_
    return kind


def _wrk_version() -> str:
    # wrk -v prints its version and exits with 1
    shown = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)  # noqa: S607
    words = (shown.stdout + shown.stderr).split()
    return words[1].removeprefix("debian/") if len(words) > 1 else "unknown"


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
