"""Connections to platforms give up soon what can't be handed over."""

import socket

import pytest
from aiohttp import web

from bot.chats.slack_send import Sender
from bot.chats.telegram_outcome import Request
from bot.clock import SystemClock

pytestmark = pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system has no such option")


async def much(_: web.Request) -> web.Response:
    return web.Response(body=bytes(1_000_000))  # so large that the connection is kept while it is looked at


async def test_what_a_cut_machine_had_begun_to_send_does_not_arrive_when_it_is_back() -> None:
    """I2: another process sends it meanwhile; the kernel alone would hand it over minutes later, closed or not."""
    app = web.Application()
    app.router.add_get("/", much)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://{}:{}/".format(*runner.addresses[0][:2])
    request, slack = Request(), Sender("xoxb-1", "https://slack.com/api/", SystemClock())
    try:
        async with request._client.stream("GET", url) as answer:
            telegram: socket.socket = answer.extensions["network_stream"].get_extra_info("socket")
            assert 0 < telegram.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 10_000
        async with slack.session.get(url) as page:
            assert page.connection is not None
            assert page.connection.transport is not None
            wire: socket.socket = page.connection.transport.get_extra_info("socket")
            assert 0 < wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 10_000
    finally:
        await request.shutdown()
        await slack.session.close()
        await runner.cleanup()
