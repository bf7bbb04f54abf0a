"""Row 47 of the fault list: SIGTERM with hundreds of alerts queued ends the process in time and loses none."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest

from bot.store import open_store
from tests.e2e.backlog import fill
from tests.e2e.process import Bot
from tests.emulators.telegram_api import TOKEN, TelegramApi

CHATS, ALERTS = 125, 500


@pytest.mark.slow
async def test_sigterm_with_500_queued(tmp_path: Path) -> None:
    """Stopped twice on the way, exit code 0 within ten seconds each, every alert once, no rate broken."""
    async with TelegramApi() as api:
        for number in range(1, CHATS + 1):
            api.person(number)
        store = await open_store(f"tinydb:///{tmp_path / 'store.json'}")
        titles = await fill(store, CHATS, ALERTS)
        await store.close()
        bot = Bot(
            tmp_path,
            f'[store]\nurl = "tinydb:///{tmp_path / "store.json"}"\n'
            f'[telegram]\ntoken = "{TOKEN}"\nbase_url = "{api.base_url}"\n',
        )
        try:
            for enough in (60, 200):
                await bot.start(stdin="")
                async with asyncio.timeout(30):
                    while len(api.log.of("sendMessage", ok=True)) < enough:
                        await asyncio.sleep(0.05)
                began = time.monotonic()
                assert await bot.stop(within=10) == 0, bot.errors.read_text()
                assert time.monotonic() - began < 10
            await bot.start(stdin="")
            async with asyncio.timeout(60):
                while len(api.log.of("sendMessage", ok=True)) < ALERTS:
                    await asyncio.sleep(0.1)
            await asyncio.sleep(1)
            assert await bot.stop() == 0
        finally:
            await bot.kill()
        for number in range(1, CHATS + 1):
            seen = Counter(t for t in titles for m in api.shown(number) if m["text"].startswith(t))
            assert seen == dict.fromkeys(titles, 1), number
        peaks = api.peaks()
        assert peaks["all_per_second"] <= 30
        assert peaks["refused_for_rate"] == 0
