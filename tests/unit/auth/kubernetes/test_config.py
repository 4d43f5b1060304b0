"""Kubernetes: the configuration, and what the server finds in a pod of its own."""

from pathlib import Path

import pytest

from tests.node import errors
from tests.pods import CONFIG, Pods, with_pods
from tests.services.kubernetes_cluster import REVIEWER
from wardgate.auth.kubernetes import pod


@with_pods
async def test_a_configuration_is_read_without_the_reviewers_token(pods: Pods) -> None:
    await pods.configure(pem_keys=[pods.cluster.signer.public_pem], token_review_cache_ttl="5s")
    shown = (await pods.node.read(CONFIG)).data
    assert shown == {
        "kubernetes_host": pods.api.host,
        "kubernetes_ca_cert": pods.api.ca_pem,
        "token_reviewer_jwt_set": True,
        "pem_keys": (pods.cluster.signer.public_pem.strip(),),
        "issuer": "",
        "disable_iss_validation": True,
        "disable_local_ca_jwt": False,
        "use_annotations_as_alias_metadata": False,
        "token_review_cache_ttl": 5,
    }


@with_pods
async def test_a_write_replaces_all_of_it(pods: Pods) -> None:
    await pods.configure(issuer="me", disable_iss_validation=False, disable_local_ca_jwt=True)
    ca = {"kubernetes_ca_cert": pods.api.ca_pem}
    await pods.node.ok(CONFIG, {"kubernetes_host": "https://elsewhere", **ca})
    shown = (await pods.node.read(CONFIG)).data
    assert (shown["issuer"], shown["disable_iss_validation"]) == ("", True)
    assert shown["token_reviewer_jwt_set"] is False
    assert shown["disable_local_ca_jwt"] is False


@pytest.mark.parametrize(
    "host",
    [
        "https://10.0.0.1:6443",
        "10.0.0.1:6443",
        "kubernetes.default.svc",
        "http://[::1]:8001/k8s/clusters/c-1/",
        "https://kubernetes/",
    ],
)
def test_a_host_is_a_host_or_an_url(host: str) -> None:
    @with_pods
    async def test(pods: Pods) -> None:
        await pods.configure(kubernetes_host=host)
        assert (await pods.node.read(CONFIG)).data["kubernetes_host"] == host

    test()


@pytest.mark.parametrize(
    "fields",
    [
        {"kubernetes_host": "no host"},
        {"kubernetes_host": "ftp://hunter2"},
        {"kubernetes_host": "https://me:hunter2@kubernetes"},
        {"kubernetes_host": "https://kubernetes?hunter2"},
        {"kubernetes_host": "https://kubernetes#hunter2"},
        {"kubernetes_host": "https://"},
        {"kubernetes_host": "https://kubernetes:99999"},
        {"kubernetes_host": "https://kubernetes:0"},
        {"kubernetes_host": "https://kuber\nnetes"},
        {"kubernetes_ca_cert": "hunter2"},
        {"token_reviewer_jwt": "hunter2\r\nHost: evil"},
        {"token_reviewer_jwt": "hunter2 hunter2"},
        {"token_reviewer_jwt": "hunter2 \u00e9"},
        {"pem_keys": ["hunter2"]},
        {"token_review_cache_ttl": 61},
        {"token_review_cache_ttl": "hunter2"},
        {"disable_iss_validation": "hunter2"},
    ],
)
def test_what_cannot_work_is_refused_and_not_repeated(fields: dict[str, object]) -> None:
    @with_pods
    async def test(pods: Pods) -> None:
        before = (await pods.node.read(CONFIG)).data
        response = await pods.node.write(CONFIG, {**pods.config(), **fields})
        assert response.status == 400
        (message,) = errors(response)
        assert next(iter(fields)) in message
        assert "hunter2" not in message
        assert (await pods.node.read(CONFIG)).data == before

    test()


def test_the_pods_own_certificates_and_token_are_taken_as_they_are_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pod, "FOLDER", tmp_path)

    @with_pods
    async def test(pods: Pods) -> None:
        bare = {"kubernetes_host": pods.api.host}
        assert errors(await pods.node.write(CONFIG, bare))[0].startswith("kubernetes_ca_cert: ")
        (tmp_path / "ca.crt").write_text(pods.api.ca_pem)
        await pods.node.ok(CONFIG, bare)
        # no token there: whoever logs in is their own reviewer, and may not
        assert (await pods.login(pods.token())).status == 403
        for _ in range(2):  # Kubernetes exchanges it while the server runs
            fresh = pods.cluster.legacy_token(pods.cluster.account("vault", "self", REVIEWER))
            (tmp_path / "token").write_text(f"{fresh}\n")
            await pods.logged_in(pods.token())
            assert pods.api.asked[-1].bearer == fresh
        (tmp_path / "ca.crt").write_text("nonsense")
        response = await pods.login(pods.token())
        assert response.status == 502
        assert "kubernetes_ca_cert" in errors(response)[0]

    test()


def test_the_pods_own_files_are_left_alone_where_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pod, "FOLDER", tmp_path)

    @with_pods
    async def test(pods: Pods) -> None:
        (tmp_path / "ca.crt").write_text(pods.api.ca_pem)
        (tmp_path / "token").write_text(pods.reviewer)
        await pods.configure(token_reviewer_jwt="", disable_local_ca_jwt=True)
        assert (await pods.login(pods.token())).status == 403  # nobody's token but the pod's own
        await pods.configure(
            token_reviewer_jwt="", disable_local_ca_jwt=True, kubernetes_ca_cert=""
        )
        response = await pods.login(pods.token())  # the system trusts no authority of a test
        assert response.status == 502
        assert "TLS failed" in errors(response)[0]

    test()
