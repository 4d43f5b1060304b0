"""What scenarios get by `given kubernetes`: a cluster's API, and tokens of all kinds for it.

The namespace `shop` has the labels team=sales and tier=web, and the accounts `checkout`, `cart` and
`odd`; `dev-1` has the account `app`. Variables, all beginning with `kubernetes_`:

host, ca, away          the API, its certificate, and an address where nobody answers
other_host, other_ca, other_reviewer    the API of another cluster, which knows none of the accounts
reviewer, powerless     tokens of an account that may ask the API, and of one that may not
key, other_key          the public key of the cluster, and one that it does not have
checkout, cart, app     bound tokens for the API
secret                  the token in a secret of `checkout`
audience                a bound token of `checkout` for "wardgate"; audiences: for "a" and "wardgate"
text_audience           a token whose audience is a text, not a list
expired, early, ended   tokens that ended, or begin, an hour off; one that ended 30 s ago
bare_exp                a token with an end and no beginning
stranger, forged        signed by another cluster, with its own key id or with this one's
stranger_app            the same for the account `app`
unsigned, symmetric     not signed; signed with HS256 and the public key
deleted, gone_secret    tokens of an account, and of a secret, that are no more
other_uid               a token that the cluster signed, with another uid than the account has
no_uid, no_names        tokens that lack claims
issuer                  who issued the bound tokens
"""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.servers import free_port
from tests.services.kubernetes_api import kubernetes_api
from tests.services.kubernetes_cluster import (
    ISSUER,
    REVIEWER,
    Account,
    Cluster,
    JsonMap,
    Signer,
    encoded,
    unsigned,
)

HOUR = 3600


@contextmanager
def kubernetes() -> Iterator[dict[str, str]]:
    """A running cluster's variables."""
    cluster = Cluster()
    cluster.namespace("shop", {"team": "sales", "tier": "web"})
    checkout = cluster.account("shop", "checkout")
    reviewer = cluster.account("kube-system", "reviewer", REVIEWER)
    powerless = cluster.account("kube-system", "powerless")
    app = cluster.account("dev-1", "app")
    stranger = Signer()
    other = Cluster()
    other_reviewer = other.account("kube-system", "reviewer", REVIEWER)
    with kubernetes_api(cluster) as api, kubernetes_api(other) as other_api:
        yield {
            "other_host": other_api.host,
            "other_ca": other_api.ca_pem,
            "other_reviewer": other.legacy_token(other_reviewer),
            "host": api.host,
            "ca": api.ca_pem,
            "stranger_app": stranger.signed(cluster.bound_claims(app)),
            "away": f"https://127.0.0.1:{free_port()}",
            "issuer": ISSUER,
            "key": cluster.signer.public_pem,
            "other_key": stranger.public_pem,
            "reviewer": cluster.legacy_token(reviewer),
            "powerless": cluster.legacy_token(powerless),
            "app": cluster.bound_token(app, pod="app-1"),
            "cart": cluster.bound_token(cluster.account("shop", "cart")),
            **_tokens_of(cluster, checkout),
            **_wrong_tokens(cluster, checkout, stranger),
        }


def _tokens_of(cluster: Cluster, account: Account) -> dict[str, str]:
    def changed(**claims: Any) -> str:
        return cluster.signer.signed({**cluster.bound_claims(account), **claims})

    without_start = cluster.bound_claims(account)
    del without_start["iat"]
    return {
        "checkout": cluster.bound_token(account, pod="checkout-1"),
        "secret": cluster.legacy_token(account),
        "audience": cluster.bound_token(account, audiences=["wardgate"]),
        "audiences": cluster.bound_token(account, audiences=["a", "wardgate"]),
        "text_audience": changed(aud="wardgate"),
        "ended": cluster.bound_token(account, seconds=-30),
        "expired": cluster.bound_token(account, seconds=-HOUR),
        "early": _early(cluster, account),
        "bare_exp": cluster.signer.signed(without_start),
    }


def _early(cluster: Cluster, account: Account) -> str:
    claims = cluster.bound_claims(account)
    later = {name: claims[name] + HOUR for name in ("exp", "iat", "nbf")}
    return cluster.signer.signed({**claims, **later})


def _wrong_tokens(cluster: Cluster, account: Account, stranger: Signer) -> dict[str, str]:
    claims = cluster.bound_claims(account)
    plain = unsigned(claims, alg="none")
    symmetric = unsigned(claims, alg="HS256")
    mac = hmac.digest(cluster.signer.public_pem.encode(), symmetric.encode(), hashlib.sha256)
    deleted = cluster.account("shop", "deleted")
    deleted_token = cluster.bound_token(deleted)
    cluster.delete(deleted)
    gone = cluster.account("shop", "odd")
    gone_secret = cluster.legacy_token(gone)
    cluster.delete_secrets(gone)
    return {
        "stranger": stranger.signed(claims),
        "forged": stranger.signed(claims, kid=cluster.signer.key_id),
        "unsigned": f"{plain}.",
        "symmetric": f"{symmetric}.{encoded(mac)}",
        "deleted": deleted_token,
        "gone_secret": gone_secret,
        "other_uid": cluster.signer.signed(
            _bound(claims, uid="00000000-0000-0000-0000-000000000000")
        ),
        "no_uid": cluster.signer.signed(_bound(claims, uid="")),
        "no_names": cluster.signer.signed(
            {"iss": ISSUER, "exp": claims["exp"], "aud": claims["aud"]}
        ),
    }


def _bound(claims: JsonMap, **account: str) -> JsonMap:
    bound = claims["kubernetes.io"]
    changed = {**bound["serviceaccount"], **account}
    return {**claims, "kubernetes.io": {**bound, "serviceaccount": changed}}
