"""What is asked of the cluster's API: whose a token is, the labels of a namespace, the annotations of
a service account.

Redirects are not followed, since the reviewer's token goes with each request, and nothing that the
API says goes into a message. Who could not be asked did not agree: everything fails closed.
"""

from typing import Any, TypeVar

import msgspec

from wardgate.auth.kubernetes.claims import Account
from wardgate.core.outgoing import Answer, Outgoing, OutgoingFailed
from wardgate.errors import BadGateway, InvalidRequest, PermissionDenied

TIMEOUT = 5.0
"""Seconds that each request to the API may take; a login makes at most three."""
ANNOTATION = "vault.hashicorp.com/alias-metadata-"
"""How the annotations begin that become metadata of an alias."""
_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
_REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
_MOST_ANNOTATIONS, _LONGEST_KEY, _LONGEST_VALUE = 60, 128, 512  # as identity bounds metadata
_UNAUTHENTICATED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404
_SUCCESS = range(200, 207)
T = TypeVar("T")


class _User(msgspec.Struct, frozen=True):
    username: str = ""
    uid: str = ""


class _Status(msgspec.Struct, frozen=True):
    authenticated: bool = False
    user: _User = _User()
    audiences: tuple[str, ...] | None = None
    error: str = ""


class _TokenReview(msgspec.Struct, frozen=True):
    status: _Status = _Status()


class _Metadata(msgspec.Struct, frozen=True):
    name: str
    uid: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class _Object(msgspec.Struct, frozen=True):
    metadata: _Metadata


class Api:
    """The API of one cluster, asked with one token: the `reviewer`'s, or the caller's own."""

    def __init__(self, outgoing: Outgoing, url: str, ca_pem: str, reviewer: str) -> None:
        self._outgoing = outgoing
        self._url = url
        self._ca_pem = ca_pem
        self._reviewer = reviewer

    async def review(self, token: str, account: Account, audiences: tuple[str, ...]) -> None:
        """Ask whether `token` is good for one of `audiences` and of `account`.

        Raises `PermissionDenied` when it is not, `BadGateway` when nobody can say.
        """
        spec = {"token": token, **({"audiences": audiences} if audiences else {})}
        answer = await self._ask(
            "POST", _REVIEWS, self._reviewer or token, json={**_REVIEW, "spec": spec}
        )
        if not self._reviewer and answer.status == _UNAUTHENTICATED:
            raise PermissionDenied
        if not self._reviewer and answer.status == _FORBIDDEN:
            raise PermissionDenied(
                "the service account may not create token reviews: set token_reviewer_jwt, or bind"
                " the account to the cluster role system:auth-delegator"
            )
        status = _read(answer, _TokenReview, "create token reviews").status
        if status.error or not status.authenticated:
            raise PermissionDenied
        if audiences and not set(audiences) & set(status.audiences or ()):
            raise PermissionDenied
        said = f"system:serviceaccount:{account.namespace}:{account.name}"
        if (status.user.username, status.user.uid) != (said, account.uid):
            raise PermissionDenied

    async def labels(self, namespace: str) -> dict[str, str] | None:
        """The labels of a namespace; None where there is no such namespace."""
        if not self._reviewer:
            raise PermissionDenied(
                "namespace not authorized: set token_reviewer_jwt, with which namespaces are looked"
                " up for bound_service_account_namespace_selector"
            )
        answer = await self._ask("GET", f"/api/v1/namespaces/{namespace}", self._reviewer)
        if answer.status == _NOT_FOUND:
            return None
        metadata = _read(answer, _Object, "get namespaces").metadata
        if metadata.name != namespace:
            raise BadGateway("the Kubernetes API answered with another namespace")
        return metadata.labels or {}

    async def alias_metadata(self, token: str, account: Account) -> dict[str, str]:
        """What the account's annotations say about the alias."""
        path = f"/api/v1/namespaces/{account.namespace}/serviceaccounts/{account.name}"
        answer = await self._ask("GET", path, self._reviewer or token)
        if answer.status == _NOT_FOUND:
            raise PermissionDenied
        metadata = _read(answer, _Object, "get service accounts").metadata
        if (metadata.name, metadata.uid) != (account.name, account.uid):
            raise PermissionDenied
        found = {
            name.removeprefix(ANNOTATION): value
            for name, value in (metadata.annotations or {}).items()
            if name.startswith(ANNOTATION)
        }
        if len(found) > _MOST_ANNOTATIONS or not all(
            0 < len(name) <= _LONGEST_KEY and len(value.encode()) <= _LONGEST_VALUE
            for name, value in found.items()
        ):
            raise InvalidRequest(
                f"annotations that begin with {ANNOTATION}: at most {_MOST_ANNOTATIONS}, with keys"
                f" of at most {_LONGEST_KEY} characters and values of at most {_LONGEST_VALUE} bytes"
            )
        return found

    async def _ask(self, method: str, path: str, bearer: str, json: Any = None) -> Answer:
        headers = {"Authorization": f"Bearer {bearer}", "Accept": "application/json"}
        try:
            return await self._outgoing.send(
                method,
                self._url + path,
                ca_pem=self._ca_pem,
                headers=headers,
                json=json,
                timeout=TIMEOUT,
            )
        except OutgoingFailed as failed:
            raise BadGateway(f"the Kubernetes API cannot be asked: {failed}") from None


def _read(answer: Answer, kind: type[T], right: str) -> T:
    """The answer as what it should be; `right` is what the reviewer needs for the request."""
    if answer.status in (_UNAUTHENTICATED, _FORBIDDEN):
        raise BadGateway(
            f"the Kubernetes API refuses the reviewer's token (status {answer.status}): it must be"
            f" valid, and its account allowed to {right}"
        )
    if answer.status not in _SUCCESS:
        raise BadGateway(f"the Kubernetes API answered with status {answer.status}")
    try:
        return msgspec.convert(answer.json(), kind)
    except (OutgoingFailed, msgspec.ValidationError):
        raise BadGateway("the Kubernetes API answered what it should not") from None
