"""The HTTP side: health checks, and the webhooks of chat platforms. Everything that comes in is hostile until proven.

Bodies, connections and the time to read are bounded; nothing of a request is echoed or logged; forwarded headers are
not believed because nothing here depends on where a request comes from.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    #: headers (their names in any case) and body in; (status, content type, body) out. Checks signatures itself.
    Webhook = Callable[[Mapping[str, str], bytes], Awaitable[tuple[int, str, bytes]]]

log = logging.getLogger(__name__)

#: bytes of a request's body; updates and events are far smaller
BODY = 256 * 1024
#: connections open at once; when another comes, the one open longest gives way
CONNECTIONS = 256
#: seconds in which a body must arrive
PATIENCE = 10.0
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class WebServer:
    """Listens from `start` to `close`.

    `ready` tells what keeps the bot from working, "" for nothing. `webhooks` are POST routes by path, `routes` others.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        ready: Callable[[], Awaitable[str]],
        webhooks: Mapping[str, Webhook] | None = None,
        routes: Iterable[web.AbstractRouteDef] = (),
    ) -> None:
        self._host, self._wanted, self._ready = host, port, ready
        app = web.Application(client_max_size=BODY, middlewares=[_guard])
        app.on_response_prepare.append(_dress)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        for path, webhook in (webhooks or {}).items():
            app.router.add_post(path, _receiver(webhook))
        app.router.add_routes(routes)
        # what aiohttp logs of requests that it can't parse is written by whoever sends them
        quiet = logging.getLogger(f"{__name__}.protocol")
        quiet.setLevel(logging.CRITICAL)
        self._runner = web.AppRunner(
            app, access_log=None, logger=quiet, keepalive_timeout=PATIENCE, shutdown_timeout=2.0
        )
        self._server: asyncio.Server | None = None
        #: the port listened on, once started
        self.port = 0

    async def start(self) -> None:
        """Raises OSError when the address is taken or not ours."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, self._host, self._wanted, backlog=CONNECTIONS)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stops listening, gives running requests two seconds, and closes all connections."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()

    def _connection(self) -> asyncio.BaseProtocol:
        server = self._runner.server
        assert server is not None
        open_now = server.connections
        if len(open_now) >= CONNECTIONS:  # the longest open one is idle or slow, or will not notice
            oldest = open_now[0]
            oldest.close()
            if oldest.transport is not None:
                oldest.transport.abort()
        return server()

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        trouble = await self._ready()
        return web.Response(text=f"not ready: {trouble}\n", status=503) if trouble else web.Response(text="ready\n")


def _receiver(webhook: Webhook) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def receive(request: web.Request) -> web.Response:
        async with asyncio.timeout(PATIENCE):
            body = await request.read()
        status, content_type, answer = await webhook(request.headers, body)
        return web.Response(status=status, body=answer, content_type=content_type)

    return receive


@web.middleware
async def _guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Failures become short plain answers that say nothing of the request or of the inside."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        return web.Response(status=refusal.status, text=f"{refusal.reason}\n".lower())
    except TimeoutError:
        return web.Response(status=408, text="request timeout\n")
    except Exception:
        log.exception("a request to %s failed", request.match_info.route.resource)
        return web.Response(status=500, text="internal error\n")


async def _dress(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "tocsin"
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
