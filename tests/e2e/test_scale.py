"""Two pollers, two ingesters and three deliverers on one PostgreSQL, as three processes, while things break.

The long form, with a process a role, is tests/soak/crash_fleet.py.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.e2e.fleet import Fleet, Newspaper, headlines
from tests.e2e.replay import Publisher, document
from tests.emulators.telegram_api import TelegramApi
from tests.store.cluster import Cluster, NoPostgres, cluster

PEOPLE, STORIES = 8, 6
ALL = "poll,ingest,deliver,chat"

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


@pytest.fixture
def postgres() -> Iterator[Cluster]:
    pytest.importorskip("procrastinate")
    try:
        with cluster() as running:
            yield running
    except NoPostgres as error:
        pytest.skip(str(error))


@pytest.fixture
async def fleet(tmp_path: Path, postgres: Cluster) -> AsyncIterator[Fleet]:
    press = await Publisher({outlet: [document(())] for outlet in ("north", "south")}).start()
    async with TelegramApi() as api:
        fleet = Fleet(tmp_path, postgres.dsn, api, press)
        await fleet.subscribe(PEOPLE)
        try:
            yield fleet
        finally:
            await fleet.end()
            await press.stop()


async def until(check: object, what: str, within: float = 60.0) -> None:
    try:
        async with asyncio.timeout(within):
            while not await check():  # type: ignore[operator]
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"never happened: {what}")


async def test_whatever_breaks_every_alert_comes(fleet: Fleet, postgres: Cluster) -> None:
    """Rows 45, 52, 53 of the fault list: the elected one killed, the server restarted, connections cut: I1-I5 and I8 hold."""
    titles = headlines(STORIES)
    paper = Newspaper(fleet.press, titles)
    await fleet.start_all({"one": ALL, "two": ALL, "three": "deliver"})

    async def polled() -> bool:
        return fleet.press.finished == {"north", "south"}

    await until(polled, "the first poll is stored")
    fleet.api.say(1, "/subscriptions")
    for _ in range(2):
        paper.publish()
    await fleet.all_arrive(titles[:1], 1, 60)

    async def answered() -> bool:
        return any("Idlib" in text and not any(t in text for t in titles) for text in fleet.rung()[1])

    await until(answered, "the command is answered by whoever was elected to hear it")
    await fleet.kill(await fleet.holder("ingest"))
    paper.publish()
    postgres.stop("immediate")
    fleet.faults += 1
    postgres.start()
    for _ in range(2):
        paper.publish()
    await asyncio.sleep(1.0)
    await fleet.cut_connections()
    paper.publish()
    await fleet.all_arrive(titles, PEOPLE, 90)
    await fleet.judge(titles, PEOPLE)
    for name, bot in fleet.bots.items():
        if bot.process is not None and bot.process.returncode is None:
            assert await bot.stop() == 0, (name, bot.errors.read_text())
