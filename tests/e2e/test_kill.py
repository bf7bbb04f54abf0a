"""Killed at random instants, the real process loses nothing and tells at most one alert twice per kill."""

import asyncio
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from bot.model import DeliveryKind, DeliveryState
from bot.store import open_store
from tests.e2e.process import Bot
from tests.e2e.replay import Publisher, recordings
from tests.e2e.test_replay import BEGINNING, QUERIES, every_story, judge

KILLS = 12
OUTLETS = ("bbc", "nytimes", "rnz", "smh", "straittimes", "fox")
#: recorded bodies per outlet; each is served until the bot proves that it has taken it in
STEPS = 14


def configuration(folder: Path, publisher: Publisher, outlets: tuple[str, ...]) -> str:
    sources = "\n".join(f'[[source]]\nurl = "{publisher.url(outlet)}"\nname = "{outlet}"\n' for outlet in outlets)
    return (
        f'[store]\nurl = "tinydb:///{folder / "store.json"}"\n'
        '[sources]\ninterval = 1\nallow_private_networks = ["127.0.0.0/8"]\n'
        f"[console]\nenabled = true\n{sources}"
    )


@pytest.mark.slow
async def test_kills_lose_nothing(tmp_path: Path) -> None:
    """Every entry once, every alert there, duplicates no more than kills (I1, I2 of the fault list)."""
    recorded = recordings()
    if recorded is None:
        pytest.skip("the recorded polls of the data folder are not here")
    bodies = {outlet: [body for _, body in recorded[outlet][:STEPS]] for outlet in OUTLETS}
    publisher = await Publisher(bodies, paced=True).start()
    bot = Bot(tmp_path, configuration(tmp_path, publisher, OUTLETS))
    rng = Random(20261123)
    try:
        assert await bot.once("".join(f"/subscribe {query}\n" for query in QUERIES)) == 0
        publisher.finished.clear()
        for _ in range(KILLS):
            before = publisher.requests
            await bot.start(stdin="")
            while publisher.requests == before and bot.process and bot.process.returncode is None:
                await asyncio.sleep(0.02)
            await asyncio.sleep(rng.uniform(0.0, 1.0))
            await bot.kill()
        publisher.finished.clear()
        await bot.start(stdin="")
        async with asyncio.timeout(90):
            while publisher.finished != set(OUTLETS):
                await asyncio.sleep(0.1)
        await asyncio.sleep(2)
        assert await bot.stop() == 0, bot.errors.read_text()
    finally:
        if bot.process is not None:
            await bot.kill()
        await publisher.stop()
    store = await open_store(f"tinydb:///{tmp_path / 'store.json'}", read_only=True)
    entries = await store.entries_since(BEGINNING)
    stories = await every_story(store, entries)
    rows = await store.deliveries(None, [story.id for story in stories])
    await store.close()
    # an edit that is due in some minutes is neither lost nor late
    edits = (DeliveryKind.GROW, DeliveryKind.CORRECT)
    judge(entries, [r for r in rows if r.state is not DeliveryState.DUE or r.kind not in edits], stories, bodies)
    headlines = Counter(bot.printed().splitlines())
    by_id = {e.id: e for e in entries}
    duplicates = 0
    for row in rows:
        if row.kind is DeliveryKind.RING and row.state is DeliveryState.SENT:
            entry = by_id[row.entry]
            titles = (entry.title, *(title for title, _ in entry.former_titles))
            shown = (n for line, n in headlines.items() if "(updated)" not in line and any(t in line for t in titles))
            seen = sum(shown)
            assert seen >= 1, titles
            duplicates += seen - 1
    assert duplicates <= KILLS
