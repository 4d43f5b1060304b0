"""The HTTP client, against a small server of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest
from aiohttp import web

from wardgate.client import ApiError, Client, ConnectionFailed, Misconfigured, Reply

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Use = Callable[[Client], Awaitable[object]]


def serve(handler: Handler, use: Use, socket: Path | None = None, **options: object) -> None:
    """Start a server that answers everything with `handler`, and `use` a client of it."""

    async def both() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            if socket:
                await web.UnixSite(runner, str(socket)).start()
                address = f"unix://{socket}"
            else:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            async with Client(address, "s.token", **options) as client:  # type: ignore[arg-type]
                await use(client)
        finally:
            await runner.cleanup()

    asyncio.run(both())


async def echo(request: web.Request) -> web.Response:
    """Answers with what was asked."""
    return web.json_response(
        {
            "data": {
                "method": request.method,
                "path": request.raw_path,
                "headers": dict(request.headers),
                "body": await request.text(),
            }
        }
    )


def test_a_request_carries_token_namespace_and_marks() -> None:
    async def use(client: Client) -> None:
        data = (await client.request("PUT", "a/b", {}, wrap_ttl="60")).data or {}
        assert (data["method"], data["path"]) == ("PUT", "/v1/a/b")
        assert data["headers"]["X-Vault-Token"] == "s.token"
        assert data["headers"]["X-Vault-Namespace"] == "team"
        assert data["headers"]["X-Vault-Request"] == "true"
        assert data["headers"]["X-Vault-Wrap-TTL"] == "60"
        assert data["headers"]["X-Trace"] == "1"

    serve(echo, use, namespace="team", headers={"X-Trace": "1"})


def test_a_path_is_taken_literally_and_parameters_are_apart_from_it() -> None:
    async def use(client: Client) -> None:
        data = (await client.read("a b/%20?x#é", {"version": "1&2"})).data or {}
        assert data["path"] == "/v1/a%20b/%2520%3Fx%23%C3%A9?version=1%262"

    serve(echo, use)


def test_a_patch_is_a_merge_patch_and_numbers_keep_their_digits() -> None:
    async def use(client: Client) -> None:
        data = (await client.patch("a", {"n": Decimal("1.50"), "none": None})).data or {}
        assert data["headers"]["Content-Type"] == "application/merge-patch+json"
        assert data["body"] == '{"n":1.50,"none":null}'

    serve(echo, use)


def test_an_error_has_the_status_and_the_servers_words_but_no_parameter() -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.json_response({"errors": ["no", "never"], "warnings": ["w"]}, status=403)

    async def use(client: Client) -> None:
        with pytest.raises(ApiError) as caught:
            await client.read("a", {"password": "s3cret"})
        assert (caught.value.status, caught.value.errors) == (403, ("no", "never"))
        assert caught.value.warnings == ("w",)
        assert "s3cret" not in str(caught.value)

    serve(refuse, use)


def test_what_a_proxy_says_in_plain_text_is_passed_on_when_it_is_short() -> None:
    async def use(client: Client) -> None:
        with pytest.raises(ApiError) as caught:
            await client.read("short")
        assert caught.value.errors == ("bad gateway",)
        with pytest.raises(ApiError) as caught:
            await client.read("long")
        assert caught.value.errors == ()

    async def proxy(request: web.Request) -> web.Response:
        text = "bad gateway" if request.path.endswith("short") else "<html>" + "x" * 1000
        return web.Response(status=502, text=text)

    serve(proxy, use)


def test_a_redirect_on_the_same_server_is_followed_once_with_method_and_body() -> None:
    async def use(client: Client) -> None:
        data = (await client.write("old", {"a": 1})).data or {}
        assert (data["method"], data["path"], data["body"]) == ("POST", "/v1/new", '{"a":1}')
        with pytest.raises(ApiError) as caught:
            await client.read("loop")
        assert caught.value.status == 307

    async def redirect(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("new"):
            return await echo(request)
        target = "/v1/new" if request.path.endswith("old") else "/v1/loop"
        return web.Response(status=307, headers={"Location": target})

    serve(redirect, use)


@pytest.mark.parametrize(
    "location", ["//{host}:1/v1/a", "https://{host}/v1/a", "http://elsewhere/"]
)
def test_a_redirect_to_another_server_does_not_take_the_token_along(location: str) -> None:
    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": location.format(host="127.0.0.1")})

    async def use(client: Client) -> None:
        with pytest.raises(ApiError, match="token is not sent to another server"):
            await client.read("a")

    serve(redirect, use)


def test_a_unix_socket_works_like_an_address(tmp_path: Path) -> None:
    async def use(client: Client) -> None:
        assert ((await client.delete("a")).data or {})["method"] == "DELETE"

    serve(echo, use, socket=tmp_path / "server.sock")


def test_a_server_that_does_not_answer_in_time_is_a_failed_connection() -> None:
    over = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    async def use(client: Client) -> None:
        with pytest.raises(ConnectionFailed, match="gave no answer within"):
            await client.read("a")
        over.set()

    serve(hang, use, timeout=0.05)


def test_a_connection_that_breaks_is_a_failed_connection() -> None:
    async def drop(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def use(client: Client) -> None:
        with pytest.raises(ConnectionFailed, match="broke"):
            await client.read("a")

    serve(drop, use)


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_a_request_whose_answer_is_lost_is_not_sent_again(method: str) -> None:
    asked = 0

    async def drop(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def use(client: Client) -> None:
        with pytest.raises(ConnectionFailed, match="broke"):
            await client.request(method, "auth/approle/role/app/secret-id")

    serve(drop, use)
    assert asked == 1


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://127.0.0.1:1", "connection refused"),
        ("unix:///no/such/socket", "no such file"),
        ("http://no-such-host.invalid", "name of the host is not known"),
    ],
)
def test_a_server_that_is_not_there_is_a_failed_connection(address: str, message: str) -> None:
    async def use() -> None:
        async with Client(address) as client:
            await client.read("a")

    with pytest.raises(ConnectionFailed, match=message):
        asyncio.run(use())


@pytest.mark.parametrize(
    "address", ["", "localhost:8200", "ftp://a", "http://", "http://u:p@a", "http://a:b", "unix://"]
)
def test_an_address_that_cannot_be_one_is_refused(address: str) -> None:
    with pytest.raises(Misconfigured, match="address"):
        Client(address)


@pytest.mark.parametrize("token", ["s.a\nX-Other: 1", "s.é", "s.\x00"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Client("http://127.0.0.1:1", token)
    assert token not in str(caught.value)


def test_an_answer_does_not_show_its_secrets_when_it_is_printed() -> None:
    assert "s3cret" not in repr(Reply(200, {"data": {"a": "s3cret"}}, b"s3cret"))
