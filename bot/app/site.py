"""What is served over HTTP: health, metrics, the page and webhooks, each behind the door that fits it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from bot.errors import StoreError
from bot.web.board import Board
from bot.web.door import COOKIE, Door
from bot.web.metrics import Metrics
from bot.web.pages import Pages
from bot.web.server import WebServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from bot.config import WebConfig
    from bot.meter import Meter
    from bot.model import Reply
    from bot.ports import Clock, Store
    from bot.sources.schedule import PollPolicy
    from bot.web.server import Webhook

log = structlog.get_logger()

#: seconds for which one look at whether the store can be written is good enough for everybody who asks
_FRESH = 5.0


def make_server(
    config: WebConfig,
    *,
    store: Store,
    clock: Clock,
    policy: PollPolicy,
    trial: Callable[[str], Awaitable[Reply]],
    meter: Meter,
    lag: Callable[[], float],
    ticked: Callable[[], float],
    trouble: Callable[[], Awaitable[str]],
    wake: Callable[[], None],
    webhooks: Mapping[str, Webhook],
    routes: Iterable[web.AbstractRouteDef],
) -> WebServer:
    """The server that the configuration asks for, not started yet; `port` is set."""
    assert config.port is not None
    door = Door(config.token, host=config.host, public=bool(config.public_url), clock=clock)
    if door.shut("localhost"):
        log.warning(
            "the page and /metrics are off: without token in [web] they are for this machine alone, and it is reached "
            "from elsewhere",
            host=config.host,
        )
    ready = _readiness(store, clock, trouble)
    pages = Pages(
        board=Board(store, clock, policy), door=door, store=store, clock=clock, ready=ready, trial=trial, wake=wake
    )
    metrics = Metrics(store=store, clock=clock, meter=meter, lag=lag, ticked=ticked)

    async def exposed(request: web.Request) -> web.StreamResponse:
        if door.shut(request.host):
            raise web.HTTPForbidden
        if not door.knows(request.headers, request.cookies.get(COOKIE, "")):
            return web.Response(status=401, text="unauthorized\n", headers={"WWW-Authenticate": "Bearer"})
        body = await metrics.text()
        return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return WebServer(
        config.host,
        config.port,
        ready=ready,
        webhooks=webhooks,
        routes=[web.get("/metrics", exposed), *pages.routes(), *routes],
    )


def _readiness(store: Store, clock: Clock, trouble: Callable[[], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
    """What keeps the bot from working, in words: what `trouble` says, and a store that can't be written."""
    asked, answer = float("-inf"), ""

    async def ready() -> str:
        nonlocal asked, answer
        if clock.monotonic() - asked >= _FRESH:
            asked = clock.monotonic()
            try:
                await store.check_writable()
            except StoreError as error:
                answer = f"the store can't be written: {error}"
            else:
                answer = ""
        return "; ".join(problem for problem in (await trouble(), answer) if problem)

    return ready
