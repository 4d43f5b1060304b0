"""Requests that the server sends, to real servers on this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.server.certificates import Authority
from tests.serving import serving
from wardgate.core.outgoing import Answer, Outgoing, OutgoingFailed, checked_ca
from wardgate.errors import InvalidRequest


async def echo(request: web.Request) -> web.Response:
    """Tell what came."""
    return web.json_response(
        {
            "method": request.method,
            "type": request.headers.get("Content-Type", ""),
            "authorization": request.headers.get("Authorization", ""),
            "cookie": request.headers.get("Cookie", ""),
            "body": await request.text(),
        },
        status=418,
        headers={"X-Served-By": "echo", "Set-Cookie": "a=b"},
    )


@asynccontextmanager
async def outgoing() -> AsyncIterator[Outgoing]:
    sender = Outgoing()
    try:
        yield sender
    finally:
        await sender.close()


def test_what_is_sent_and_what_comes_back() -> None:
    async def run() -> None:
        async with serving(echo) as address, outgoing() as sender:
            first = await sender.send(
                "POST", f"{address}/a", headers={"Authorization": "Bearer x"}, json={"a": 1}
            )
            second = await sender.send("POST", f"{address}/a", form={"grant type": "a&b"})

        assert (first.status, first.headers["x-served-by"]) == (418, "echo")
        assert first.json() == {
            "method": "POST", "type": "application/json", "authorization": "Bearer x",
            "cookie": "", "body": '{"a":1}',
        }  # fmt: skip
        assert second.json()["type"] == "application/x-www-form-urlencoded"
        assert second.json()["body"] == "grant+type=a%26b"
        assert second.json()["cookie"] == ""

    asyncio.run(run())


def test_tls_is_checked_against_the_given_authority(tmp_path: Path) -> None:
    ours, other = Authority(tmp_path, "ours"), Authority(tmp_path, "other")

    async def run() -> None:
        async with serving(echo, ours) as address, outgoing() as sender:
            answer = await sender.send("GET", address, ca_pem=ours.ca_file.read_text())
            assert answer.status == 418
            for pem in ("", other.ca_file.read_text()):
                with pytest.raises(OutgoingFailed, match="TLS"):
                    await sender.send("GET", address, ca_pem=pem)

    asyncio.run(run())


def test_redirects_are_followed_only_where_that_was_asked_for() -> None:
    async def redirecting(request: web.Request) -> web.Response:
        if request.path == "/there":
            return web.Response(text="here")
        location = "/there" if request.path == "/once" else "/again"
        return web.Response(status=302, headers={"Location": location})

    async def run() -> None:
        async with serving(redirecting) as address, outgoing() as sender:
            assert (await sender.send("GET", f"{address}/once")).status == 302
            assert (await sender.send("GET", f"{address}/once", follow=True)).body == b"here"
            with pytest.raises(OutgoingFailed, match="redirects"):
                await sender.send("GET", f"{address}/again", follow=True)

    asyncio.run(run())


def test_a_redirect_leaves_https_never(tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    async def run() -> None:
        places: dict[str, str] = {}

        async def redirecting(request: web.Request) -> web.Response:
            if request.path == "/there":
                return web.Response(text="here")
            return web.Response(status=307, headers={"Location": places[request.path]})

        async with (
            serving(redirecting, authority) as secure,
            serving(redirecting) as plain,
            outgoing() as sender,
        ):
            ca_pem = authority.ca_file.read_text()
            places |= {"/down": f"{plain}/there", "/up": f"{secure}/there", "/twice": "/down"}
            for path in ("/down", "/twice"):
                with pytest.raises(OutgoingFailed, match="https") as failed:
                    await sender.send("GET", f"{secure}{path}", ca_pem=ca_pem, follow=True)
                assert "127.0.0.1" not in str(failed.value)
            for address in (f"{secure}/up", f"{plain}/up", f"{plain}/down"):
                found = await sender.send("GET", address, ca_pem=ca_pem, follow=True)
                assert found.body == b"here"

    asyncio.run(run())


@pytest.mark.parametrize("location", ["http://[", "ftp://127.0.0.1/", "http://127.0.0.1:99999/"])
def test_a_redirect_to_no_address_is_a_failure(location: str) -> None:
    async def redirecting(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": location})

    async def run() -> None:
        async with serving(redirecting) as address, outgoing() as sender:
            with pytest.raises(OutgoingFailed):
                await sender.send("GET", address, follow=True)

    asyncio.run(run())


def test_an_answer_is_bounded_in_size() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
        except ConnectionError:
            return response

    async def run() -> None:
        async with serving(endless) as address, outgoing() as sender:
            with pytest.raises(OutgoingFailed, match="longer than 100000 bytes"):
                await sender.send("GET", address, most_bytes=100_000)

    asyncio.run(run())


def test_an_answer_is_bounded_in_time() -> None:
    async def silent(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async def run() -> None:
        async with serving(silent) as address, outgoing() as sender:
            with pytest.raises(OutgoingFailed, match="no answer within"):
                await sender.send("GET", address, timeout=0.1)

    asyncio.run(run())


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1", "ftp://127.0.0.1", "no address", "", "http://[::1"],
)
def test_what_cannot_be_reached_is_said_without_the_address(address: str) -> None:
    async def run() -> None:
        async with outgoing() as sender:
            with pytest.raises(OutgoingFailed) as failed:
                await sender.send("GET", address)
        assert str(failed.value)
        assert "127.0.0.1" not in str(failed.value)

    asyncio.run(run())


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with serving(echo) as proxy, outgoing() as sender:
            for name in ("no_proxy", "NO_PROXY"):
                monkeypatch.setenv(name, "127.0.0.1")
            monkeypatch.setenv("http_proxy", proxy)
            assert (await sender.send("GET", "http://somewhere.invalid/")).status == 418
            with pytest.raises(OutgoingFailed, match="refused"):
                await sender.send("GET", "http://127.0.0.1:1/")

    asyncio.run(run())


def test_an_answer_that_is_no_json_is_told_by_its_status() -> None:
    async def plain(request: web.Request) -> web.Response:
        return web.Response(text="<html>", status=502)

    async def run() -> None:
        async with serving(plain) as address, outgoing() as sender:
            answer = await sender.send("GET", address)
        with pytest.raises(OutgoingFailed, match="502"):
            answer.json()

    asyncio.run(run())


def test_an_unusable_certificate_is_refused_by_the_name_of_its_field(tmp_path: Path) -> None:
    good = Authority(tmp_path).ca_file.read_text()

    assert checked_ca("ca", good) == good
    assert checked_ca("ca", "") == ""
    for bad in (
        "no PEM",
        "é",
        "\0",
        good + "é",
        "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----",
    ):
        with pytest.raises(InvalidRequest, match="jwks_ca_pem"):
            checked_ca("jwks_ca_pem", bad)


def test_an_answer_that_is_no_text_is_told_by_its_status() -> None:
    with pytest.raises(OutgoingFailed, match="200"):
        Answer(200, {}, b'{"a": "\xff"}').json()
