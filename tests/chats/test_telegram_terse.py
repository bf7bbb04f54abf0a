"""A Bot API server that says no more than it must, knows few methods and keeps no poll open: other servers, and bugs.

Everything here is allowed by core.telegram.org/bots/api, or was seen of servers and proxies that speak it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from bot.chats.telegram import TelegramMessenger
from bot.chats.telegram_menus import Menu
from bot.clock import SystemClock
from bot.model import ChatGone, ChatId, Message, RetryLater, Sent, Span
from tests.chats.rig import Desk, eventually, hearing, text
from tests.emulators.common import Site
from tests.emulators.telegram_api import TOKEN

Json = dict[str, Any]
ANN = ChatId("telegram", "7")


class Terse:
    """Answers getUpdates and sendMessage; `answers` says otherwise for one call each, as (status, body, headers)."""

    def __init__(self) -> None:
        self.updates: list[Json] = []
        self.calls: list[tuple[str, Json]] = []
        self.answers: dict[str, list[tuple[int, Any, dict[str, str]]]] = {}
        app = web.Application()
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        self.site = Site(app)

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        params: Json = dict(await request.post())
        self.calls.append((method, params))
        if self.answers.get(method):
            status, body, headers = self.answers[method].pop(0)
            return web.Response(
                status=status, text=body if isinstance(body, str) else json.dumps(body), headers=headers
            )
        if method == "getUpdates":
            return web.json_response({"ok": True, "result": self.updates})
        if method == "sendMessage":
            return web.json_response({"ok": True, "result": {"message_id": len(self.of("sendMessage"))}})
        return web.json_response({"ok": False, "error_code": 404, "description": "Not Found"}, status=404)

    def of(self, method: str) -> list[Json]:
        return [params for called, params in self.calls if called == method]

    def fails(self, method: str, status: int, body: Any, **headers: str) -> None:
        self.answers.setdefault(method, []).append(
            (status, body, {name.replace("_", "-"): value for name, value in headers.items()})
        )

    def says(self, number: int, words: str, **more: Any) -> None:
        message = {"message_id": number, "chat": {"id": 7}, "from": {"id": 7}, "text": words}
        self.updates.append({"update_id": number, "message": message | more})


@pytest.fixture
async def server() -> AsyncIterator[Terse]:
    terse = Terse()
    await terse.site.start()
    yield terse
    await terse.site.close()


def make(server: Terse, **more: Any) -> TelegramMessenger:
    return TelegramMessenger(TOKEN, clock=SystemClock(), base_url=f"http://127.0.0.1:{server.site.port}", **more)


async def test_it_works_with_a_server_of_two_methods(server: Terse) -> None:
    """Neither getMe nor the command list are needed, no part of a message but chat and text, and no open poll."""
    desk = Desk()
    async with hearing(make(server, menus=[Menu([("help", "x")], description="y")]), desk):
        server.says(1, "/start")
        server.updates += [{}, {"update_id": "odd"}, {"update_id": 2}, {"update_id": 3, "message": {"chat": None}}]
        server.says(4, "/help@whoever", chat={"id": -5}, **{"from": {"id": 8}})
        await eventually(lambda: len(server.of("sendMessage")) == 2)
        calls = len(server.of("getUpdates"))
        await asyncio.sleep(0.8)
        assert len(server.of("getUpdates")) - calls < 5, "a server that answers at once is not asked in a tight loop"
    assert [(i.text, i.chat.address, i.private) for i in desk.heard] == [("/start", "7", True), ("/help", "-5", False)]
    assert len(server.of("setMyCommands")) == 1, "an unknown method is not tried again"


@pytest.mark.parametrize(
    "result", [{"message_id": 5}, {"message_id": 5, "date": "soon", "chat": {}, "unheard": {"of": 1}}], ids=str
)
async def test_a_message_that_was_taken_is_sent_whatever_is_said_of_it(server: Terse, result: Json) -> None:
    """A part of the answer that is missing must not make the message go out a second time."""
    server.fails("sendMessage", 200, {"ok": True, "result": result})
    messenger = make(server)
    assert await messenger.send(ANN, text("x")) == Sent("5")
    server.fails("editMessageText", 200, {"ok": True, "result": True})
    assert await messenger.edit(ANN, "5", text("y")) == Sent("5")
    await messenger.close()
    assert len(server.of("sendMessage")) == 1


PAUSES: list[tuple[Callable[[Terse], None], float | None]] = [
    (lambda s: s.fails("sendMessage", 429, {"ok": False, "parameters": {"retry_after": 17}}), 17.0),
    (lambda s: s.fails("sendMessage", 429, {"ok": False, "description": "Too Many Requests: retry after 17"}), 17.0),
    (lambda s: s.fails("sendMessage", 429, {"ok": False, "error_code": 429}, Retry_After="17"), 17.0),
    (lambda s: s.fails("sendMessage", 429, "<html>slow down</html>", Retry_After="16.2"), 17.0),
    (lambda s: s.fails("sendMessage", 429, "<html>slow down</html>"), None),
    (
        lambda s: s.fails(
            "sendMessage", 200, {"ok": False, "error_code": 429, "description": "x", "parameters": {"retry_after": 17}}
        ),
        17.0,
    ),
    (lambda s: s.fails("sendMessage", 429, {"ok": False}, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"), None),
]


@pytest.mark.parametrize(("fault", "seconds"), PAUSES, ids=range(len(PAUSES)))
async def test_row_58_a_pause_is_obeyed_wherever_it_is_written(
    server: Terse, fault: Callable[[Terse], None], seconds: float | None
) -> None:
    """In the parameters, in words, in a header, under status 200; and the last answer's header is not the next one's."""
    fault(server)
    server.fails("sendMessage", 429, {"ok": False})
    messenger = make(server)
    for wanted in (seconds, None):
        outcome = await messenger.send(ANN, text("x"))
        assert isinstance(outcome, RetryLater)
        assert (outcome.after, outcome.platform_wide) == (wanted, False)
    await messenger.close()


async def test_row_62_a_move_without_its_new_id_keeps_the_alert(server: Terse) -> None:
    """The service message will bring the id; until then nothing is given up."""
    server.fails(
        "sendMessage", 400, {"ok": False, "description": "Bad Request: group chat was upgraded to a supergroup chat"}
    )
    messenger = make(server)
    assert isinstance(await messenger.send(ChatId("telegram", "-5"), text("x")), ChatGone)
    await messenger.close()


async def test_a_question_opens_the_field_to_answer_in(server: Terse) -> None:
    """ForceReply with a hint of at most 64 characters, for the asker alone; buttons and questions exclude each other."""
    messenger = make(server)
    await messenger.send(ANN, Message((Span("What?"),), ask="A word or a query " * 10))
    await messenger.close()
    markup = json.loads(server.of("sendMessage")[0]["reply_markup"])
    assert (markup["force_reply"], markup["selective"]) == (True, True)
    assert 0 < len(markup["input_field_placeholder"]) <= 64
