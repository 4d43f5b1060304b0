"""The real `bao kv` stores, reads, changes and removes secrets of both kv versions."""

from collections.abc import Iterator

import pytest

from tests.clients.conftest import Bao


@pytest.fixture
def mount(bao: Bao, name: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An own kv mount of the version that the test's class names."""
    bao("secrets", "enable", f"-path={name}", f"-version={request.cls.version}", "kv")
    yield name
    bao("secrets", "disable", name)


class TestVersion1:
    version = 1

    def test_put_get_list_and_delete(self, bao: Bao, mount: str) -> None:
        assert "Success! Data written" in bao("kv", "put", f"{mount}/db/main", "user=app", "port=5")
        assert bao.json("kv", "get", f"{mount}/db/main")["data"] == {"user": "app", "port": "5"}
        assert bao("kv", "get", "-field=user", f"-mount={mount}", "db/main").strip() == "app"
        assert bao.json("kv", "list", mount) == ["db/"]
        bao("kv", "delete", f"{mount}/db/main")
        assert "No value found" in bao.refused("kv", "get", f"{mount}/db/main")


class TestVersion2:
    version = 2

    def test_put_and_get(self, bao: Bao, mount: str) -> None:
        assert bao.json("kv", "put", f"-mount={mount}", "app", "a=1")["data"]["version"] == 1
        assert bao.json("kv", "put", f"{mount}/app", "-", stdin='{"a": 2}')["data"]["version"] == 2
        shown = bao.json("kv", "get", f"-mount={mount}", "app")["data"]
        assert shown["data"] == {"a": 2}
        assert shown["metadata"]["version"] == 2
        assert bao("kv", "get", "-field=a", "-version=1", f"{mount}/app").strip() == "1"
        assert f"{mount}/data/app" in bao("kv", "get", f"{mount}/app")

    def test_check_and_set(self, bao: Bao, mount: str) -> None:
        bao("kv", "put", "-cas=0", f"{mount}/app", "a=1")
        said = bao.refused("kv", "put", "-cas=0", f"{mount}/app", "a=2")
        assert "check-and-set parameter did not match" in said
        bao("kv", "put", "-cas=1", f"{mount}/app", "a=2")

    @pytest.mark.parametrize("method", ["patch", "rw"])
    def test_patch(self, bao: Bao, mount: str, method: str) -> None:
        bao("kv", "put", f"{mount}/app", "a=1", "b=2")
        bao("kv", "patch", f"-method={method}", f"{mount}/app", "b=3", "c=4")
        data = bao.json("kv", "get", f"{mount}/app")["data"]["data"]
        assert data == {"a": "1", "b": "3", "c": "4"}

    def test_a_patch_of_nothing_is_refused(self, bao: Bao, mount: str) -> None:
        bao.refused("kv", "patch", f"{mount}/app", "b=3")

    def test_delete_undelete_and_destroy(self, bao: Bao, mount: str) -> None:
        for value in ("1", "2"):
            bao("kv", "put", f"{mount}/app", f"a={value}")
        bao("kv", "delete", f"{mount}/app")
        assert "deletion_time" in bao.run("kv", "get", f"{mount}/app").stdout
        bao("kv", "undelete", "-versions=2", f"{mount}/app")
        assert bao("kv", "get", "-field=a", f"{mount}/app").strip() == "2"
        bao("kv", "delete", "-versions=1", f"{mount}/app")
        bao("kv", "destroy", "-versions=1,2", f"{mount}/app")
        versions = bao.json("kv", "metadata", "get", f"{mount}/app")["data"]["versions"]
        assert [versions[number]["destroyed"] for number in ("1", "2")] == [True, True]

    def test_rollback_writes_an_old_version_again(self, bao: Bao, mount: str) -> None:
        for value in ("1", "2"):
            bao("kv", "put", f"{mount}/app", f"a={value}")
        assert bao.json("kv", "rollback", "-version=1", f"{mount}/app")["data"]["version"] == 3
        assert bao("kv", "get", "-field=a", f"{mount}/app").strip() == "1"

    def test_metadata(self, bao: Bao, mount: str) -> None:
        bao("kv", "put", f"{mount}/app", "a=1")
        bao(
            "kv",
            "metadata",
            "put",
            "-custom-metadata=owner=billing",
            "-custom-metadata=stage=test",
            "-max-versions=3",
            "-delete-version-after=24h",
            f"{mount}/app",
        )
        data = bao.json("kv", "metadata", "get", f"{mount}/app")["data"]
        assert data["custom_metadata"] == {"owner": "billing", "stage": "test"}
        assert data["max_versions"] == 3
        assert data["delete_version_after"] == "24h0m0s"
        bao("kv", "metadata", "patch", "-custom-metadata=stage=live", f"{mount}/app")
        data = bao.json("kv", "metadata", "get", f"{mount}/app")["data"]
        assert data["custom_metadata"] == {"owner": "billing", "stage": "live"}
        assert data["max_versions"] == 3
        bao("kv", "metadata", "delete", f"{mount}/app")
        assert "No value found" in bao.refused("kv", "metadata", "get", f"{mount}/app")

    def test_list(self, bao: Bao, mount: str) -> None:
        for path in ("b", "a", "a/deep"):
            bao("kv", "put", f"{mount}/{path}", "k=v")
        assert bao.json("kv", "list", mount) == ["a", "a/", "b"]
        assert bao.json("kv", "list", f"{mount}/a") == ["deep"]
        assert "No value found" in bao.refused("kv", "list", f"{mount}/nothing")
