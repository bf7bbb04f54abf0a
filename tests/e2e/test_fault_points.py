"""Row 45 of the fault list: SIGKILL at each named step between "fetched" and "settled" loses no alert."""

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.e2e.process import Bot
from tests.e2e.replay import Publisher
from tests.e2e.test_kill import configuration

NEWS = (
    "Ferry runs aground off Idlib lighthouse",
    "Idlib bakers strike over flour price",
    "Bridge near Idlib reopens to lorries",
    "Chess prodigy from Idlib beats grandmaster",
)


def document(titles: tuple[str, ...]) -> bytes:
    items = "".join(
        f"<item><title>{t}</title><link>http://news.example/{n}</link><guid>{n}</guid>"
        f"<pubDate>{format_datetime(datetime(2026, 3, 2, 12, n, tzinfo=UTC))}</pubDate></item>"
        for n, t in enumerate(titles)
    )
    return f'<rss version="2.0"><channel><title>North Wire</title>{items}</channel></rss>'.encode()


@pytest.mark.slow
@pytest.mark.parametrize(
    "point", ["placed:2", "committed:2", "claimed:1", "claimed:2", "sent:1", "sent:2", "settled:1"]
)
async def test_killed_at(point: str, tmp_path: Path) -> None:
    """Every alert arrives; the one in hand may come twice, no other does."""
    publisher = await Publisher({"north": [document(()), document(NEWS[:2]), document(NEWS)]}, paced=True).start()
    bot = Bot(tmp_path, configuration(tmp_path, publisher, ("north",)))
    try:
        assert await bot.once("/subscribe Idlib\n") == 0
        await bot.start(stdin="", fault=point)
        assert bot.process is not None
        assert await asyncio.wait_for(bot.process.wait(), 20) == -9
        await bot.start(stdin="")
        async with asyncio.timeout(20):
            while not all(title in bot.printed() for title in NEWS):
                await asyncio.sleep(0.05)
        assert await bot.stop() == 0, bot.errors.read_text()
    finally:
        await bot.kill()
        await publisher.stop()
    lines = [line for line in bot.printed().splitlines() if "(updated)" not in line]
    rung = [sum(title in line for line in lines) for title in NEWS]
    assert all(count >= 1 for count in rung)
    assert sum(rung) - len(NEWS) <= 1
