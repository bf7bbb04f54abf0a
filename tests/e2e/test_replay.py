"""Four recorded days of real outlets through the real flows: everything once, nothing twice, restarts included."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from bot.stories.summary import Habits
from bot.subscriptions.match import document, matches

from bot.alerts.pace import Pacer
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
    ParsedFeed,
    Subscription,
    SubscriptionId,
)
from bot.poll import Poller
from bot.sources.fetch import HttpFetcher
from bot.sources.parse import parse
from bot.sources.schedule import PollPolicy
from bot.sources.worker import ParserProcess
from bot.store import open_store
from bot.subscriptions.query import parse_query
from tests.e2e.replay import Publisher, recordings
from tests.fakes import FakeClock, RecordingMessenger

CHAT = ChatId("telegram", "1")
QUERIES = ("coronavirus", '"Boris Johnson"', "Trump -Twitter", "lockdown OR quarantine", "Afghanistan")
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def published(bodies: dict[str, list[bytes]]) -> dict[str, set[str]]:
    """Outlet → every address it ever carried, read by the parser alone."""
    found: dict[str, set[str]] = {}
    for outlet, documents in bodies.items():
        for body in documents:
            feed = parse(body, "application/rss+xml", "http://127.0.0.1/")
            assert isinstance(feed, ParsedFeed)
            found.setdefault(outlet, set()).update(entry.link for entry in feed.entries)
    return found


def check_entries(entries: list[Entry], bodies: dict[str, list[bytes]], url_of: dict[str, str]) -> None:
    """Every address that an outlet carried was taken in, and none twice under the same headline."""
    for outlet, links in published(bodies).items():
        mine = [e for e in entries if e.feed == url_of[outlet]]
        assert links == {e.link for e in mine}, outlet
        twice = [key for key, count in Counter((e.link, e.title) for e in mine).items() if count > 1]
        assert not twice, outlet


def check_alerts(entries: list[Entry], rows: list[Delivery]) -> None:
    """What was alerted is what the entries and the queries say, no more and no less."""
    queries = [parse_query(text) for text in QUERIES]
    owed = {e.story for e in entries if not e.baseline and any(matches(q, document(e)) for q in queries)}
    rung = [row.story for row in rows if row.kind is DeliveryKind.RING]
    assert len(rung) == len(set(rung))
    assert owed == set(rung)
    assert all(row.state in (DeliveryState.SENT, DeliveryState.FOLDED) for row in rows)


@pytest.fixture(scope="module")
def recorded() -> dict[str, list[tuple[datetime, bytes]]]:
    found = recordings()
    if found is None:
        pytest.skip("the recorded polls of the data folder are not here")
    return found


@pytest.mark.slow
async def test_four_days_on_a_fake_clock(recorded: dict[str, list[tuple[datetime, bytes]]], tmp_path: Path) -> None:
    """Poll by poll in recorded time, with a restart of everything after every tenth poll."""
    bodies = {outlet: [body for _, body in polls] for outlet, polls in recorded.items()}
    publisher = await Publisher(bodies).start()
    moments = sorted({at for polls in recorded.values() for at, _ in polls})
    clock = FakeClock(moments[0])
    chat = RecordingMessenger("telegram", clock)
    store = await open_store(f"tinydb:///{tmp_path / 'store.json'}")
    await store.put_chat(Chat(CHAT))
    for query in QUERIES:
        await store.add_subscription(Subscription(SubscriptionId(0), CHAT, query, clock.now()))
    fetcher = HttpFetcher(allow_private=True, user_agent="Tocsin-test")
    parser = ParserProcess()
    try:
        await store.sync_feeds([Feed(FeedId(publisher.url(outlet)), name=outlet) for outlet in bodies], clock.now())
        for number, moment in enumerate(moments):
            for outlet, polls in recorded.items():
                publisher.at[outlet] = max(0, sum(at <= moment for at, _ in polls) - 1)
            clock.advance(max(0.0, (moment - clock.now()).total_seconds()))
            if number % 10 == 0:
                await store.close()
                store = await open_store(f"tinydb:///{tmp_path / 'store.json'}")
                deliverer = Deliverer(
                    store=store, messengers={"telegram": chat}, clock=clock, rng=Random(1), habits=Habits(),
                    away=None, pacer=Pacer(), fault=lambda _: None,
                )  # fmt: skip
                ingest = Ingest(
                    store=store, clock=clock, wake=deliverer.wake, owners={}, habits=Habits(), fault=lambda _: None
                )
                poller = Poller(
                    store=store, fetcher=fetcher, parser=parser, ingest=ingest, clock=clock, rng=Random(1),
                    policy=PollPolicy(interval=600),
                )  # fmt: skip
            await poller.poll_everything()
            await deliverer.drain()
        clock.advance(timedelta(hours=1).total_seconds())
        await deliverer.drain()
        entries = await store.entries_since(BEGINNING)
        rows = await store.deliveries(CHAT, list({e.story for e in entries}))
        check_entries(entries, bodies, {outlet: publisher.url(outlet) for outlet in bodies})
        check_alerts(entries, rows)
        assert len(entries) > 1500
    finally:
        await fetcher.close()
        await parser.close()
        await store.close()
        await publisher.stop()
