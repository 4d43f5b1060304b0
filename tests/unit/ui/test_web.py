"""How the files of the web page are given out."""

import re
from pathlib import Path

import pytest

import wardgate.ui
from tests.node import HttpAnswer, NodeUnderTest, with_node
from wardgate.http.rules import Rules
from wardgate.ui import VIEWS
from wardgate.ui.files import CONTENT_TYPES, read_files

STATIC = Path(wardgate.ui.__file__).with_name("static")


def with_page(node: NodeUnderTest) -> NodeUnderTest:
    """The node with a listener that has the page."""
    node.application = node.node.application(Rules(), ui=True)
    return node


async def get(node: NodeUnderTest, path: str, **sent: str) -> HttpAnswer:
    headers = {name.replace("_", "-"): value for name, value in sent.items()}
    return await node.http("GET", path, token=None, headers=headers)


@with_node
async def test_without_ui_there_is_nothing(node: NodeUnderTest) -> None:
    for path in ("/", "/ui", "/ui/login", "/ui/static/main.js"):
        answer = await get(node, path)
        assert (answer.status, answer.json()) == (404, {"errors": []})


@with_node
async def test_short_addresses_and_those_of_vault_lead_to_the_login(node: NodeUnderTest) -> None:
    for path in ("/", "/ui", "/ui/", "/ui/vault", "/ui/vault/auth", "/ui/login/"):
        answer = await get(with_page(node), path)
        assert (answer.status, answer.headers["location"]) == (307, "/ui/login")
    answer = await node.http("GET", "/ui/vault/auth", token=None, query="with=corp%2Fldap")
    assert answer.headers["location"] == "/ui/login?with=corp%2Fldap"
    assert (await get(node, "/ui/account/")).headers["location"] == "/ui/account"
    answer = await node.http("GET", "/ui/vault/auth", token=None, query='with="<x>')
    assert answer.headers["location"] == "/ui/login"


@with_node
async def test_every_view_is_the_same_document_which_is_kept_nowhere(node: NodeUnderTest) -> None:
    for path in VIEWS:
        answer = await get(with_page(node), path)
        assert (answer.status, answer.body) == (200, (STATIC / "shell.html").read_bytes())
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


@with_node
async def test_the_policy_of_the_page_is_strict(node: NodeUnderTest) -> None:
    with_page(node)
    for path in ("/", "/ui/login", "/ui/none", "/ui/static/main.js", "/ui/static/none.js"):
        headers = (await get(node, path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "form-action 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "publickey-credentials-get=(self)" in headers["permissions-policy"]


@with_node
async def test_each_file_has_its_type_and_is_not_sent_twice(node: NodeUnderTest) -> None:
    with_page(node)
    names = [path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()]
    for name in set(names) - {"shell.html", "callback.html"}:
        answer = await get(node, f"/ui/static/{name}")
        assert answer.body == (STATIC / name).read_bytes()
        assert answer.headers["content-type"] == CONTENT_TYPES[Path(name).suffix]
        assert answer.headers["cache-control"] == "no-cache"
        etag = answer.headers["etag"]
        for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            again = await get(node, f"/ui/static/{name}", if_none_match=known)
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
        other = await get(node, f"/ui/static/{name}", if_none_match='"other"')
        assert other.status == 200


def test_other_content_has_another_etag() -> None:
    files = read_files()
    assert len({file.etag for file in files.values()}) == len(files)


@with_node
async def test_head_is_answered_without_a_body(node: NodeUnderTest) -> None:
    for path in ("/ui/login", "/ui/static/style.css"):
        answer = await with_page(node).http("HEAD", path, token=None)
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["content-type"].startswith("text/")


@with_node
async def test_nothing_else_is_allowed(node: NodeUnderTest) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "LIST"):
        for path in ("/", "/ui/login", "/ui/static/main.js", "/ui/vault/auth/oidc/oidc/callback"):
            answer = await with_page(node).http(method, path, {"a": "b"}, token=None)
            assert (answer.status, answer.body) == (405, b"")
            assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "/ui/static/../web.py",
        "/ui/static/../../server/run.py",
        "/ui/static/..%2fweb.py",
        "/ui/static//etc/passwd",
        "/ui/static/",
        "/ui/static/shell.html",
        "/ui/static/main.js\x00",
        "/ui/static/views",
        "/ui/../v1/sys/health",
        "/ui/nowhere",
    ],
)
def test_what_is_not_there_is_not_found(path: str) -> None:
    @with_node
    async def check(node: NodeUnderTest) -> None:
        answer = await get(with_page(node), path)
        assert answer.status == 404
        # the document, which says so
        assert answer.body == (STATIC / "shell.html").read_bytes()

    check()


@with_node
async def test_paths_beside_the_page_and_the_api_are_not_found_as_ever(node: NodeUnderTest) -> None:
    for path in ("/uix", "/v2/sys/health", "/favicon.ico", "/v1"):
        answer = await get(with_page(node), path)
        assert (answer.status, answer.json()) == (404, {"errors": []})


@with_node
async def test_providers_send_people_back_to_the_address_that_vault_has(
    node: NodeUnderTest,
) -> None:
    for mount in ("oidc", "corp/oidc"):
        path = f"/ui/vault/auth/{mount}/oidc/callback"
        answer = await with_page(node).http("GET", path, token=None, query="state=a&code=b")
        assert (answer.status, answer.body) == (200, (STATIC / "callback.html").read_bytes())
        assert answer.headers["cache-control"] == "no-store"


@with_node
async def test_the_operators_headers_go_before_ours(node: NodeUnderTest) -> None:
    policy = "default-src 'self'"
    for name, values in (
        ("Content-Security-Policy", [policy]),
        ("X-Custom", ["one"]),
        ("Content-Length", ["1"]),
        ("Set-Cookie", ["a=b"]),
        ("Cache-Control", ["public, max-age=99999"]),
    ):
        done = await node.write(f"sys/config/ui/headers/{name}", {"values": values})
        assert done.status == 200
    for path in ("/ui/login", "/ui/static/main.js", "/ui"):
        headers = (await get(with_page(node), path)).headers
        assert (headers["content-security-policy"], headers["x-custom"]) == (policy, "one")
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] in ("no-store", "no-cache")
        assert "content-length" not in headers
        assert "set-cookie" not in headers
    assert "x-custom" not in (await get(node, "/v1/sys/health")).headers
    await node.delete("sys/config/ui/headers/X-Custom")
    assert "x-custom" not in (await get(node, "/ui/login")).headers


@with_node
async def test_the_page_of_a_sealed_server_is_there(node: NodeUnderTest) -> None:
    await node.write("sys/config/ui/headers/X-Custom", {"values": ["one"]})
    assert (await node.write("sys/seal")).status == 204
    answer = await get(with_page(node), "/ui/login")
    assert answer.status == 200
    assert "x-custom" not in answer.headers
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@with_node
async def test_other_origins_are_no_matter_here(node: NodeUnderTest) -> None:
    """Browsers send it for scripts of the page itself, too, and keep the answers from others."""
    cors = {"enabled": True, "allowed_origins": ["https://example.com"]}
    assert (await node.write("sys/config/cors", cors)).status == 204
    for origin in ("https://wardgate.example.com", "https://example.com"):
        answer = await get(with_page(node), "/ui/static/main.js", origin=origin)
        assert answer.status == 200
        assert "access-control-allow-origin" not in answer.headers
    assert (await get(node, "/v1/sys/health", origin="https://else.example")).status == 403


def test_the_page_and_the_server_know_the_same_views() -> None:
    text = (STATIC / "views.js").read_text()
    home = re.findall('HOME = "(.*?)"', text)
    assert [*home, *re.findall('path: "(.*?)"', text)] == [*VIEWS]


def test_no_file_has_anything_of_another_place_or_inline() -> None:
    for path in STATIC.rglob("*"):
        if path.suffix not in CONTENT_TYPES:
            continue
        text = path.read_text()
        assert not re.search(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z0-9-]+\.[a-z]", text), (
            path
        )
        assert not re.search(r"\bstyle=|<style|\bon[a-z]+=\"|<script>", text), path
        for word in ("innerHTML", "outerHTML", "document.write", "eval(", "localStorage"):
            assert word not in text, (path, word)
        for word in ("sessionStorage", "indexedDB", "document.cookie", "insertAdjacentHTML"):
            assert word not in text, (path, word)
        assert len(text.splitlines()) < 400, path
