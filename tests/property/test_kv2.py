"""KV version 2 against a slow and obvious model of it, through the whole pipeline.

The model keeps every version that was ever written in a dictionary and works out each answer anew.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.unit.secrets.server import Server
from wardgate.secrets.kv2.merge_patch import merge_patch
from wardgate.secrets.kv2.store import INLINE_BYTES

LARGE = "x" * INLINE_BYTES

PATHS = st.sampled_from(["a", "a/b", "c"])
DATA = st.dictionaries(
    st.sampled_from("pqr"), st.none() | st.integers(0, 9) | st.just(LARGE), max_size=3
)
NUMBERS = st.lists(st.integers(-1, 8), min_size=1, max_size=3)
CAS = st.none() | st.integers(0, 6)
MAX_VERSIONS = st.integers(0, 4)
SECONDS = st.sampled_from([0, 50, 200])


@dataclass
class Version:
    data: Any
    deleted: float = 0
    destroyed: bool = False


@dataclass
class Secret:
    """What the model knows of one path."""

    versions: dict[int, Version] = field(default_factory=dict)
    current: int = 0
    max_versions: int = 0
    delete_after: int = 0
    cas_required: bool = False
    metadata_version: int = 0


class Kv2Model(RuleBasedStateMachine):
    """Does the same to the server and to the model, and compares what both say."""

    @initialize(old=st.dictionaries(PATHS, DATA.filter(bool)))
    def begin(self, old: dict[str, Any]) -> None:
        """A mount that began as version 1 and was upgraded."""
        self.server = Server()
        self.server.mount("1")
        for path, data in old.items():
            assert self.server.call("POST", f"secret/{path}", data).status == 204
        self.server.call("POST", "sys/mounts/secret/tune", {"options": {"version": "2"}})
        self.secrets = {path: Secret({1: Version(data)}, 1) for path, data in old.items()}
        self.max_versions = 0
        self.delete_after = 0

    def teardown(self) -> None:
        if not hasattr(self, "server"):
            return
        for path in self.secrets:
            self.server.call("DELETE", f"secret/metadata/{path}")
        left = [key for key in self.server.stored_keys() if key != "config"]
        self.server.close()
        assert left == []

    @property
    def now(self) -> float:
        return self.server.clock.now()

    def readable(self, version: Version) -> bool:
        return not version.destroyed and not 0 < version.deleted <= self.now

    def deletion(self, secret: Secret) -> float:
        """When a version made now is deleted by itself."""
        times = [seconds for seconds in (self.delete_after, secret.delete_after) if seconds]
        return self.now + min(times) if times and self.delete_after >= 0 else 0

    def add(self, path: str, data: Any) -> None:
        secret = self.secrets.setdefault(path, Secret())
        secret.current += 1
        secret.versions[secret.current] = Version(data, self.deletion(secret))
        keep = max(self.max_versions, secret.max_versions) or 10
        for number in [*secret.versions]:
            if number <= secret.current - keep:
                del secret.versions[number]

    @rule(path=PATHS, data=DATA, cas=CAS)
    def write(self, path: str, data: Any, cas: int | None) -> None:
        secret = self.secrets.get(path, Secret())
        options = {} if cas is None else {"cas": cas}
        answer = self.server.write(path, data, **options)
        if (cas is None and secret.cas_required) or cas not in (None, secret.current):
            assert answer.status == 400
        else:
            assert answer.status == 200
            self.add(path, data)
            assert answer.data["version"] == self.secrets[path].current

    @rule(path=PATHS, patch=DATA)
    def patch(self, path: str, patch: Any) -> None:
        secret = self.secrets.get(path, Secret())
        body = {"data": patch, "options": {"cas": secret.current}}
        answer = self.server.call("PATCH", f"secret/data/{path}", body)
        version = secret.versions.get(secret.current)
        if version is None or not self.readable(version):
            assert answer.status == 404
        else:
            assert answer.status == 200
            self.add(path, merge_patch(version.data, patch))

    @rule(path=PATHS)
    def delete_current(self, path: str) -> None:
        assert self.server.call("DELETE", f"secret/data/{path}").status == 204
        secret = self.secrets.get(path, Secret())
        self.mark_deleted(secret, [secret.current])

    @rule(path=PATHS, numbers=NUMBERS)
    def delete(self, path: str, numbers: list[int]) -> None:
        answer = self.server.call("POST", f"secret/delete/{path}", {"versions": numbers})
        assert answer.status == 204
        self.mark_deleted(self.secrets.get(path, Secret()), numbers)

    def mark_deleted(self, secret: Secret, numbers: list[int]) -> None:
        for number in numbers:
            version = secret.versions.get(number)
            if version and self.readable(version):
                version.deleted = self.now

    @rule(path=PATHS, numbers=NUMBERS)
    def undelete(self, path: str, numbers: list[int]) -> None:
        answer = self.server.call("POST", f"secret/undelete/{path}", {"versions": numbers})
        assert answer.status == 204
        secret = self.secrets.get(path, Secret())
        for number in numbers:
            version = secret.versions.get(number)
            if version and not version.destroyed:
                version.deleted = self.deletion(secret)

    @rule(path=PATHS, numbers=NUMBERS)
    def destroy(self, path: str, numbers: list[int]) -> None:
        answer = self.server.call("POST", f"secret/destroy/{path}", {"versions": numbers})
        assert answer.status == 204
        for number in numbers:
            version = self.secrets.get(path, Secret()).versions.get(number)
            if version:
                version.destroyed = True

    @rule(path=PATHS, most=MAX_VERSIONS, after=SECONDS, required=st.booleans(), cas=CAS)
    def change_metadata(
        self, path: str, most: int, after: int, required: bool, cas: int | None
    ) -> None:
        body = {"max_versions": most, "delete_version_after": after, "cas_required": required}
        if cas is not None:
            body["metadata_cas"] = cas
        answer = self.server.call("POST", f"secret/metadata/{path}", body)
        if cas not in (None, self.secrets.get(path, Secret()).metadata_version):
            assert answer.status == 400
            return
        assert answer.status == 204
        secret = self.secrets.setdefault(path, Secret())
        secret.max_versions, secret.delete_after = most, after
        secret.cas_required = required
        secret.metadata_version += 1

    @rule(path=PATHS)
    def delete_metadata(self, path: str) -> None:
        assert self.server.call("DELETE", f"secret/metadata/{path}").status == 204
        self.secrets.pop(path, None)

    @rule(most=MAX_VERSIONS, after=SECONDS | st.just(-1))
    def configure(self, most: int, after: int) -> None:
        body = {"max_versions": most, "delete_version_after": after}
        assert self.server.call("POST", "secret/config", body).status == 204
        self.max_versions, self.delete_after = most, after

    @rule(seconds=st.integers(1, 100))
    def let_time_pass(self, seconds: int) -> None:
        self.server.clock.advance(seconds)

    @invariant()
    def every_version_reads_as_the_model_has_it(self) -> None:
        for path, secret in getattr(self, "secrets", {}).items():
            assert self.server.call("GET", f"secret/data/{path}?version=999").errors == []
            for number in range(1, secret.current + 1):
                answer = self.server.call("GET", f"secret/data/{path}?version={number}")
                version = secret.versions.get(number)
                if version is None:
                    assert answer.errors == []
                    continue
                readable = self.readable(version)
                assert answer.status == (200 if readable else 404)
                assert answer.data["data"] == (version.data if readable else None)
                metadata = answer.data["metadata"]
                assert metadata["version"] == number
                assert metadata["destroyed"] == version.destroyed
                assert bool(metadata["deletion_time"]) == bool(version.deleted)

    @invariant()
    def metadata_is_as_the_model_has_it(self) -> None:
        for path, secret in getattr(self, "secrets", {}).items():
            metadata = self.server.call("GET", f"secret/metadata/{path}").data
            assert metadata["current_version"] == secret.current
            assert metadata["current_metadata_version"] == secret.metadata_version
            assert [*metadata["versions"]] == [str(number) for number in secret.versions]

    @invariant()
    def every_secret_is_found_by_a_scan(self) -> None:
        if hasattr(self, "server"):
            found = self.server.call("SCAN", "secret/metadata").data.get("keys", [])
            assert sorted(found) == sorted(self.secrets)


TestKv2 = Kv2Model.TestCase
TestKv2.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
