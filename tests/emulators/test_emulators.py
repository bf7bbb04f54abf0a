"""The judges judged: the emulators refuse what the platforms refuse, and can be driven from another process."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.emulators.common import most_within
from tests.emulators.slack_api import BOT_TOKEN, SlackApi
from tests.emulators.telegram_api import TOKEN, TelegramApi

Json = dict[str, Any]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as found:
        yield found


async def telegram(session: aiohttp.ClientSession, root: str, method: str, **params: Any) -> Json:
    async with session.post(f"{root}/bot{TOKEN}/{method}", json=params) as answer:
        found: Json = await answer.json()
        return found


async def slack(session: aiohttp.ClientSession, root: str, method: str, **params: Any) -> tuple[Json, Any]:
    headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
    async with session.post(f"{root}{method}", json=params, headers=headers) as answer:
        return await answer.json(), answer.headers


async def test_telegram_rates_are_real_buckets(session: aiohttp.ClientSession) -> None:
    """A burst of three in a chat, twenty a minute in a group, thirty at once in all; then retry_after."""
    async with TelegramApi() as api:
        for user in range(1, 40):
            api.person(user)
        api.group(-9)
        same = [await telegram(session, api.base_url, "sendMessage", chat_id=1, text=str(n)) for n in range(4)]
        assert [answer["ok"] for answer in same] == [True, True, True, False]
        assert same[3]["parameters"] == {"retry_after": 1}
        others = [await telegram(session, api.base_url, "sendMessage", chat_id=n, text="x") for n in range(2, 40)]
        assert 26 <= sum(answer["ok"] for answer in others) <= 32
        api.rooms[-9].limits[1].take()
        for _ in range(19):
            api.rooms[-9].limits[1].take()
        await asyncio.sleep(0.1)
        full = await telegram(session, api.base_url, "sendMessage", chat_id=-9, text="x")
        assert full["parameters"]["retry_after"] >= 59
        assert api.peaks()["chat_per_second"]["1"] == 3


async def test_telegram_confirms_by_offset_and_knows_one_listener(session: aiohttp.ClientSession) -> None:
    """Updates stay until a higher offset comes; a second poller ends the first; a webhook ends both."""
    async with TelegramApi() as api:
        api.person(1)
        first = api.say(1, "one")
        again = [await telegram(session, api.base_url, "getUpdates") for _ in range(2)]
        assert [u["update_id"] for answer in again for u in answer["result"]] == [first, first]
        waiting = asyncio.create_task(telegram(session, api.base_url, "getUpdates", offset=(first or 0) + 1, timeout=5))
        await asyncio.sleep(0.05)
        await telegram(session, api.base_url, "getUpdates", offset=(first or 0) + 1)
        assert (await waiting)["error_code"] == 409
        await telegram(session, api.base_url, "setWebhook", url="http://127.0.0.1:9/")
        assert (await telegram(session, api.base_url, "getUpdates"))["error_code"] == 409


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"chat_id": 99, "text": "x"}, "chat not found"),
        ({"chat_id": 1, "text": " \n"}, "message text is empty"),
        ({"chat_id": 1, "text": "😀" * 2049}, "message is too long"),
        ({"chat_id": 1, "text": "<b>x", "parse_mode": "HTML"}, "can't parse entities"),
        (
            {
                "chat_id": 1,
                "text": "x",
                "reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "ü" * 33}]]},
            },
            "BUTTON_DATA_INVALID",
        ),
        ({"chat_id": 1, "text": "x", "message_thread_id": 4}, "message thread not found"),
        ({"chat_id": 2, "text": "x"}, "can't initiate conversation"),
        ({"chat_id": 1, "text": "x", "reply_parameters": {"message_id": 9}}, "message to be replied not found"),
    ],
    ids=str,
)
async def test_telegram_refuses(session: aiohttp.ClientSession, params: Json, words: str) -> None:
    """Each documented limit, in Telegram's words."""
    async with TelegramApi() as api:
        api.person(1)
        api.person(2, started=False)
        answer = await telegram(session, api.base_url, "sendMessage", **params)
        assert not answer["ok"]
        assert words in answer["description"]


async def test_slack_rates_and_addresses_run_out(session: aiohttp.ClientSession) -> None:
    """One post a second in a channel with Retry-After; a response address takes five answers."""
    async with SlackApi() as api:
        api.channel("C1")
        assert (await slack(session, api.base_url, "chat.postMessage", channel="C1", text="x"))[0]["ok"]
        refused, headers = await slack(session, api.base_url, "chat.postMessage", channel="C1", text="x")
        assert (refused["error"], headers["Retry-After"]) == ("ratelimited", "1")
        api.slash("/x", "", "U1", "C1")
        url = api.envelopes[0].payload["response_url"]
        statuses = []
        for _ in range(6):
            async with session.post(url, json={"text": "x"}) as answer:
                statuses.append(answer.status)
        assert statuses == [200] * 5 + [404]


def test_peaks_count_windows() -> None:
    """The figure by which rates are judged: the most events in any half-open second."""
    assert most_within([], 1.0) == 0
    assert most_within([0.0, 0.5, 1.0, 1.2, 1.4], 1.0) == 4
    assert most_within([0.0, 1.0, 2.0], 1.0) == 1


@asynccontextmanager
async def process(module: str) -> AsyncIterator[str]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.emulators.{module}", "--stdin", stdin=-1, stdout=-1
    )
    assert child.stdout is not None
    try:
        async with asyncio.timeout(20):
            yield f"http://127.0.0.1:{int(await child.stdout.readline())}"
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(5):
            assert await child.wait() == 0
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def control(session: aiohttp.ClientSession, root: str, op: str, **arguments: Any) -> Any:
    async with session.post(f"{root}/control", json={"op": op, **arguments}) as answer:
        found = await answer.json()
        assert found["ok"], found
        return found["result"]


async def test_the_bot_api_as_a_process(session: aiohttp.ClientSession) -> None:
    """Driven over HTTP: a person speaks, the bot answers, the log tells."""
    async with process("telegram_api") as root:
        await control(session, root, "person", user=7)
        await control(session, root, "group", chat=-5, members={"7": "administrator"})
        await control(session, root, "say", chat=7, text="/start")
        updates = await telegram(session, root, "getUpdates")
        assert updates["result"][0]["message"]["text"] == "/start"
        await telegram(session, root, "sendMessage", chat_id=7, text="hello")
        assert (await control(session, root, "shown", chat=7))[0]["text"] == "hello"
        async with session.get(f"{root}/control/log") as answer:
            assert [call["method"] for call in await answer.json()] == ["getUpdates", "sendMessage"]
        async with session.post(f"{root}/control", json={"op": "close"}) as answer:
            assert answer.status == 400


async def test_slack_as_a_process(session: aiohttp.ClientSession) -> None:
    """Driven over HTTP: channels, faults and state."""
    async with process("slack_api") as root:
        await control(session, root, "channel", channel="C1")
        await control(session, root, "fault", method="chat.postMessage", error="is_archived")
        assert (await slack(session, f"{root}/api/", "chat.postMessage", channel="C1", text="x"))[0][
            "error"
        ] == "is_archived"
        assert (await slack(session, f"{root}/api/", "chat.postMessage", channel="C1", text="x"))[0]["ok"]
        assert (await control(session, root, "state"))["channels"]["C1"]["shown"][0]["text"] == "x"
