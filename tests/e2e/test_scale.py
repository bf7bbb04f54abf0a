"""Two pollers, two ingesters and three deliverers on one PostgreSQL, as three processes, while things break.

The long form, with a process a role, is tests/soak/crash_fleet.py.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.model import ChatId
from bot.store import open_store
from tests.chats.rig import eventually
from tests.e2e.fleet import Fleet, Newspaper, headlines
from tests.e2e.process import Bot
from tests.e2e.replay import Publisher, document
from tests.emulators.slack_api import APP_TOKEN, BOT_TOKEN, SlackApi
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
    await fleet.kill(await fleet.elected("ingest"))
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


async def test_two_processes_share_the_events_of_slack(tmp_path: Path, postgres: Cluster) -> None:
    """Both keep a socket open, Slack gives each event to one of them, and each is answered once, though it is repeated on
    the other; so is what comes when one is killed.
    """
    config = (
        f'[store]\nurl = "{postgres.dsn}"\n[slack]\nbot_token = "{BOT_TOKEN}"\napp_token = "{APP_TOKEN}"\n'
        'base_url = "{}"\n[[source]]\nurl = "http://127.0.0.1:9/feed.xml"\n'
    )
    async with SlackApi() as slack:
        slack.channel("C1")
        bots = []
        try:
            for number in (1, 2):
                folder = tmp_path / str(number)
                folder.mkdir()
                bots.append(Bot(folder, config.format(slack.base_url)))
                await bots[-1].start("--role", "chat", stdin="")
            await eventually(lambda: slack.state()["sockets"] == 2, 60)

            async def say(user: str, query: str) -> None:
                slack.person(user)
                slack.im(user, f"D{user}")
                slack.dm(f"subscribe {query}", user)
                await eventually(lambda: slack.shown(f"D{user}"), 60)

            await asyncio.gather(*(say(f"U{n}", f"lighthouse{n}") for n in range(6)))
            events = slack.log.of("(envelope)")
            assert {call["socket"] for call in events} == {events[0]["socket"], events[1]["socket"]}
            assert events[0]["socket"] != events[1]["socket"]
            for number in reversed(range(6)):  # Slack repeats what it holds for unanswered, on the other socket
                slack.again(number)
            await eventually(lambda: all(call["ok"] for call in slack.log.of("(envelope)")), 30)
            assert all(
                one["socket"] != two["socket"]
                for one, two in zip(events, slack.log.of("(envelope)")[:5:-1], strict=True)
            )
            await bots[0].kill()
            await eventually(lambda: slack.state()["sockets"] == 1, 30)
            await asyncio.gather(*(say(f"U{n}", f"lighthouse{n}") for n in range(6, 8)))
            await asyncio.sleep(1.0)
            assert [len(slack.shown(f"DU{n}")) for n in range(8)] == [1] * 8
            assert await bots[1].stop() == 0
        finally:
            for bot in bots:
                await bot.kill()
    store = await open_store(postgres.dsn)
    subscriptions = [s.query for n in range(8) for s in await store.subscriptions(ChatId("slack", f"DU{n}"))]
    await store.close()
    assert sorted(subscriptions) == [f"lighthouse{n}" for n in range(8)]
