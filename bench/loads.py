"""The loads: what is asked, what must be there before, and what a right answer holds.

Both servers get byte for byte the same requests. Apart from the logins they carry an ordinary
service token with one policy, not the root token, which would skip the policy check.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bench.api import Api, Json, Refused

SECRETS = 200
USERS = 8
PASSWORD = "a password that protects nothing"
ROLE_ID = "the role of the bench's machines"
SECRET_ID = "a secret id that protects nothing"
VALUE = {
    "username": "billing-service",
    "password": "9xQ4vTzLw2RkH7mNcY5bJ8sDfG3pA6eU",
    "url": "postgresql://db-1.internal.example:5432/billing",
    "note": "rotated every thirty days by the platform team",
}
"""About 200 bytes as JSON, fixed."""

POLICY = """
path "bench-v2/*"         { capabilities = ["create", "read", "update"] }
path "bench-v1/*"         { capabilities = ["create", "read", "update"] }
path "auth/token/create"  { capabilities = ["update"] }
"""
POLICIES = ["bench", "default"]


Check = Callable[[Api, Json], None]


class WrongAnswer(Exception):
    """A server answered 2xx, but not with what it should have."""


@dataclass(frozen=True)
class Load:
    """Requests of one sort.

    The word KEY in `path` becomes a number of 0 … `count` - 1 again and again (``cycle``) or a name
    that was not there before (``fresh``). `check` raises `WrongAnswer`; it gets the server too,
    with the token of the load. `readback` does the same for a GET of a key that was written.
    `optional` loads run only when named. A load of slow requests takes `at_most` so many
    connections, as with more of them a short round would see only a queue.
    """

    name: str
    title: str
    method: str
    path: str
    check: Check
    body: Json | None = None
    keys: Literal["same", "cycle", "fresh"] = "same"
    count: int = 0
    readback: Check | None = None
    at_most: int = 512
    anonymous: bool = False
    optional: bool = False


def prepare(root: Api, *, has_kv2: bool = False) -> str:
    """Make all that the loads need on a new server; the token that they carry.

    `has_kv2` when the server has the mount ``bench-v2`` already; see `bench.filling`. Raises
    `Refused` or `WrongAnswer`.
    """
    root.call("PUT", "sys/policies/acl/bench", {"policy": POLICY})
    root.call("POST", "sys/mounts/bench-v1", {"type": "kv", "options": {"version": "1"}})
    if not has_kv2:
        root.call("POST", "sys/mounts/bench-v2", {"type": "kv", "options": {"version": "2"}})
    root.call("POST", "sys/auth/bench-users", {"type": "userpass"})
    _until_ready(root)
    for number in range(SECRETS):
        root.call("PUT", f"bench-v1/read/{number}", VALUE)
        root.call("PUT", f"bench-v2/data/read/{number}", {"data": VALUE})
    for number in range(USERS):
        user = {"password": PASSWORD, "token_policies": "bench", "token_ttl": "1h"}
        root.call("POST", f"auth/bench-users/users/user-{number}", user)
    root.call("POST", "sys/auth/bench-machines", {"type": "approle"})
    role = "auth/bench-machines/role/machine"
    settings = {"role_id": ROLE_ID, "token_policies": "bench", "token_ttl": "1h"}
    root.call("POST", role, settings)
    root.call("POST", f"{role}/custom-secret-id", {"secret_id": SECRET_ID})
    wanted = {"policies": ["bench"], "ttl": "2h", "no_parent": True}
    token = root.call("POST", "auth/token/create", wanted)["auth"]["client_token"]
    return str(token)


def key_for(load: Load, step: int, prefix: str) -> str:
    """The path of `load` with the key that wrk's thread 1 uses at `step`, as in load.lua."""
    if load.keys == "cycle":
        return load.path.replace("KEY", str(step % load.count))
    if load.keys == "fresh":
        return load.path.replace("KEY", f"{prefix}-1-{step}")
    return load.path


def _until_ready(root: Api) -> None:
    """A new kv v2 mount may answer 400 for a moment, while it is being upgraded."""
    for _ in range(50):
        try:
            root.call("PUT", "bench-v2/data/ready", {"data": VALUE})
        except Refused as error:
            if error.status != 400:
                raise
            time.sleep(0.1)
        else:
            return
    raise WrongAnswer("the kv version 2 mount did not become ready")


def _expect(field: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise WrongAnswer(f"the answer's {field} is not what it should be")


def _check_lookup(_api: Api, answer: Json) -> None:
    data = answer["data"]
    _expect("data.policies", sorted(data["policies"]), POLICIES)
    _expect("data.type", data["type"], "service")
    _expect("data.orphan", data["orphan"], True)
    _expect("data.creation_ttl", data["creation_ttl"], 7200)
    _expect("data.ttl", 0 < data["ttl"] <= 7200, True)


def _check_kv2_read(_api: Api, answer: Json) -> None:
    _expect("data.data", answer["data"]["data"], VALUE)
    _expect("data.metadata.version", answer["data"]["metadata"]["version"], 1)


def _check_kv2_write(_api: Api, answer: Json) -> None:
    _expect("data.version", answer["data"]["version"], 1)


def _check_kv1_read(_api: Api, answer: Json) -> None:
    _expect("data", answer["data"], VALUE)


def _check_kv1_write(_api: Api, answer: Json) -> None:
    _expect("body", answer, {})


def _check_token(api: Api, answer: Json) -> None:
    auth = answer["auth"]
    _expect("auth.token_policies", sorted(auth["token_policies"]), POLICIES)
    _expect("auth.token_type", auth["token_type"], "service")
    _expect("auth.lease_duration", auth["lease_duration"], 3600)
    found = Api(api.port, auth["client_token"]).call("GET", "auth/token/lookup-self")
    _expect("auth.accessor", auth["accessor"], found["data"]["accessor"])


LOADS = (
    Load("lookup", "Token lookup-self", "GET", "auth/token/lookup-self", _check_lookup),
    Load(
        "kv2-read",
        f"KV v2 read ({SECRETS} keys)",
        "GET",
        "bench-v2/data/read/KEY",
        _check_kv2_read,
        keys="cycle",
        count=SECRETS,
    ),
    Load(
        "kv2-write",
        "KV v2 write (new keys)",
        "PUT",
        "bench-v2/data/write/KEY",
        _check_kv2_write,
        body={"data": VALUE},
        keys="fresh",
        readback=_check_kv2_read,
    ),
    Load(
        "token-create",
        "Token create",
        "POST",
        "auth/token/create",
        _check_token,
        body={"policies": ["bench"], "ttl": "1h"},
    ),
    Load(
        "approle",
        "AppRole login (one secret id)",
        "POST",
        "auth/bench-machines/login",
        _check_token,
        body={"role_id": ROLE_ID, "secret_id": SECRET_ID},
        anonymous=True,
    ),
    Load(
        "login",
        f"Userpass login (bcrypt, {USERS} users and connections)",
        "POST",
        "auth/bench-users/login/user-KEY",
        _check_token,
        body={"password": PASSWORD},
        keys="cycle",
        count=USERS,
        at_most=USERS,
        anonymous=True,
    ),
    Load(
        "kv1-read",
        f"KV v1 read ({SECRETS} keys)",
        "GET",
        "bench-v1/read/KEY",
        _check_kv1_read,
        keys="cycle",
        count=SECRETS,
        optional=True,
    ),
    Load(
        "kv1-write",
        "KV v1 write (new keys)",
        "PUT",
        "bench-v1/write/KEY",
        _check_kv1_write,
        body=dict(VALUE),
        keys="fresh",
        readback=_check_kv1_read,
        optional=True,
    ),
)
