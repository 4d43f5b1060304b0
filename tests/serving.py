"""A server on loopback in the loop of the test that it is for."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from tests.server.certificates import Authority

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, authority: Authority | None = None) -> AsyncIterator[str]:
    """The address of a server whose every path `handler` answers, over TLS with an authority."""
    context = authority.issue("api").server_context() if authority else None
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"{'https' if authority else 'http'}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()
