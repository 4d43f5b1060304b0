"""One round of load by wrk: one thread, many connections, every reply counted."""

import json
import re
import subprocess
from pathlib import Path

import msgspec

from bench.loads import Load
from bench.results import Sample
from bench.servers import environment

SCRIPT = Path(__file__).with_name("load.lua")
REPLY_TIMEOUT = 10  # seconds a reply may take before wrk counts it as failed


class Spoiled(Exception):
    """A round in which not every reply was a 2xx, or none came: there is no figure for it."""


class _Counts(msgspec.Struct):
    requests: int
    microseconds: int
    p50: int
    p99: int
    status: int
    socket: int
    timeout: int


def put_load(
    load: Load,
    port: int,
    token: str,
    *,
    seconds: int,
    connections: int,
    prefix: str,
) -> Sample:
    """Run `load` for `seconds`; `prefix` starts the names of fresh keys. Raises `Spoiled`."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={REPLY_TIMEOUT}s"]
    command += [f"--script={SCRIPT}", f"http://127.0.0.1:{port}"]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            env=environment() | _describe(load, token, prefix),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds + 4 * REPLY_TIMEOUT,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise Spoiled("wrk did not come to an end") from None
    except subprocess.CalledProcessError as error:
        raise Spoiled(f"wrk failed with exit status {error.returncode}") from None
    return read_counts(done.stdout)


def read_counts(output: str) -> Sample:
    """The sample in what wrk and load.lua printed. Raises `Spoiled` for any failed reply."""
    line = re.search(r"^\{.*\}$", output, re.MULTILINE)
    if line is None:
        raise Spoiled("wrk printed no result")
    counts = msgspec.json.decode(line.group(), type=_Counts)
    if counts.status or counts.socket or counts.timeout:
        raise Spoiled(
            f"of {counts.requests} replies {counts.status} were not 2xx and {counts.timeout} came "
            f"too late; {counts.socket} connections failed"
        )
    if not counts.requests:
        raise Spoiled("no reply came")
    return Sample(
        requests=counts.requests,
        seconds=counts.microseconds / 1e6,
        p50=counts.p50 / 1e3,
        p99=counts.p99 / 1e3,
    )


def _describe(load: Load, token: str, prefix: str) -> dict[str, str]:
    """The environment that load.lua reads."""
    return {
        "BENCH_METHOD": load.method,
        "BENCH_PATH": f"/v1/{load.path}",
        "BENCH_BODY": "" if load.body is None else json.dumps(load.body),
        "BENCH_TOKEN": "" if load.anonymous else token,
        "BENCH_KEYS": load.keys,
        "BENCH_COUNT": str(load.count),
        "BENCH_PREFIX": prefix,
    }
