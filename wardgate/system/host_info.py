"""``sys/host-info``: the machine that the server runs on, as far as the operating system tells."""

import asyncio
import os
import platform
import socket
import time
from pathlib import Path
from typing import Any

import psutil

from wardgate.core.core import Core
from wardgate.core.operation import Operation
from wardgate.core.request import JsonMap, Request, Response
from wardgate.framework.endpoints import endpoint
from wardgate.timestamps import rfc3339

_CPU_FIELDS = {
    "vendor_id": "vendorId",
    "cpu family": "family",
    "model": "model",
    "stepping": "stepping",
    "physical id": "physicalId",
    "core id": "coreId",
    "model name": "modelName",
    "microcode": "microcode",
}
_TIMES = {"guest_nice": "guestNice"}


class HostInfoEndpoints:
    """Asked of the operating system each time, in a thread."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @endpoint("host-info", Operation.READ, operation_id="collect-host-information")
    async def host_info(self, request: Request) -> Response:
        """Processors, disks, memory and the system's name."""
        found = await request.once("host info", lambda: asyncio.to_thread(_host_info))
        return Response({**found, "timestamp": rfc3339(self._core.clock.now())})


def _host_info() -> JsonMap:
    return {
        "cpu": _processors(),
        "cpu_times": [
            {
                "cpu": f"cpu{number}",
                **{_TIMES.get(name, name): value for name, value in times._asdict().items()},
            }
            for number, times in enumerate(psutil.cpu_times(percpu=True))
        ],
        "disk": _disks(),
        "host": _host(),
        "memory": _memory(),
    }


def _processors() -> list[JsonMap]:
    """What Linux tells in /proc/cpuinfo; on other systems the number of processors alone."""
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return [{"cpu": number} for number in range(psutil.cpu_count() or 1)]
    found = []
    for number, block in enumerate(text.strip().split("\n\n")):
        told: dict[str, str] = {}
        for line in block.splitlines():
            name, _, value = line.partition(":")
            told[name.strip()] = value.strip()
        shown: JsonMap = {"cpu": number, "flags": told.get("flags", "").split()}
        shown |= {ours: told[theirs] for theirs, ours in _CPU_FIELDS.items() if theirs in told}
        shown["mhz"] = _number(told.get("cpu MHz", ""))
        shown["cores"] = int(_number(told.get("cpu cores", "")) or 1)
        found.append(shown)
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _disks() -> list[JsonMap]:
    found = []
    for partition in psutil.disk_partitions():
        try:
            usage, inodes = (
                psutil.disk_usage(partition.mountpoint),
                os.statvfs(partition.mountpoint),
            )
        except OSError:
            continue  # unmounted meanwhile, or not for us to see
        used = inodes.f_files - inodes.f_ffree
        found.append(
            {
                "path": partition.mountpoint,
                "fstype": partition.fstype,
                "total": usage.total,
                "free": usage.free,
                "used": usage.used,
                "usedPercent": usage.percent,
                "inodesTotal": inodes.f_files,
                "inodesUsed": used,
                "inodesFree": inodes.f_ffree,
                "inodesUsedPercent": 100 * used / inodes.f_files if inodes.f_files else 0.0,
            }
        )
    return found


def _host() -> JsonMap:
    release = _os_release()
    booted = int(psutil.boot_time())
    return {
        "hostname": socket.gethostname(),
        "uptime": int(time.time()) - booted,
        "bootTime": booted,
        "procs": len(psutil.pids()),
        "os": platform.system().lower(),
        "platform": release.get("ID", ""),
        "platformFamily": release.get("ID_LIKE", release.get("ID", "")),
        "platformVersion": release.get("VERSION_ID", ""),
        "kernelVersion": platform.release(),
        "kernelArch": platform.machine(),
    }


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _memory() -> JsonMap:
    memory: dict[str, Any] = psutil.virtual_memory()._asdict()
    swap = psutil.swap_memory()
    memory["usedPercent"] = memory.pop("percent")
    return {**memory, "swaptotal": swap.total, "swapfree": swap.free}
