"""Attacks on the kubernetes auth method: forged tokens, strange APIs, what leaks, what is written
(security cases 8, 11, 12, 40, 42 and 47)."""

import asyncio
import hashlib
import hmac
import logging
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.node import errors
from tests.pods import CONFIG, RENEW, Pods, garbled, strange_api, with_pods
from tests.services.kubernetes_api import Asked, https
from tests.services.kubernetes_cluster import JsonMap, Signer, encoded, unsigned
from wardgate.auth.kubernetes import api as asking

DENIED = ["permission denied"]


def _forgeries(pods: Pods) -> dict[str, str]:
    """Tokens that say the right things and that the cluster has not signed."""
    claims, signer = pods.cluster.bound_claims(pods.checkout), pods.cluster.signer
    stranger = Signer()
    symmetric = unsigned(claims, alg="HS256", kid=signer.key_id)
    mac = encoded(hmac.digest(signer.public_pem.encode(), symmetric.encode(), hashlib.sha256))
    good = signer.signed(claims)
    signature = good.rpartition(".")[2]
    other = unsigned({**claims, "sub": "system:admin"}, alg="RS256", kid=signer.key_id)
    return {
        "none": f"{unsigned(claims, alg='none')}.",
        "None with a signature": f"{unsigned(claims, alg='None')}.{signature}",
        "HS256 with the public key": f"{symmetric}.{mac}",
        "another cluster": stranger.signed(claims),
        "another cluster, with this one's key id": stranger.signed(claims, kid=signer.key_id),
        "another signature": garbled(good),
        "no signature": good.rpartition(".")[0] + ".",
        "another token's signature": f"{other}.{signature}",
        "jku": stranger.signed(claims, jku=f"{pods.api.host}/openid/v1/jwks"),
        "jwk": stranger.signed(claims, jwk={"kty": "oct", "k": "AA"}),
        "x5u": stranger.signed(claims, x5u=f"{pods.api.host}/chain"),
        "crit": signer.signed(claims, crit=["exp"]),
        "b64": signer.signed(claims, crit=["b64"], b64=False),
        "two dots": "..",
        "spaces": f" {good}",
        "a text": "x",
        "JSON": '{"payload": "x", "signatures": []}',
    }


@with_pods
async def test_12_a_forged_token_is_refused_by_the_cluster(pods: Pods) -> None:
    for kind, token in _forgeries(pods).items():
        response = await pods.login(token)
        assert (response.status, errors(response)) == (403, DENIED), kind


@with_pods
async def test_12_with_the_clusters_keys_nobody_is_even_asked_about_a_forgery(pods: Pods) -> None:
    await pods.configure(pem_keys=[pods.cluster.signer.public_pem])
    await pods.logged_in(pods.token())
    asked = len(pods.api.asked)
    for kind, token in _forgeries(pods).items():
        response = await pods.login(token)
        assert (response.status, errors(response)) == (403, DENIED), kind
    assert len(pods.api.asked) == asked


@with_pods
async def test_12_algorithms_that_no_cluster_signs_with_are_not_asked_about(pods: Pods) -> None:
    forgeries = _forgeries(pods)
    for kind in ("none", "None with a signature", "HS256 with the public key"):
        assert errors(await pods.login(forgeries[kind])) == DENIED
    assert pods.api.asked == []


@with_pods
async def test_08_a_role_with_an_audience_never_passes_without_it(pods: Pods) -> None:
    await pods.role(audience="wardgate")
    claims = pods.cluster.bound_claims(pods.checkout)
    for audience in (["a"], [], "a", "", "wardgate ", ["Wardgate"], ["wardgate/"], [["wardgate"]]):
        token = pods.cluster.signer.signed({**claims, "aud": audience})
        assert (await pods.login(token)).status == 403, audience
    del claims["aud"]
    assert (await pods.login(pods.cluster.signer.signed(claims))).status == 403
    for audience in (["wardgate"], ["a", "wardgate"], "wardgate"):
        token = pods.cluster.signer.signed({**claims, "aud": audience})
        assert (await pods.login(token)).status == 200, audience


def _status(pods: Pods, **changed: Any) -> JsonMap:
    """The status of a review that says yes, with changes."""
    checkout = pods.checkout
    user = {"username": checkout.username, "uid": checkout.uid, **changed.pop("user", {})}
    audiences = pods.cluster.bound_claims(checkout)["aud"]
    return {"authenticated": True, "user": user, "audiences": audiences, **changed}


@with_pods
async def test_a_review_of_somebody_else_lets_nobody_in(pods: Pods) -> None:
    answers: dict[str, JsonMap] = {
        "good": _status(pods),
        "not authenticated": _status(pods, authenticated=False),
        "an error": _status(pods, error="yes, but"),
        "another name": _status(pods, user={"username": "system:serviceaccount:shop:cart"}),
        "another namespace": _status(pods, user={"username": "system:serviceaccount:x:checkout"}),
        "a longer name": _status(pods, user={"username": f"{pods.checkout.username}:x"}),
        "a person": _status(pods, user={"username": "checkout"}),
        "another uid": _status(pods, user={"uid": "x"}),
        "no uid": _status(pods, user={"uid": ""}),
        "other audiences": _status(pods, audiences=["elsewhere"]),
        "no audiences": _status(pods, audiences=[]),
        "no word of audiences": _status(pods, audiences=None),
        "nothing": {},
    }
    current: JsonMap = {}
    with strange_api(lambda asked: (201, {"status": current})) as other:
        await pods.configure(**other)
        for kind, answer in answers.items():
            current = answer
            response = await pods.login(pods.token())
            assert response.status == (200 if kind == "good" else 403), kind


@with_pods
async def test_an_answer_that_is_no_review_lets_nobody_in(pods: Pods) -> None:
    good = {"status": _status(pods)}
    answers: list[tuple[int, Any]] = [
        (200, []),
        (201, "yes"),
        (201, {"status": "Success"}),
        (201, {"status": {"authenticated": "true"}}),
        (201, {"status": {"authenticated": 1}}),
        (201, {"status": {**good["status"], "audiences": "a"}}),
        (201, {"status": {**good["status"], "user": None}}),
        (300, good),
        (404, good),
        (409, good),
        (500, good),
    ]
    current: tuple[int, Any] = (0, None)
    with strange_api(lambda asked: current) as other:
        await pods.configure(**other)
        for current in answers:
            assert (await pods.login(pods.token())).status == 502, current


@with_pods
async def test_another_object_than_was_asked_for_lets_nobody_in(pods: Pods) -> None:
    good = {"name": "checkout", "uid": pods.checkout.uid, "labels": {"team": "sales"}}
    current: JsonMap = {}

    def answer(asked: Asked) -> tuple[int, JsonMap]:
        if asked.method == "POST":
            return 201, {"status": _status(pods)}
        return 200, {"metadata": current}

    with strange_api(answer) as other:
        await pods.configure(**other, use_annotations_as_alias_metadata=True)
        for changed, status in (
            ({}, 200),
            ({"uid": "made-again"}, 403),
            ({"name": "cart"}, 403),
            ({"annotations": ["x"]}, 502),
        ):
            current = {**good, **changed}
            assert (await pods.login(pods.token())).status == status, changed
        await pods.configure(**other)
        await pods.role(
            bound_service_account_namespaces="",
            bound_service_account_namespace_selector="matchLabels: {team: sales}",
        )
        for changed, status in (({"name": "shop"}, 200), ({"name": "dev"}, 502)):
            current = {**good, **changed}
            assert (await pods.login(pods.token())).status == status, changed


@with_pods
async def test_a_redirect_is_not_followed_with_the_reviewers_token(pods: Pods) -> None:
    codes = iter([301, 302, 303, 307, 308, 0])
    came: list[str] = []

    class Redirecting(BaseHTTPRequestHandler):
        """Its last word is that the token is good, at another place."""

        def do_POST(self) -> None:
            came.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(next(codes))
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is logged."""

    with https(Redirecting) as (host, ca_pem):
        await pods.configure(kubernetes_host=host, kubernetes_ca_cert=ca_pem)
        for _ in range(5):
            assert errors(await pods.login(pods.token()))[0].startswith(
                "the Kubernetes API answered with status 30"
            )
    assert len(came) == 5
    assert "/elsewhere" not in came


@with_pods
async def test_an_endless_answer_is_cut_off(pods: Pods) -> None:
    sent = 0

    class Endless(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            nonlocal sent
            self.send_response(201)
            self.end_headers()
            while sent < 2**28:
                sent += self.wfile.write(b" " * 65536)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is logged."""

    with https(Endless) as (host, ca_pem):
        await pods.configure(kubernetes_host=host, kubernetes_ca_cert=ca_pem)
        response = await pods.login(pods.token())
    assert (response.status, "longer than" in errors(response)[0]) == (502, True)
    assert sent < 2**26  # what was on its way when the connection ended


def test_an_api_that_never_answers_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "TIMEOUT", 0.3)

    @with_pods
    async def test(pods: Pods) -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.set()
            await reader.read()  # until the other side gives up
            writer.close()

        came = asyncio.Event()
        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await pods.configure(kubernetes_host=f"http://127.0.0.1:{port}")
            trying = asyncio.create_task(pods.login(pods.token()))
            await asyncio.wait_for(came.wait(), 60)
            assert (await pods.node.read(CONFIG)).status == 200
            response = await asyncio.wait_for(trying, 60)
        assert (response.status, errors(response)) == (
            502,
            ["the Kubernetes API cannot be asked: no answer within 0.3 s"],
        )

    test()


@with_pods
async def test_another_servers_certificate_is_not_trusted(pods: Pods) -> None:
    with strange_api(lambda asked: (201, {"status": _status(pods)})) as other:
        await pods.configure(kubernetes_host=other["kubernetes_host"])
        response = await pods.login(pods.token())
    assert (response.status, "TLS failed" in errors(response)[0]) == (502, True)


@pytest.mark.parametrize(
    "names",
    [
        {"namespace": "../../../api/v1/secrets"},
        {"namespace": "shop/serviceaccounts/x?"},
        {"namespace": "shop%2f"},
        {"namespace": ""},
        {"namespace": "Shop"},
        {"namespace": "x" * 64},
        {"name": "../cart"},
        {"name": "a#"},
        {"name": "a\r\nX: y"},
        {"name": "x" * 254},
        {"uid": "a b"},
        {"uid": ""},
        {"uid": "x" * 129},
    ],
)
def test_names_in_a_token_cannot_lead_the_reviewer_astray(names: dict[str, str]) -> None:
    @with_pods
    async def test(pods: Pods) -> None:
        claims = pods.cluster.bound_claims(pods.checkout)
        bound = {"namespace": "shop", "name": "checkout", "uid": pods.checkout.uid, **names}
        claims["kubernetes.io"] = {
            "namespace": bound["namespace"],
            "serviceaccount": {"name": bound["name"], "uid": bound["uid"]},
        }
        await pods.configure(use_annotations_as_alias_metadata=True)
        await pods.role(
            bound_service_account_namespaces="",
            bound_service_account_namespace_selector="{}",
        )
        assert errors(await pods.login(pods.cluster.signer.signed(claims))) == DENIED
        assert pods.api.asked == []

    test()


@with_pods
async def test_strangers_do_not_choose_what_is_asked_with_the_reviewers_token(pods: Pods) -> None:
    await pods.configure(use_annotations_as_alias_metadata=True)
    await pods.role(
        bound_service_account_namespaces="", bound_service_account_namespace_selector="{}"
    )
    await pods.login(Signer().signed(pods.cluster.bound_claims(pods.checkout)))
    assert [asked.path for asked in pods.api.asked] == [
        "/apis/authentication.k8s.io/v1/tokenreviews"
    ]


def test_40_42_tokens_are_in_no_message_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[Any] = []
    secrets: list[str] = []

    @with_pods
    async def test(pods: Pods) -> None:
        codes = iter([200, 200, 201, 201, 400, 400, 401, 401, 403, 403, 404, 404, 500, 500])

        def echo(asked: Asked) -> tuple[int, JsonMap]:
            text = f"{asked.bearer} {asked.body}"
            return next(codes), {"status": {"error": text}, "message": text, "reason": text}

        jwt, powerless = pods.token(), pods.cluster.account("kube-system", "powerless")
        weak = pods.cluster.legacy_token(powerless)
        secrets.extend(token.rpartition(".")[2] for token in (jwt, pods.reviewer, weak))
        seen.append((await pods.node.read(CONFIG)).data)
        await pods.logged_in(jwt)
        with strange_api(echo) as other:
            for reviewer in [pods.reviewer, weak] * 7:
                await pods.configure(**other, token_reviewer_jwt=reviewer)
                seen.append((await pods.login(jwt)).data)
        await pods.configure(token_reviewer_jwt=weak)
        seen.append((await pods.login(jwt)).data)
        seen.append((await pods.login(garbled(jwt))).data)
        for fields in ({"kubernetes_host": "x y"}, {"pem_keys": ["x"]}):
            seen.append((await pods.node.write(CONFIG, {**pods.config(), **fields})).data)

    test()
    said = f"{seen} {caplog.text}"
    assert len(seen) == 19
    assert not [secret for secret in secrets if secret in said]


@with_pods
async def test_11_another_configuration_counts_at_once(pods: Pods) -> None:
    """Keys, reviews that are remembered and the address are those of the newest configuration."""
    stranger = Signer()
    jwt = pods.token()
    keys = [pods.cluster.signer.public_pem]
    await pods.configure(pem_keys=keys, token_review_cache_ttl=60)
    token = (await pods.logged_in(jwt))["client_token"]
    await pods.configure(pem_keys=[stranger.public_pem], token_review_cache_ttl=60)
    assert errors(await pods.login(jwt)) == DENIED
    assert (await pods.node.write(RENEW, {}, token=token)).status == 403
    with strange_api(lambda asked: (201, {"status": {}})) as other:
        await pods.configure(pem_keys=keys, token_review_cache_ttl=60, **other)
        assert errors(await pods.login(jwt)) == DENIED


@with_pods
async def test_a_role_that_is_deleted_while_the_api_is_asked_lets_nobody_in(pods: Pods) -> None:
    loop = asyncio.get_running_loop()
    asked = 0

    def slow(_: Asked) -> tuple[int, JsonMap]:
        nonlocal asked
        asked += 1
        deleting = pods.node.delete("auth/kubernetes/role/shop")
        assert asyncio.run_coroutine_threadsafe(deleting, loop).result(60).status == 204
        return 201, {"status": _status(pods)}

    with strange_api(slow) as other:
        await pods.configure(**other)
        assert errors(await pods.login(pods.token())) == ["invalid role name"]
    assert asked == 1


@with_pods
async def test_47_a_login_that_fails_writes_nothing(pods: Pods) -> None:
    before = await pods.node.keys_below("")
    for token in [*_forgeries(pods).values(), pods.token(seconds=-3600)]:
        await pods.login(token)
    pods.cluster.delete(pods.checkout)
    await pods.login(pods.token())
    for role in ("nobody", "x" * 5000, "../config", "role/shop", "\0"):
        await pods.login(pods.token(), role)
    assert await pods.node.keys_below("") == before
