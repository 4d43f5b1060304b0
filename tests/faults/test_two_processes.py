"""Two server processes over one data directory are one server: what is done through one is true in
the other at its next request."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.api import Api, tcp
from tests.server_process import (
    initialise,
    lmdb_storage,
    plain_listener,
    serving,
    unseal,
    write_config,
)
from tests.servers import free_port

ROUNDS = 20  # a value that is seen too late is seen in time now and then


@dataclass
class Pair:
    """Root at both, and the unseal keys of both."""

    one: Api
    other: Api
    keys: list[str]

    def turns(self) -> Iterator[tuple[Api, Api]]:
        """Who writes and who reads, again and again in turn."""
        for number in range(ROUNDS):
            yield (self.one, self.other) if number % 2 else (self.other, self.one)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    storage, ports = lmdb_storage(first / "data"), (free_port(), free_port())
    configs = [
        write_config(folder, storage, plain_listener(port))
        for folder, port in zip((first, second), ports, strict=True)
    ]
    with (
        serving(configs[0], folder=first),
        serving(configs[1], folder=second),
        Api(tcp(ports[0])) as one,
        Api(tcp(ports[1])) as other,
    ):
        keys = initialise(one)
        other.token = one.token
        for api in (one, other):
            unseal(api, keys)
        assert one.post("sys/mounts/kv", {"type": "kv", "options": {"version": "2"}}).status == 204
        yield Pair(one, other, keys)


def test_a_secret(pair: Pair) -> None:
    for number, (writer, reader) in enumerate(pair.turns()):
        writer.post("kv/data/secret", {"data": {"number": number}})
        assert reader.get("kv/data/secret").data["data"] == {"number": number}


def test_a_policy(pair: Pair) -> None:
    asked = {"policies": ["changing"]}
    token = pair.one.post("auth/token/create", asked).auth["client_token"]
    pair.one.post("kv/data/guarded", {"data": {"a": 1}})
    for number, (writer, reader) in enumerate(pair.turns()):
        capability = "read" if number % 2 else "deny"
        rules = f'path "kv/data/guarded" {{ capabilities = ["{capability}"] }}'
        writer.post("sys/policies/acl/changing", {"policy": rules})
        status = 200 if capability == "read" else 403
        assert reader.get("kv/data/guarded", token).status == status
        assert writer.get("kv/data/guarded", token).status == status


def test_a_token_and_its_end(pair: Pair) -> None:
    for writer, reader in pair.turns():
        made = writer.post("auth/token/create", {"policies": ["default"]}).auth
        token = made["client_token"]
        assert reader.get("auth/token/lookup-self", token).status == 200
        assert writer.get("auth/token/lookup-self", token).status == 200
        writer.post("auth/token/revoke-accessor", {"accessor": made["accessor"]})
        assert reader.get("auth/token/lookup-self", token).status == 403


def test_the_uses_of_a_token_are_counted_together(pair: Pair) -> None:
    asked = {"policies": ["default"], "num_uses": 3}
    for writer, reader in pair.turns():
        token = writer.post("auth/token/create", asked).auth["client_token"]
        apis = (reader, writer, reader, writer)
        statuses = [api.get("auth/token/lookup-self", token).status for api in apis]
        assert statuses == [200, 200, 200, 403]


def test_a_mount(pair: Pair) -> None:
    for number, (writer, reader) in enumerate(pair.turns()):
        path = f"mount-{number}"
        writer.post(f"sys/mounts/{path}", {"type": "kv", "options": {"version": "1"}})
        assert reader.post(f"{path}/secret", {"a": 1}).status == 204
        writer.post("sys/remount", {"from": path, "to": f"moved-{path}"})
        assert reader.get(f"{path}/secret").status == 404
        assert reader.get(f"moved-{path}/secret").data == {"a": 1}
        writer.delete(f"sys/mounts/moved-{path}")
        assert reader.get(f"moved-{path}/secret").status == 404


def test_a_user(pair: Pair) -> None:
    pair.one.post("sys/auth/userpass", {"type": "userpass"})
    for number, (writer, reader) in enumerate([*pair.turns()][:4]):
        password = f"password {number}"
        writer.post("auth/userpass/users/somebody", {"password": password})
        login = reader.post("auth/userpass/login/somebody", {"password": password}, "")
        assert login.status == 200
        writer.delete("auth/userpass/users/somebody")
        assert reader.post("auth/userpass/login/somebody", {"password": password}, "").status == 400


def test_a_new_encryption_key(pair: Pair) -> None:
    for number, (writer, reader) in enumerate(pair.turns()):
        assert writer.call("PUT", "sys/rotate").status == 204
        writer.post("kv/data/rotated", {"data": {"number": number}})
        assert reader.get("kv/data/rotated").data["data"] == {"number": number}
        reader.post("kv/data/rotated", {"data": {"number": -number}})
        assert writer.get("kv/data/rotated").data["data"] == {"number": -number}


def test_each_is_sealed_by_itself(pair: Pair) -> None:
    assert pair.one.call("PUT", "sys/seal").status == 204
    assert pair.one.get("kv/data/secret").status == 503
    pair.other.post("kv/data/secret", {"data": {"meanwhile": "changed"}})
    unseal(pair.one, pair.keys)
    assert pair.one.get("kv/data/secret").data["data"] == {"meanwhile": "changed"}


def test_a_lockout(pair: Pair) -> None:
    pair.one.post("sys/auth/locking", {"type": "userpass"})
    pair.one.post("auth/locking/users/ada", {"password": "right"})
    accessor = pair.one.get("sys/auth/locking").data["accessor"]
    for _, (one, other) in zip(range(4), pair.turns(), strict=False):
        apis = (one, other, one, other, one, other)
        wrong = [api.post("auth/locking/login/ada", {"password": "x"}, "").status for api in apis]
        assert wrong == [400, 400, 400, 400, 400, 403]
        for api in (one, other):
            assert api.post("auth/locking/login/ada", {"password": "right"}, "").status == 403
        assert other.post(f"sys/locked-users/{accessor}/unlock/ada").status == 204
        assert one.post("auth/locking/login/ada", {"password": "right"}, "").status == 200


def test_the_rules_of_a_quota(pair: Pair) -> None:
    pair.one.post("sys/mounts/limited", {"type": "kv"})
    quota = {"rate": 1, "interval": "1h", "path": "limited"}
    for writer, reader in pair.turns():
        writer.post("sys/quotas/rate-limit/q", quota)
        assert [reader.get("limited/a").status for _ in range(2)] == [404, 429]
        writer.delete("sys/quotas/rate-limit/q")
        assert reader.get("limited/a").status == 404
