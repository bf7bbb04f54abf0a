"""One run on both platforms with everything going wrong, then a search through all it has written anywhere."""

import json
import socket
from pathlib import Path

import aiohttp
import pytest

from tests.chats.rig import eventually
from tests.e2e.process import Bot
from tests.e2e.replay import Publisher, document
from tests.emulators.slack_api import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, SlackApi
from tests.emulators.telegram_api import TOKEN, TelegramApi

ANN = 7
OLD, NORTH = "Old news of no interest", "Nine killed as shells hit market in Ariha, Idlib"
TELEGRAM, PAGE_TOKEN = TOKEN.partition(":")[2], "page-token-hunter4"
#: of addresses of feeds: kept, since they are needed, but never told
PASSWORD, KEY = "hunter2pass", "hunter3key"
#: parts of addresses that are good for whoever has them
PRIVATE = ("/response/", "ticket=")


def config(folder: Path, telegram: TelegramApi, slack: SlackApi, press: Publisher, port: int) -> str:
    url = press.url("north")
    secret = url.replace("http://", f"http://ann:{PASSWORD}@") + f"?token={KEY}"
    dead = f"http://ann:{PASSWORD}@127.0.0.1:9/feed?api_key={KEY}"
    return (
        f'[store]\nurl = "tinydb:///{folder / "store.json"}"\n[log]\nlevel = "debug"\n'
        f'[telegram]\ntoken = "{TOKEN}"\nbase_url = "{telegram.base_url}"\n'
        f'[slack]\nbot_token = "{BOT_TOKEN}"\napp_token = "{APP_TOKEN}"\nsigning_secret = "{SIGNING_SECRET}"\n'
        f'base_url = "{slack.base_url}"\n[web]\nport = {port}\ntoken = "{PAGE_TOKEN}"\n'
        '[sources]\ninterval = 1\nallow_private_networks = ["127.0.0.0/8"]\n'
        f'[[source]]\nurl = "{secret}"\n[[source]]\nurl = "{dead}"\n'
    )


async def trouble(telegram: TelegramApi, slack: SlackApi) -> None:
    """Everything that makes libraries say more than usual; sends and polls once, since they wait longer each time."""
    telegram.fault(method="sendMessage", html=True)
    telegram.fault(method="getUpdates", truncate=True)
    for rule in ({"html": True}, {"truncate": True}, {"drop": "before"}, {"drop": "after"}, {"status": 404}):
        telegram.fault(method="getFile", **rule)
        telegram.fault(method="answerCallbackQuery", **rule)
    slack.fault(method="chat.postMessage", drop="before")
    for rule in ({"html": True}, {"truncate": True}, {"drop": "before"}, {"error": "fatal_error"}):
        slack.fault(method="users.info", **rule)
        slack.fault(method="views.publish", **rule)
    slack.fault(method="apps.connections.open", html=True)
    slack.cut()


async def talk(telegram: TelegramApi, slack: SlackApi) -> None:
    """Whatever might tell of an address, on both platforms."""
    telegram.upload(ANN, "feeds.opml", f'<opml><outline xmlUrl="http://x:{PASSWORD}@f.example/?key={KEY}"/></opml>')
    for words in ("/mydata", "/share", "/why http://ann:pw@127.0.0.1/x", "/sources"):
        telegram.say(ANN, words)
    slack.dm("sources", "U1")
    slack.home("U1")
    slack.slash("/tocsin", "status", "U1", "C1")


@pytest.mark.slow
async def test_row_67_no_secret_in_anything_a_whole_run_has_written(tmp_path: Path) -> None:
    """Rows 15, 67, 68: tokens, secrets and private addresses are in no log line, store, page, message or exit text."""
    press = await Publisher({"north": [document((OLD,)), document((OLD, NORTH))]}).start()
    async with TelegramApi(limits=False) as telegram, SlackApi(limits=False) as slack:
        telegram.person(ANN)
        slack.person("U1")
        slack.channel("C1")
        slack.im("U1", "D1")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        bot = Bot(tmp_path, config(tmp_path, telegram, slack, press, port))
        await bot.start(stdin="")
        try:
            await eventually(lambda: slack.state()["sockets"] and "north" in press.finished, 30)
            telegram.say(ANN, "/subscribe Idlib")
            slack.dm("subscribe Idlib", "U1")
            await eventually(lambda: telegram.shown(ANN) and slack.shown("D1"), 15)
            await trouble(telegram, slack)
            press.at["north"] = 1
            await eventually(lambda: NORTH in json.dumps([telegram.shown(ANN), slack.shown("D1")]), 30)
            await talk(telegram, slack)
            await eventually(lambda: "sources well" in json.dumps(slack.shown("D1")), 20)
            pages = await everything_shown(port)
            telegram.revoke()
            slack.revoke()
            await eventually(lambda: bot.errors.read_text().count("level=critical") >= 1, 20)
            assert await bot.stop() == 0
        finally:
            await bot.kill()
            await press.stop()
        chats = json.dumps([telegram.log.calls, slack.log.calls, slack.homes, slack.modals], default=str)
    logs = bot.printed() + bot.errors.read_text(errors="replace")
    assert "level=critical" in logs
    kept = stored(tmp_path, bot)
    tokens = (TELEGRAM, BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, PAGE_TOKEN)
    for where, text, secrets in (
        ("logs", logs, (*tokens, PASSWORD, KEY, *PRIVATE)),
        ("pages", pages, (*tokens, PASSWORD, KEY, *PRIVATE)),
        ("chats", chats, (*tokens, PASSWORD, KEY)),
        *(("store", text, (*tokens, *PRIVATE)) for text in kept),
    ):
        assert [secret for secret in secrets if secret in text] == [], where
    assert kept
    assert "ready" in pages
    assert NORTH in chats


def stored(folder: Path, bot: Bot) -> list[str]:
    """Every file that the process made, but for its output."""
    made = (path for path in folder.rglob("*") if path not in {bot.config, bot.output, bot.errors} and path.is_file())
    return [path.read_text(errors="replace") for path in made]


async def everything_shown(port: int) -> str:
    """The web server's pages as a stranger gets them, and as the operator does."""
    found = ""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        for headers in ({}, {"Authorization": f"Bearer {PAGE_TOKEN}"}):
            for path in ("/healthz", "/readyz", "/metrics", "/", "/sources", "/chats", "/stories", "/nothing"):
                async with session.get(f"http://127.0.0.1:{port}{path}", headers=headers) as answer:
                    found += await answer.text(errors="replace")
    return found
