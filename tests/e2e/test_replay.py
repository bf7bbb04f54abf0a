"""Four recorded days of real outlets through the real flows: everything once, nothing twice, restarts included."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random

import pytest

from bot.alerts.account import account
from bot.deliver import Deliverer
from bot.ingest import Ingest
from bot.model import (
    Chat,
    ChatId,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Entry,
    Feed,
    FeedId,
    Message,
    Mute,
    ParsedEntry,
    ParsedFeed,
    Refused,
    SendOutcome,
    Story,
    Subscription,
    SubscriptionId,
)
from bot.pace import LocalPace
from bot.poll import Poller
from bot.ports import Store
from bot.sources.fetch import HttpFetcher
from bot.sources.parse import parse
from bot.sources.schedule import PollPolicy
from bot.sources.worker import ParserProcess
from bot.store import open_store
from bot.stories.summary import Habits
from bot.subscriptions.match import document, matches
from bot.subscriptions.query import parse_query
from tests.e2e.account import Witness, assert_accounted
from tests.e2e.replay import Publisher, recordings
from tests.fakes import FakeClock, RecordingMessenger

CHAT = ChatId("telegram", "1")
QUERIES = ("coronavirus", '"Boris Johnson"', "Trump -Twitter", "lockdown OR quarantine", "Afghanistan")
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def versions(bodies: list[bytes]) -> list[ParsedEntry]:
    """Every item in every wording that an outlet ever carried, read by the parser alone."""
    found: dict[ParsedEntry, None] = {}
    for body in bodies:
        feed = parse(body, "application/rss+xml", "http://127.0.0.1/")
        assert isinstance(feed, ParsedFeed)
        found |= dict.fromkeys(feed.entries)
    return list(found)


async def every_story(store: Store, entries: list[Entry]) -> list[Story]:
    """The stories of these entries, and those that were merged into them."""
    standing = await store.stories(list({e.story for e in entries}))
    return [*standing, *await store.stories([name for story in standing for name in story.merged])]


def judge(entries: list[Entry], rows: list[Delivery], stories: list[Story], bodies: dict[str, list[bytes]]) -> None:
    """Every article was taken in once, and what was alerted is what the articles and the queries say."""
    queries = [parse_query(text) for text in QUERIES]

    def wanted(entry: Entry) -> bool:
        prepared = document(entry)
        return any(matches(query, prepared) for query in queries)

    could_ring = set()
    for outlet, documents in bodies.items():
        mine = {e.link: e for e in entries if e.source == outlet}
        worded = versions(documents)
        assert {item.link for item in worded} == mine.keys(), outlet
        twice = [k for k, n in Counter((e.link, e.title) for e in entries if e.source == outlet).items() if n > 1]
        assert not twice, outlet
        for item in worded:
            entry = mine[item.link]
            # an outlet may edit a keyword away after it rang, and in before
            if wanted(replace(entry, title=item.title, summary=item.summary, content=item.content)):
                could_ring.add(entry.story)
    must_ring = {e.story for e in entries if not e.baseline and wanted(e)}
    # an alert keeps the name that its story had when it rang
    heir = {story.id: story.merged_into or story.id for story in stories}
    names = [row.story for row in rows if row.kind is DeliveryKind.RING]
    assert len(names) == len(set(names))
    rung = {heir[name] for name in names}
    assert must_ring <= rung <= could_ring
    assert len(must_ring) > 5
    assert {row.state for row in rows} <= {DeliveryState.SENT, DeliveryState.FOLDED}


@pytest.fixture(scope="module")
def recorded() -> dict[str, list[tuple[datetime, bytes]]]:
    found = recordings()
    if found is None:
        pytest.skip("the recorded polls of the data folder are not here")
    return found


#: chats whose account must add up whatever they do: (settings, queries)
OTHERS = (
    (Chat(ChatId("telegram", "-2"), quiet=(time(20), time(7))), ("Brexit",)),
    (Chat(ChatId("telegram", "3"), digest="daily 08:00"), ("Trump", "Johnson min:2")),
    (Chat(ChatId("telegram", "4")), ("Trump", "coronavirus")),
    (Chat(ChatId("telegram", "5")), ("Trump",)),
)
PAUSING, FAILING = OTHERS[2][0].id, OTHERS[3][0].id


class Moody(RecordingMessenger):
    """Refuses every third message of one chat for good."""

    async def send(self, chat: ChatId, message: Message, reply_to: str = "") -> SendOutcome:
        if chat == FAILING and len(message.text) % 3 == 0:
            return Refused("the text can't be read")
        return await super().send(chat, message, reply_to)


async def disturb(store: Store, number: int, now: datetime) -> None:
    """People pause, mute and come back while the news goes on."""
    known = await store.chat(PAUSING)
    assert known is not None
    await store.put_chat(replace(known, paused_until=now + timedelta(hours=9) if number % 3 == 2 else None))
    if number % 6 == 4:
        for story in (await store.open_stories(now - timedelta(hours=12)))[::3]:
            await store.mute(Mute(PAUSING, story.id, now))


@pytest.mark.slow
async def test_four_days_on_a_fake_clock(recorded: dict[str, list[tuple[datetime, bytes]]], tmp_path: Path) -> None:
    """Poll by poll in recorded time, with a restart of everything after every tenth poll. Beside the chat that must
    get everything there are others that pause, mute, sleep, collect and refuse: their accounts add up to the unit.
    """
    bodies = {outlet: [body for _, body in polls] for outlet, polls in recorded.items()}
    publisher = await Publisher(bodies).start()
    moments = sorted({at for polls in recorded.values() for at, _ in polls})
    clock = FakeClock(moments[0])
    chat = Moody("telegram", clock)
    store = await open_store(f"tinydb:///{tmp_path / 'store.json'}")
    await store.put_chat(Chat(CHAT))
    for query in QUERIES:
        await store.add_subscription(Subscription(SubscriptionId(0), CHAT, query, clock.now()))
    for settings, queries in OTHERS:
        await store.put_chat(settings)
        for query in queries:
            parsed = parse_query(query)
            await store.add_subscription(
                Subscription(SubscriptionId(0), settings.id, query, clock.now(), min_outlets=parsed.min_outlets or 1)
            )
    chats = [CHAT, *(settings.id for settings, _ in OTHERS)]
    witness = Witness([s for chat_id in chats for s in await store.subscriptions(chat_id)])
    witness.watch(store)
    fetcher = HttpFetcher(allow_private=True, user_agent="Tocsin-test")
    parser = ParserProcess()

    def flows(store: Store) -> tuple[Poller, Deliverer]:
        deliverer = Deliverer(
            store=store, messengers={"telegram": chat}, clock=clock, rng=Random(1), habits=Habits(),
            away=None, pace=LocalPace(clock), fault=lambda _: None,
        )  # fmt: skip
        ingest = Ingest(store=store, clock=clock, wake=deliverer.wake, owners={}, habits=Habits(), fault=lambda _: None)
        poller = Poller(
            store=store, fetcher=fetcher, parser=parser, ingest=ingest, clock=clock, rng=Random(1),
            policy=PollPolicy(interval=600),
        )  # fmt: skip
        return poller, deliverer

    poller, deliverer = flows(store)
    try:
        await store.sync_feeds([Feed(FeedId(publisher.url(outlet)), name=outlet) for outlet in bodies], clock.now())
        for number, moment in enumerate(moments):
            for outlet, polls in recorded.items():
                publisher.at[outlet] = max(0, sum(at <= moment for at, _ in polls) - 1)
            clock.advance(max(0.0, (moment - clock.now()).total_seconds()))
            if number % 10 == 0:
                await store.close()
                store = await open_store(f"tinydb:///{tmp_path / 'store.json'}")
                witness.watch(store)
                poller, deliverer = flows(store)
            await poller.poll_everything()
            await disturb(store, number, clock.now())
            if number % 20 == 3:
                await assert_accounted(store, witness, chats)
            await deliverer.drain()
        clock.advance(timedelta(hours=1).total_seconds())
        await deliverer.drain()
        entries = await store.entries_since(BEGINNING)
        stories = await every_story(store, entries)
        rows = await store.deliveries(CHAT, [story.id for story in stories])
        judge(entries, rows, stories, bodies)
        assert len(entries) > 1500
        await assert_accounted(store, witness, chats)
        whole = account(await store.counts(None, BEGINNING))
        assert min(whole.rung, whole.grown, whole.folded, whole.held, whole.muted, whole.failed, whole.joined) > 0
        assert len(witness.matched) > 300
    finally:
        await fetcher.close()
        await parser.close()
        await store.close()
        await publisher.stop()
