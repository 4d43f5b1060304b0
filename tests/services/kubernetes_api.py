"""The API server of a `Cluster`, over HTTPS on loopback: TokenReviews, namespaces, service accounts.

Requests are checked as the real one checks them: the bearer token (401), what its account may do
(403), then the path, the method and the body (404, 405, 415, 400); refusals are `Status` objects. To
try the auth method by hand against it, run `python -m tests.services.kubernetes_api FOLDER`.
"""

import json
import re
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

from tests.server.certificates import Authority
from tests.services.kubernetes_cluster import (
    CREATE_REVIEWS,
    GET_ACCOUNTS,
    GET_NAMESPACES,
    REVIEWER,
    Account,
    Cluster,
    JsonMap,
    NotAuthenticated,
)

REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
REVIEW_VERSION = "authentication.k8s.io/v1"
_NAMESPACE = re.compile(r"/api/v1/namespaces/([^/]+)")
_ACCOUNT = re.compile(r"/api/v1/namespaces/([^/]+)/serviceaccounts/([^/]+)")
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    415: "UnsupportedMediaType",
}
_LONGEST = 3 * 1024 * 1024  # bytes of a body that the real one reads


class Refused(Exception):
    """A request that is answered with a `Status`."""

    def __init__(self, code: int, message: str, **details: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details

    def status(self) -> JsonMap:
        """The object that the client gets."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": _REASONS[self.code],
            **({"details": self.details} if self.details else {}),
            "code": self.code,
        }


@dataclass(frozen=True)
class Asked:
    """A request that came in; `body` as JSON, None where there is none."""

    method: str
    path: str
    bearer: str
    body: Any


@dataclass(frozen=True)
class Api:
    """A running API server."""

    host: str
    """Its address, as ``kubernetes_host`` takes it."""
    ca_pem: str
    cluster: Cluster
    asked: list[Asked]
    """What was asked so far."""

    def reviews(self) -> int:
        """How many TokenReviews were asked for."""
        return sum(each.path == REVIEWS for each in self.asked)


@contextmanager
def kubernetes_api(cluster: Cluster) -> Iterator[Api]:
    """A running API server for `cluster`."""
    asked: list[Asked] = []

    class Handler(ApiHandler):
        def answer(self, asked_now: Asked) -> tuple[int, JsonMap]:
            asked.append(asked_now)
            return _answer(cluster, asked_now, self.headers.get("Content-Type", ""))

    with https(Handler) as (host, ca_pem):
        yield Api(host, ca_pem, cluster, asked)


class ApiHandler(BaseHTTPRequestHandler):
    """Reads a request, asks `answer`, and writes JSON."""

    protocol_version = "HTTP/1.1"

    def answer(self, asked: Asked) -> tuple[int, JsonMap]:
        """The status and the object; may raise `Refused`."""
        raise NotImplementedError

    def do_GET(self) -> None:
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        length = min(int(self.headers.get("Content-Length") or 0), _LONGEST)
        raw = self.rfile.read(length)
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw
        try:
            code, found = self.answer(Asked(self.command, self.path, bearer, body))
        except Refused as refused:
            code, found = refused.code, refused.status()
        data = json.dumps(found).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: tokens are in the requests."""


@contextmanager
def https(handler: type[BaseHTTPRequestHandler]) -> Iterator[tuple[str, str]]:
    """A server of any manners: its address, and the certificate of its authority in PEM."""
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder), "kubernetes-ca")
        context = authority.issue("kubernetes").server_context()
        ca_pem = authority.ca_file.read_text(encoding="ascii")
    server = _Server(context, handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}", ca_pem
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # clients keep their connections

    def __init__(self, context: ssl.SSLContext, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread: nobody waits for a slow handshake."""
        with self._context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or does not trust the certificate."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _answer(cluster: Cluster, asked: Asked, content_type: str) -> tuple[int, JsonMap]:
    caller = _caller(cluster, asked.bearer)
    if asked.path == REVIEWS:
        _authorize(caller, CREATE_REVIEWS, "tokenreviews", "authentication.k8s.io")
        if asked.method != "POST":
            raise Refused(405, "the server does not allow this method on the requested resource")
        return 201, _review(cluster, asked.body, content_type)
    if match := _NAMESPACE.fullmatch(asked.path):
        _authorize(caller, GET_NAMESPACES, "namespaces", "", match[1], namespace=match[1])
        return 200, _namespace(cluster, match[1])
    if match := _ACCOUNT.fullmatch(asked.path):
        _authorize(caller, GET_ACCOUNTS, "serviceaccounts", "", match[2], namespace=match[1])
        return 200, _account(cluster, match[1], match[2])
    who = caller.username if caller else "system:anonymous"
    raise Refused(403, f'forbidden: User "{who}" cannot {asked.method} path "{asked.path}"')


def _caller(cluster: Cluster, bearer: str) -> Account | None:
    """Who asks; None is anybody without a token."""
    if not bearer:
        return None
    try:
        return cluster.authenticate(bearer).account
    except NotAuthenticated:
        raise Refused(401, "Unauthorized") from None


def _authorize(
    caller: Account | None, right: str, kind: str, group: str, name: str = "", namespace: str = ""
) -> None:
    if caller is not None and right in caller.rights:
        return
    verb = right.partition(" ")[0]
    who = caller.username if caller else "system:anonymous"
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    what = f'{kind}.{group} "{name}"' if group and name else f'{kind} "{name}"' if name else kind
    raise Refused(
        403,
        f'{what} is forbidden: User "{who}" cannot {verb} resource "{kind}" in API group'
        f' "{group}" {where}',
        kind=kind,
        **({"group": group} if group else {}),
        **({"name": name} if name else {}),
    )


def _review(cluster: Cluster, body: Any, content_type: str) -> JsonMap:
    if content_type.partition(";")[0].strip() != "application/json":
        raise Refused(415, "the body of the request was in an unknown format")
    if not isinstance(body, dict):
        raise Refused(400, "couldn't get version/kind; json parse error")
    version, kind = body.get("apiVersion", REVIEW_VERSION), body.get("kind", "TokenReview")
    if version != REVIEW_VERSION:
        raise Refused(
            400,
            f"the API version in the data ({version}) does not match the expected API version"
            f" ({REVIEW_VERSION})",
        )
    if kind != "TokenReview":
        raise Refused(
            400, f'{kind} in version "v1" cannot be handled as a TokenReview: no kind "{kind}"'
        )
    spec = body.get("spec", {})
    token, audiences = spec.get("token", ""), spec.get("audiences") or []
    if not (isinstance(token, str) and isinstance(audiences, list)):
        raise Refused(400, 'TokenReview in version "v1" cannot be handled as a TokenReview')
    if not token:
        raise Refused(400, "token is required for TokenReview in authentication")
    try:
        found = cluster.authenticate(token, audiences)
    except NotAuthenticated as error:
        status: JsonMap = {"user": {}, "error": str(error)}
    else:
        account = found.account
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{account.namespace}"]
        user: JsonMap = {
            "username": account.username,
            "uid": account.uid,
            "groups": [*groups, "system:authenticated"],
        }
        if found.extra:
            user["extra"] = found.extra
        status = {"authenticated": True, "user": user, "audiences": list(found.audiences)}
    return {
        "kind": "TokenReview",
        "apiVersion": REVIEW_VERSION,
        "metadata": {"creationTimestamp": None},
        "spec": {"token": token, **({"audiences": audiences} if audiences else {})},
        "status": status,
    }


def _namespace(cluster: Cluster, name: str) -> JsonMap:
    labels = cluster.namespaces.get(name)
    if labels is None:
        raise Refused(404, f'namespaces "{name}" not found', name=name, kind="namespaces")
    return {
        "kind": "Namespace",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": labels},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _account(cluster: Cluster, namespace: str, name: str) -> JsonMap:
    account = cluster.accounts.get((namespace, name))
    if account is None:
        raise Refused(404, f'serviceaccounts "{name}" not found', name=name, kind="serviceaccounts")
    annotations = {"annotations": dict(account.annotations)} if account.annotations else {}
    return {
        "kind": "ServiceAccount",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": namespace, "uid": account.uid, **annotations},
    }


def main(folder: Path) -> None:
    """Serve a cluster with one reviewer and one application until somebody interrupts it."""
    cluster = Cluster()
    cluster.namespace("shop", {"team": "sales"})
    app = cluster.account("shop", "checkout")
    reviewer = cluster.account("kube-system", "reviewer", REVIEWER)
    with kubernetes_api(cluster) as api:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (
            ("ca.pem", api.ca_pem),
            ("reviewer.jwt", cluster.legacy_token(reviewer)),
            ("app.jwt", cluster.bound_token(app, seconds=86400, pod="checkout-1")),
        ):
            (folder / name).write_text(text, encoding="ascii")
        print(f"{api.host} is the API; ca.pem, reviewer.jwt and app.jwt are in {folder}. Try:\n")
        print(_COMMANDS.format(host=api.host, folder=folder), flush=True)
        with suppress(KeyboardInterrupt):
            Event().wait()


_COMMANDS = """\
vault auth enable kubernetes
vault write auth/kubernetes/config kubernetes_host={host} \\
  kubernetes_ca_cert=@{folder}/ca.pem token_reviewer_jwt=@{folder}/reviewer.jwt
vault write auth/kubernetes/role/shop bound_service_account_names=checkout \\
  bound_service_account_namespaces=shop token_ttl=1h
vault write auth/kubernetes/login role=shop jwt=@{folder}/app.jwt
"""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
