"""A Kubernetes cluster as far as it concerns who somebody is: namespaces, service accounts with their
rights, and the tokens that it signs and knows again.

Claims and checks are those of the service account authenticators of Kubernetes: tokens of a secret
(legacy: no audience, no end) and bound tokens (projected into pods, or made by TokenRequest).
"""

import base64
import datetime
import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from tests.jose import decoded

JsonMap = dict[str, Any]

LEGACY_ISSUER = "kubernetes/serviceaccount"
ISSUER = "https://kubernetes.default.svc.cluster.local"
API_AUDIENCE = ISSUER
"""What tokens are for unless they say so: the cluster's own API."""
LEEWAY = 60.0  # seconds that clocks may differ
_LEGACY = "kubernetes.io/serviceaccount/"

CREATE_REVIEWS = "create tokenreviews"
GET_NAMESPACES = "get namespaces"
GET_ACCOUNTS = "get serviceaccounts"
REVIEWER = frozenset({CREATE_REVIEWS, GET_NAMESPACES, GET_ACCOUNTS})


class NotAuthenticated(Exception):
    """A token that is nobody's; the message is what a TokenReview says of it."""


@dataclass(frozen=True)
class Account:
    """A service account. `rights` are verb and resource, cluster-wide."""

    namespace: str
    name: str
    uid: str
    rights: frozenset[str] = frozenset()
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def username(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.name}"


@dataclass(frozen=True)
class Authenticated:
    """Whose token it was, and for which of the wanted audiences."""

    account: Account
    audiences: tuple[str, ...]
    extra: Mapping[str, list[str]]


class Signer:
    """A key pair that signs tokens with RS256."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.key_id = encoded(hashlib.sha256(der).digest())

    @property
    def public_pem(self) -> str:
        public = self._key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def certificate_pem(self) -> str:
        """A certificate of the public key, signed with itself."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "service-accounts")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder(name, name, self._key.public_key(), 1)
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(self._key, SHA256())
        )
        return certificate.public_bytes(Encoding.PEM).decode()

    def signed(self, claims: JsonMap, **header: Any) -> str:
        """A token with these claims; `header` adds to its header or replaces parts of it."""
        text = unsigned(claims, **{"alg": "RS256", "kid": self.key_id, **header})
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), SHA256())
        return f"{text}.{encoded(signature)}"

    def has_signed(self, token: str) -> bool:
        text, _, signature = token.rpartition(".")
        try:
            self._key.public_key().verify(
                decoded(signature), text.encode(), padding.PKCS1v15(), SHA256()
            )
        except (InvalidSignature, ValueError):
            return False
        return True


def unsigned(claims: JsonMap, **header: Any) -> str:
    """The first two parts of a token."""
    return f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}"


def encoded(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Cluster:
    """Changed by tests at will; `now` is its clock."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self.signer = Signer()
        self.namespaces: dict[str, dict[str, str]] = {"kube-system": {}}
        self.accounts: dict[tuple[str, str], Account] = {}
        self._secrets: dict[tuple[str, str], str] = {}
        self._pods: dict[tuple[str, str], str] = {}

    def namespace(self, name: str, labels: Mapping[str, str] | None = None) -> None:
        """Make a namespace, with the label of its name that every one has."""
        self.namespaces[name] = {"kubernetes.io/metadata.name": name, **(labels or {})}

    def account(
        self,
        namespace: str,
        name: str,
        rights: Iterable[str] = (),
        annotations: Mapping[str, str] | None = None,
    ) -> Account:
        """Make a service account, or put another one with a new uid into the place of one."""
        if namespace not in self.namespaces:
            self.namespace(namespace)
        account = Account(
            namespace, name, str(uuid.uuid4()), frozenset(rights), dict(annotations or {})
        )
        self.accounts[namespace, name] = account
        return account

    def delete(self, account: Account) -> None:
        """Delete a service account; its tokens are nobody's then."""
        del self.accounts[account.namespace, account.name]

    def legacy_token(self, account: Account) -> str:
        """The token in a secret of the account."""
        secret = f"{account.name}-token-{uuid.uuid4().hex[:5]}"
        claims = {
            "iss": LEGACY_ISSUER,
            f"{_LEGACY}namespace": account.namespace,
            f"{_LEGACY}secret.name": secret,
            f"{_LEGACY}service-account.name": account.name,
            f"{_LEGACY}service-account.uid": account.uid,
            "sub": account.username,
        }
        token = self.signer.signed(claims)
        self._secrets[account.namespace, secret] = token
        return token

    def delete_secrets(self, account: Account) -> None:
        """Delete the secrets of the account; their tokens are worth nothing then."""
        prefix = f"{account.name}-token-"
        for namespace, name in list(self._secrets):
            if namespace == account.namespace and name.startswith(prefix):
                del self._secrets[namespace, name]

    def bound_claims(
        self,
        account: Account,
        audiences: Iterable[str] = (API_AUDIENCE,),
        seconds: int = 3607,
        pod: str = "",
    ) -> JsonMap:
        """What a bound token says that is made now and lives for so many seconds."""
        now = int(self._now())
        bound: JsonMap = {
            "namespace": account.namespace,
            "serviceaccount": {"name": account.name, "uid": account.uid},
        }
        if pod:
            uid = self._pods.setdefault((account.namespace, pod), str(uuid.uuid4()))
            bound["pod"] = {"name": pod, "uid": uid}
        return {
            "aud": list(audiences),
            "exp": now + seconds,
            "iat": min(now, now + seconds),
            "iss": ISSUER,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": bound,
            "nbf": min(now, now + seconds),
            "sub": account.username,
        }

    def bound_token(self, account: Account, **terms: Any) -> str:
        """A bound token; `terms` are those of `bound_claims`."""
        return self.signer.signed(self.bound_claims(account, **terms))

    def delete_pod(self, namespace: str, pod: str) -> None:
        """Delete a pod, and with it the tokens that are bound to it."""
        del self._pods[namespace, pod]

    def authenticate(self, token: str, wanted: Iterable[str] = ()) -> Authenticated:
        """Who shows this token to somebody with the `wanted` audiences; by default to the API.

        Raises `NotAuthenticated`.
        """
        claims = _claims(token)
        if claims.get("iss") not in (ISSUER, LEGACY_ISSUER):
            raise NotAuthenticated("invalid bearer token")
        if not self.signer.has_signed(token):
            raise NotAuthenticated("[invalid bearer token, invalid signature]")
        audiences = claims.get("aud") or [API_AUDIENCE]
        audiences = [audiences] if isinstance(audiences, str) else audiences
        requested = list(wanted) or [API_AUDIENCE]
        found = tuple(each for each in audiences if each in requested)
        if not found:
            raise NotAuthenticated(
                f"[invalid bearer token, token audiences {audiences} is invalid for the target"
                f" audiences {requested}]"
            )
        if claims["iss"] == LEGACY_ISSUER:
            return Authenticated(self._of_secret(token, claims), found, {})
        account, extra = self._of_bound(claims)
        return Authenticated(account, found, extra)

    def _of_secret(self, token: str, claims: JsonMap) -> Account:
        namespace = claims[f"{_LEGACY}namespace"]
        if self._secrets.get((namespace, claims[f"{_LEGACY}secret.name"])) != token:
            raise NotAuthenticated("[invalid bearer token, Token has been invalidated]")
        name = claims[f"{_LEGACY}service-account.name"]
        return self._same_account(namespace, name, claims[f"{_LEGACY}service-account.uid"])

    def _of_bound(self, claims: JsonMap) -> tuple[Account, dict[str, list[str]]]:
        now = self._now()
        if now - LEEWAY > claims["exp"]:
            raise NotAuthenticated("[invalid bearer token, service account token has expired]")
        if now + LEEWAY < claims["nbf"]:
            raise NotAuthenticated("[invalid bearer token, service account token is not valid yet]")
        bound = claims["kubernetes.io"]
        reference = bound["serviceaccount"]
        account = self._same_account(bound["namespace"], reference["name"], reference["uid"])
        extra = {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]}
        pod = bound.get("pod")
        if pod is not None:
            if self._pods.get((bound["namespace"], pod["name"])) != pod["uid"]:
                raise NotAuthenticated(
                    "[invalid bearer token, service account token has been invalidated]"
                )
            extra["authentication.kubernetes.io/pod-name"] = [pod["name"]]
            extra["authentication.kubernetes.io/pod-uid"] = [pod["uid"]]
        return account, extra

    def _same_account(self, namespace: str, name: str, uid: str) -> Account:
        account = self.accounts.get((namespace, name))
        if account is None:
            raise NotAuthenticated(f'[invalid bearer token, serviceaccounts "{name}" not found]')
        if account.uid != uid:
            raise NotAuthenticated(
                f"[invalid bearer token, service account UID ({account.uid}) does not match claim"
                f" ({uid})]"
            )
        return account


def _claims(token: str) -> JsonMap:
    try:
        claims = json.loads(decoded(token.split(".")[1]))
    except (ValueError, IndexError):
        raise NotAuthenticated("invalid bearer token") from None
    return claims if isinstance(claims, dict) else {}
