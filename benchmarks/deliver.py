"""The pace of the outbox: 2,000 due alerts over 500 chats through one Telegram bot, limits on.

    python -m benchmarks.deliver [--chats 500] [--alerts 2000]

The real outbox, the real SDK, and a strict Bot API on loopback in its own process that counts 30 messages a second
over all, one a second in a chat with bursts of three, and 20 a minute in a group, and answers 429 beyond.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import aiohttp

from bot.alerts.account import account
from bot.chats.telegram import TelegramMessenger
from bot.clock import SystemClock
from bot.deliver import Deliverer
from bot.pace import LocalPace
from bot.store import open_store
from bot.store.tiny import TinyStore
from bot.stories.summary import Habits
from tests.e2e.backlog import fill
from tests.emulators.telegram_api import TOKEN

ROOT = Path(__file__).resolve().parents[1]


async def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--chats", type=int, default=500)
    options.add_argument("--alerts", type=int, default=2000)
    asked = options.parse_args()
    asked.alerts -= asked.alerts % asked.chats  # as many for each
    logging.disable(logging.WARNING)
    api = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.emulators.telegram_api",
        stdout=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert api.stdout is not None
    try:
        port = int((await api.stdout.readline()).split()[-1])
        base = f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession() as control:
            for number in range(1, asked.chats + 1):
                await control.post(f"{base}/control", json={"op": "person", "user": number})
            with tempfile.TemporaryDirectory() as folder:
                store = await open_store(f"tinydb:///{Path(folder) / 'store.json'}")
                await fill(store, asked.chats, asked.alerts)
                clock = SystemClock()
                assert isinstance(store, TinyStore)
                pace = LocalPace(clock, store)
                telegram = TelegramMessenger(TOKEN, clock=clock, base_url=base, pace=pace)
                deliverer = Deliverer(
                    store=store, messengers={"telegram": telegram}, clock=clock, rng=Random(1), habits=Habits(),
                    away=None, pace=pace, fault=lambda _: None,
                )  # fmt: skip
                began = time.monotonic()
                runner = asyncio.create_task(deliverer.run())
                sent = 0
                while sent < asked.alerts and time.monotonic() - began < 600:
                    await asyncio.sleep(0.25)
                    counts = await store.counts(None, datetime.now(UTC) - timedelta(hours=1))
                    sent = account(counts).rung
                seconds = time.monotonic() - began
                await deliverer.stop(2)
                await runner
                await telegram.close()
                await store.close()
            async with control.post(f"{base}/control", json={"op": "peaks"}) as answer:
                peaks = (await answer.json()).get("result") or {}
        print(
            f"{sent} alerts to {asked.chats} chats in {seconds:.1f} s: {sent / seconds:.1f}/s, {sent / seconds / 30:.1%} of 30/s"
        )
        chat = max(peaks.get("chat_per_second", {"": 0}).values(), default=0)
        print(
            f"most in any second: {peaks.get('all_per_second')} over all, {chat} in one chat; refused with 429: {peaks.get('refused_for_rate')}"
        )
    finally:
        if api.returncode is None:
            api.terminate()
        await api.wait()


if __name__ == "__main__":
    asyncio.run(main())
