"""hvac stores, reads, changes and removes secrets in kv version 1 and version 2."""

from collections.abc import Iterator
from typing import Any

import hvac
import pytest
from hvac.api.secrets_engines.kv_v1 import KvV1
from hvac.api.secrets_engines.kv_v2 import KvV2
from hvac.exceptions import InvalidPath, InvalidRequest

READS_WITH_A_WARNING = pytest.mark.filterwarnings(
    "ignore:The raise_on_deleted_version parameter:DeprecationWarning"
)
"""hvac's patch reads first, in a way that hvac itself warns of."""


@pytest.fixture
def mount(client: hvac.Client, name: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An own kv mount of the version that the test's class names."""
    version = str(request.cls.version)
    system: Any = client.sys
    system.enable_secrets_engine("kv", path=name, options={"version": version})
    yield name
    system.disable_secrets_engine(name)


class TestVersion1:
    version = 1

    @pytest.fixture
    def kv(self, client: hvac.Client) -> KvV1:
        return client.secrets.kv.v1

    def test_a_secret_is_read_as_it_was_written(self, kv: KvV1, mount: str) -> None:
        secret = {
            "user": "app",
            "port": 5432,
            "tls": True,
            "hosts": ["a", "b"],
            "more": {"x": None},
        }
        kv.create_or_update_secret("db/main", secret, mount_point=mount)
        answer = kv.read_secret("db/main", mount_point=mount)
        assert answer["data"] == secret
        assert answer["lease_id"] == ""
        assert answer["lease_duration"] == 2764800
        assert answer["renewable"] is False

    def test_a_second_write_replaces_the_first(self, kv: KvV1, mount: str) -> None:
        kv.create_or_update_secret("one", {"a": "1", "b": "2"}, mount_point=mount)
        kv.create_or_update_secret("one", {"a": "3"}, method="PUT", mount_point=mount)
        assert kv.read_secret("one", mount_point=mount)["data"] == {"a": "3"}

    def test_a_list_shows_one_level_with_folders(self, kv: KvV1, mount: str) -> None:
        for path in ("b", "a", "a/deep/er", "c/x"):
            kv.create_or_update_secret(path, {"k": "v"}, mount_point=mount)
        assert kv.list_secrets("", mount_point=mount)["data"]["keys"] == ["a", "a/", "b", "c/"]
        assert kv.list_secrets("a", mount_point=mount)["data"]["keys"] == ["deep/"]

    def test_a_deleted_secret_is_gone(self, kv: KvV1, mount: str) -> None:
        kv.create_or_update_secret("one", {"a": "1"}, mount_point=mount)
        assert kv.delete_secret("one", mount_point=mount).status_code == 204
        with pytest.raises(InvalidPath):
            kv.read_secret("one", mount_point=mount)
        with pytest.raises(InvalidPath):
            kv.list_secrets("", mount_point=mount)
        assert kv.delete_secret("one", mount_point=mount).status_code == 204


class TestVersion2:
    version = 2

    @pytest.fixture
    def kv(self, client: hvac.Client) -> KvV2:
        return client.secrets.kv.v2

    @staticmethod
    def write(kv: KvV2, mount: str, *values: str, path: str = "app") -> None:
        for value in values:
            kv.create_or_update_secret(path, {"value": value}, mount_point=mount)

    @staticmethod
    def read(kv: KvV2, mount: str, version: int | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = kv.read_secret_version(
            "app", version=version, mount_point=mount, raise_on_deleted_version=True
        )
        return answer["data"]  # type: ignore[no-any-return]

    def test_each_write_makes_a_version(self, kv: KvV2, mount: str) -> None:
        first = kv.create_or_update_secret("app", {"value": "a"}, mount_point=mount)["data"]
        assert first["version"] == 1
        assert first["deletion_time"] == ""
        assert first["destroyed"] is False
        assert first["custom_metadata"] is None
        self.write(kv, mount, "b")
        assert self.read(kv, mount)["data"] == {"value": "b"}
        assert self.read(kv, mount)["metadata"]["version"] == 2
        assert self.read(kv, mount, version=1)["data"] == {"value": "a"}
        with pytest.raises(InvalidPath):
            self.read(kv, mount, version=3)

    def test_check_and_set_guards_a_write(self, kv: KvV2, mount: str) -> None:
        kv.create_or_update_secret("app", {"value": "a"}, cas=0, mount_point=mount)
        for stale in (0, 2):
            with pytest.raises(InvalidRequest, match="did not match the current version"):
                kv.create_or_update_secret("app", {"value": "b"}, cas=stale, mount_point=mount)
        kv.create_or_update_secret("app", {"value": "b"}, cas=1, mount_point=mount)
        assert self.read(kv, mount)["data"] == {"value": "b"}

    def test_check_and_set_can_be_required(self, kv: KvV2, mount: str) -> None:
        kv.configure(max_versions=3, cas_required=True, mount_point=mount)
        config = kv.read_configuration(mount_point=mount)["data"]
        assert config["max_versions"] == 3
        assert config["cas_required"] is True
        assert config["delete_version_after"] == "0s"
        with pytest.raises(InvalidRequest, match="check-and-set parameter required"):
            self.write(kv, mount, "a")
        kv.create_or_update_secret("app", {"value": "a"}, cas=0, mount_point=mount)

    @READS_WITH_A_WARNING
    def test_a_patch_changes_only_what_it_names(self, kv: KvV2, mount: str) -> None:
        kv.create_or_update_secret("app", {"a": "1", "b": "2"}, mount_point=mount)
        assert kv.patch("app", {"b": "3", "c": "4"}, mount_point=mount)["data"]["version"] == 2
        assert self.read(kv, mount)["data"] == {"a": "1", "b": "3", "c": "4"}

    @READS_WITH_A_WARNING
    def test_a_patch_of_nothing_is_refused(self, kv: KvV2, mount: str) -> None:
        with pytest.raises(InvalidPath):
            kv.patch("app", {"b": "3"}, mount_point=mount)

    def test_a_deleted_version_can_come_back(self, kv: KvV2, mount: str) -> None:
        self.write(kv, mount, "a", "b")
        kv.delete_latest_version_of_secret("app", mount_point=mount)
        with pytest.raises(InvalidPath):
            self.read(kv, mount)
        shown = kv.read_secret_version("app", mount_point=mount, raise_on_deleted_version=False)
        assert shown["data"]["data"] is None
        assert shown["data"]["metadata"]["deletion_time"] != ""
        assert self.read(kv, mount, version=1)["data"] == {"value": "a"}

        kv.undelete_secret_versions("app", [2], mount_point=mount)
        assert self.read(kv, mount)["data"] == {"value": "b"}
        kv.delete_secret_versions("app", [1, 2], mount_point=mount)
        for version in (1, 2):
            with pytest.raises(InvalidPath):
                self.read(kv, mount, version=version)

    def test_a_destroyed_version_cannot_come_back(self, kv: KvV2, mount: str) -> None:
        self.write(kv, mount, "a", "b")
        kv.destroy_secret_versions("app", [1], mount_point=mount)
        kv.undelete_secret_versions("app", [1], mount_point=mount)
        with pytest.raises(InvalidPath):
            self.read(kv, mount, version=1)
        versions = kv.read_secret_metadata("app", mount_point=mount)["data"]["versions"]
        assert versions["1"]["destroyed"] is True
        assert versions["2"]["destroyed"] is False
        assert self.read(kv, mount)["data"] == {"value": "b"}

    def test_metadata_tells_the_history(self, kv: KvV2, mount: str) -> None:
        self.write(kv, mount, "a", "b")
        data = kv.read_secret_metadata("app", mount_point=mount)["data"]
        assert data["current_version"] == 2
        assert data["oldest_version"] == 0
        assert data["max_versions"] == 0
        assert data["cas_required"] is False
        assert data["delete_version_after"] == "0s"
        assert data["custom_metadata"] is None
        assert sorted(data["versions"]) == ["1", "2"]
        assert data["created_time"] == data["versions"]["1"]["created_time"]
        assert data["updated_time"] == data["versions"]["2"]["created_time"]

    def test_metadata_sets_limits_and_labels(self, kv: KvV2, mount: str) -> None:
        kv.update_metadata(
            "app",
            max_versions=2,
            cas_required=False,
            delete_version_after="3h25m19s",
            custom_metadata={"owner": "billing", "stage": "test"},
            mount_point=mount,
        )
        self.write(kv, mount, "a", "b", "c")
        data = kv.read_secret_metadata("app", mount_point=mount)["data"]
        assert data["custom_metadata"] == {"owner": "billing", "stage": "test"}
        assert data["delete_version_after"] == "3h25m19s"
        assert data["oldest_version"] == 2
        assert sorted(data["versions"]) == ["2", "3"]
        with pytest.raises(InvalidPath):
            self.read(kv, mount, version=1)
        metadata = self.read(kv, mount)["metadata"]
        assert metadata["custom_metadata"] == {"owner": "billing", "stage": "test"}
        assert metadata["deletion_time"] != ""

    def test_a_list_shows_one_level_with_folders(self, kv: KvV2, mount: str) -> None:
        for path in ("b", "a", "a/deep/er"):
            self.write(kv, mount, "v", path=path)
        assert kv.list_secrets("", mount_point=mount)["data"]["keys"] == ["a", "a/", "b"]
        assert kv.list_secrets("a", mount_point=mount)["data"]["keys"] == ["deep/"]
        with pytest.raises(InvalidPath):
            kv.list_secrets("nothing", mount_point=mount)

    def test_deleting_the_metadata_removes_everything(self, kv: KvV2, mount: str) -> None:
        self.write(kv, mount, "a", "b")
        kv.delete_metadata_and_all_versions("app", mount_point=mount)
        with pytest.raises(InvalidPath):
            kv.read_secret_metadata("app", mount_point=mount)
        self.write(kv, mount, "c")
        assert self.read(kv, mount)["metadata"]["version"] == 1
