"""Google Workspace is asked for groups and custom fields; against a strict double of its APIs."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.node import NodeUnderTest, errors, with_node
from tests.odd_provider import OddProvider
from tests.serving import serving
from tests.unit.auth.jwt.browser_logins import (
    begun,
    callback,
    configure,
    groups_of,
    refusal,
    role,
    with_provider,
)
from wardgate.auth.jwt.special import gsuite
from wardgate.auth.jwt.special.google_access import GoogleAccess
from wardgate.core.outgoing import OutgoingFailed

JsonMap = dict[str, Any]
KEY = rsa.generate_private_key(65537, 2048)
ACCOUNT = "wardgate@project.iam.gserviceaccount.com"
ADMIN = "admin@example.com"
SCOPES = (
    "https://www.googleapis.com/auth/admin.directory.group.readonly"
    " https://www.googleapis.com/auth/admin.directory.user.readonly"
)
MEMBERSHIPS = {
    "ada": ["eng@example.com", "all@example.com"],
    "eng@example.com": ["tech@example.com"],
    "tech@example.com": ["all@example.com", "eng@example.com", "top@example.com"],
}


def checked_assertion(assertion: str, now: int, audience: str, issuer: str) -> JsonMap:
    """The claims of a signed request for access, which has to be as Google wants it."""
    public = RSAKey.import_key(KEY.public_key())
    token = jwt.decode(assertion, public, algorithms=["RS256"])
    assert token.header["alg"] == "RS256"
    assert (token.claims["iss"], token.claims["aud"]) == (issuer, audience)
    assert token.claims["iat"] <= now < token.claims["exp"] <= now + 3600
    return token.claims


class Google:
    """Its token endpoint, metadata server, IAM credentials API and Directory API."""

    def __init__(self, node: NodeUnderTest) -> None:
        self.node = node
        self.address = ""
        self.asked: Counter[str] = Counter()
        self.issuer = ACCOUNT
        self.subject: str | None = ADMIN

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        async with serving(self.handle) as self.address:
            yield self.address

    def key(self) -> JsonMap:
        """The key file of the service account."""
        pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return {
            "type": "service_account",
            "client_email": ACCOUNT,
            "private_key": pem,
            "private_key_id": "k1",
            "token_uri": f"{self.address}/token",
        }

    def settings(self, **more: Any) -> JsonMap:
        """What goes into provider_config."""
        return {
            "provider": "gsuite",
            "directory_endpoint": self.address,
            "iam_endpoint": self.address,
            "token_endpoint": f"{self.address}/token",
            "gsuite_admin_impersonate": ADMIN,
            "fetch_groups": True,
            **more,
        }

    async def handle(self, request: web.Request) -> web.Response:
        path = request.path
        self.asked[path] += 1
        if path == "/token":
            return await self._token(request)
        if path.startswith("/computeMetadata/"):
            assert request.headers["Metadata-Flavor"] == "Google"
            return web.json_response({"access_token": "of-the-machine", "expires_in": 3600})
        if path.endswith(":signJwt"):
            assert path == "/v1/projects/-/serviceAccounts/other@example.com:signJwt"
            assert request.headers["Authorization"] == "Bearer of-the-machine"
            claims = json.loads((await request.json())["payload"])
            key = RSAKey.import_key(KEY)
            return web.json_response(
                {"signedJwt": jwt.encode({"alg": "RS256"}, claims, key, algorithms=["RS256"])}
            )
        if path.endswith(":generateAccessToken"):
            assert path == "/v1/projects/-/serviceAccounts/other@example.com:generateAccessToken"
            assert request.headers["Authorization"] == "Bearer of-the-machine"
            assert (await request.json())["scope"] == SCOPES.split()
            return web.json_response({"accessToken": "for-the-directory"})
        return self._directory(request)

    async def _token(self, request: web.Request) -> web.Response:
        form = parse_qs(await request.text())
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        now = int(self.node.clock.now())
        claims = checked_assertion(form["assertion"][0], now, f"{self.address}/token", self.issuer)
        assert claims["scope"] == SCOPES
        assert claims.get("sub") == self.subject
        return web.json_response({"access_token": "for-the-directory", "expires_in": 3600})

    def _directory(self, request: web.Request) -> web.Response:
        if request.headers["Authorization"] != "Bearer for-the-directory":
            return web.json_response({}, status=401)
        query = request.query
        if request.path == "/admin/directory/v1/users/ada":
            assert query["projection"] == "custom"
            assert query["customFieldMask"] == "Education,Work"
            return web.json_response({"customSchemas": {"Work": {"desk": "4a"}, "sub": {}}})
        if request.path != "/admin/directory/v1/groups":
            return web.json_response({}, status=404)
        assert query["fields"] == "nextPageToken,groups(email)"
        groups = MEMBERSHIPS.get(query["userKey"], [])
        page = int(query.get("pageToken", "0"))
        answer: JsonMap = {"groups": [{"email": each} for each in groups[page : page + 1]]}
        if page + 1 < len(groups):
            answer["nextPageToken"] = str(page + 1)
        return web.json_response(answer)


@pytest.mark.parametrize(
    ("depth", "found"),
    [
        (0, {"eng@example.com", "all@example.com"}),
        (1, {"eng@example.com", "all@example.com", "tech@example.com"}),
        (9, {"eng@example.com", "all@example.com", "tech@example.com", "top@example.com"}),
    ],
)
def test_google_is_asked_for_groups_and_groups_around_them(depth: int, found: set[str]) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        google = Google(node)
        async with google.serving():
            settings = google.settings(
                gsuite_service_account=json.dumps(google.key()), groups_recurse_max_depth=depth
            )
            await configure(node, provider, provider_config=settings)
            await role(node, groups_claim="groups")
            names = {group for groups in MEMBERSHIPS.values() for group in groups}
            assert await groups_of(node, provider, *names) == found
            assert await groups_of(node, provider) == found
            assert google.asked["/token"] == 1  # access is kept while it is good
            node.clock.advance(3600)
            await groups_of(node, provider)
            assert google.asked["/token"] == 2

    check()


@with_provider
async def test_custom_fields_become_claims_but_replace_none(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    google = Google(node)
    async with google.serving():
        settings = google.settings(
            gsuite_service_account=json.dumps(google.key()),
            fetch_groups=False,
            fetch_user_info=True,
            user_custom_schemas="Education,Work",
        )
        await configure(node, provider, provider_config=settings)
        await role(node, claim_mappings={"/Work/desk": "desk", "/sub": "who"})
        response = await callback(node, provider.authorize((await begun(node))["auth_url"]))
        assert response.auth is not None, response.data
        assert response.auth["metadata"] == {"desk": "4a", "who": "ada", "role": "people"}


@with_provider
async def test_a_key_that_is_none_is_refused_when_it_is_written(
    node: NodeUnderTest, provider: OddProvider
) -> None:
    async def refused(**settings: Any) -> str:
        body = {
            "oidc_discovery_url": provider.address,
            "provider_config": {"provider": "gsuite", **settings},
        }
        response = await node.write("auth/oidc/config", body)
        assert response.status == 400, response.data
        return errors(response)[0]

    why = await refused(gsuite_service_account="/nowhere/key.json")
    assert why.startswith("provider_config: the service account's key file cannot be read: No such")
    assert "nowhere" not in why
    for key in ('{"client_email": 7}', "{", '{"client_email": "a", "private_key": "b"}'):
        assert "not one of Google's" in await refused(gsuite_service_account=key)
    assert "fetch_groups" in await refused(fetch_groups="perhaps")
    assert "not be negative" in await refused(groups_recurse_max_depth=-1)


def test_the_key_may_be_in_a_file_and_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "key.json"

    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        google = Google(node)
        async with google.serving():
            file.write_text(json.dumps(google.key()))
            settings = google.settings(gsuite_service_account=str(file))
            await configure(node, provider, provider_config=settings)
            await role(node, groups_claim="groups")
            assert await groups_of(node, provider, "eng@example.com") == {"eng@example.com"}
            shown = (await node.read("auth/oidc/config")).data["provider_config"]
            assert "gsuite_service_account" not in shown
            file.unlink()
            node.clock.advance(3600)
            why = await refusal(node, provider)
            assert "key file cannot be read: No such file or directory" in why
            assert str(tmp_path) not in why

    check()


def test_a_machine_without_a_key_impersonates_who_has_the_rights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        google = Google(node)
        async with google.serving() as address:
            monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
            monkeypatch.setenv("GCE_METADATA_HOST", address.removeprefix("http://"))
            google.issuer = "other@example.com"
            settings = google.settings(impersonate_principal="other@example.com")
            await configure(node, provider, provider_config=settings)
            await role(node, groups_claim="groups")
            assert await groups_of(node, provider, "eng@example.com") == {"eng@example.com"}
            # in nobody's name, without an administrator
            settings = google.settings(
                impersonate_principal="other@example.com", gsuite_admin_impersonate=""
            )
            await configure(node, provider, provider_config=settings)
            assert await groups_of(node, provider) == {"eng@example.com"}
            # and by the key that the environment names
            google.issuer, google.subject = ACCOUNT, None
            file = tmp_path / "key.json"
            file.write_text(json.dumps(google.key()))
            monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
            await configure(node, provider, provider_config=google.settings())
            assert await groups_of(node, provider) == {"eng@example.com"}

    check()


def test_groups_in_groups_without_end_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gsuite, "_MOST_REQUESTS", 3)

    @with_provider
    async def check(node: NodeUnderTest, provider: OddProvider) -> None:
        google = Google(node)
        async with google.serving():
            settings = google.settings(
                gsuite_service_account=json.dumps(google.key()), groups_recurse_max_depth=9
            )
            await configure(node, provider, provider_config=settings)
            await role(node, groups_claim="groups")
            assert "more than 3 requests" in await refusal(node, provider)

    check()


@with_node
async def test_logins_that_need_access_at_once_ask_for_it_once(node: NodeUnderTest) -> None:
    google = Google(node)
    async with google.serving():
        key = json.dumps(google.key())
        access = GoogleAccess(node.core, google.settings(gsuite_service_account=key))
        first, *others = [asyncio.create_task(access.token()) for _ in range(10)]
        await asyncio.sleep(0)  # all of them have begun
        first.cancel()
        tokens = await asyncio.gather(*others)
        assert len(set(tokens)) == 1
        assert google.asked["/token"] == 1


@with_node
async def test_access_from_before_the_clock_was_set_back_is_not_used(node: NodeUnderTest) -> None:
    google = Google(node)
    async with google.serving():
        key = json.dumps(google.key())
        access = GoogleAccess(node.core, google.settings(gsuite_service_account=key))
        await access.token()
        node.clock.advance(-365 * 86400.0)
        await access.token()
        await access.token()
        assert google.asked["/token"] == 2


@pytest.mark.parametrize("groups", [["eng"], {"email": "eng"}, "eng", [None], 5])
def test_groups_that_are_none_are_a_failure(groups: Any) -> None:
    async def odd(request: web.Request) -> web.Response:
        return web.json_response({"groups": groups})

    @with_node
    async def check(node: NodeUnderTest) -> None:
        google = Google(node)
        async with google.serving(), serving(odd) as address:
            key = json.dumps(google.key())
            access = GoogleAccess(node.core, google.settings(gsuite_service_account=key))
            settings = gsuite.Settings(directory_endpoint=address)
            directory = gsuite.GoogleDirectory(node.core, access, settings)
            with pytest.raises(OutgoingFailed, match="no list of groups"):
                await directory.groups_of("ada")

    check()
