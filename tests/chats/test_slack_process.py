"""The real process against the strict Slack on loopback: what a person there lives through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chats.rig import eventually
from tests.e2e.process import Bot
from tests.e2e.replay import Publisher, document
from tests.emulators.slack_api import APP_TOKEN, BOT_TOKEN, SlackApi
from tests.emulators.slack_blocks import read

OLD = "Old news of no interest"
NORTH = "Nine killed as shells hit market in Ariha, Idlib"


@pytest.fixture
async def press() -> AsyncIterator[Publisher]:
    publisher = await Publisher({"north": [document((OLD,)), document((OLD, NORTH))]}).start()
    yield publisher
    await publisher.stop()


def texts(slack: SlackApi, channel: str) -> list[str]:
    return [read(message) for message in slack.shown(channel)]


def everything_written(folder: Path, but: Path) -> list[str]:
    return [path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file() and path != but]


@pytest.mark.slow
async def test_subscribe_ring_press_and_stop(tmp_path: Path, press: Publisher) -> None:
    """Start, subscribe in a channel and directly, a feed changes, both ring once, every button answers, SIGTERM ends it;
    row 67: no token in anything the process wrote.
    """
    config = (
        f'[store]\nurl = "tinydb:///{tmp_path / "store.json"}"\n[sources]\ninterval = 1\n'
        'allow_private_networks = ["127.0.0.0/8"]\n'
        f'[[source]]\nurl = "{press.url("north")}"\nname = "North Wire"\n'
    )
    async with SlackApi() as slack:
        slack.person("U1")
        slack.channel("C1")
        slack.im("U1", "D1")
        bot = Bot(
            tmp_path,
            f'{config}[slack]\nbot_token = "{BOT_TOKEN}"\napp_token = "{APP_TOKEN}"\nbase_url = "{slack.base_url}"\n',
        )
        await bot.start(stdin="")
        try:
            await eventually(lambda: slack.state()["sockets"] and "north" in press.finished, 30)
            slack.slash("/subscribe", "Idlib", "U1", "C1")
            slack.dm("subscribe Idlib", "U1")
            await eventually(lambda: slack.whispers() and slack.shown("D1"), 15)
            press.at["north"] = 1
            await eventually(lambda: any(NORTH in words for words in texts(slack, "C1")), 30)
            await eventually(lambda: any(NORTH in words for words in texts(slack, "D1")), 15)
            alert = slack.shown("C1")[0]["ts"]
            for label in ("Why", "Mute", "Snooze"):
                before = len(slack.whispers()) + len(slack.shown("C1"))
                slack.press("C1", alert, "U1", label=label)
                await eventually(lambda b=before: len(slack.whispers()) + len(slack.shown("C1")) > b, 15)  # type: ignore[misc]
            slack.home("U1")
            await eventually(lambda: "Idlib" in str(slack.homes), 15)
            assert await asyncio.wait_for(bot.stop(), 10) == 0
        finally:
            await bot.kill()
        assert sum(NORTH in words for words in texts(slack, "C1")) == 1
        assert slack.peaks()["refused_for_rate"] == 0
        assert all(seconds < 3.0 for seconds in slack.state()["ack_seconds"])
    written = everything_written(tmp_path, bot.config)
    assert not any(secret in text for secret in (BOT_TOKEN, APP_TOKEN) for text in written)
