import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from bot.errors import LeaseLost, StoreError, StoreFull
from bot.model import (
    Feed,
    FeedGone,
    FeedId,
    FeedState,
    Fetched,
    FetchFailed,
    FetchOutcome,
    LeasedFeed,
    NotModified,
    ParsedFeed,
    ParseFailed,
    Selectors,
    Validators,
)
from bot.poll import Poller
from bot.poll.feed import poll_feed
from bot.sources.fetch import HttpFetcher
from bot.sources.schedule import PollPolicy
from bot.sources.worker import ParserProcess
from bot.store.tiny import TinyStore, open_tiny
from tests.fakes import FakeClock
from tests.hostile import documents
from tests.hostile.server import Answer, HostileServer


class FakeFetcher:
    """Answers by address; what is not named hangs until `release` is set."""

    def __init__(self, outcomes: dict[str, FetchOutcome] | None = None) -> None:
        self.outcomes = outcomes or {}
        self.release = asyncio.Event()
        self.asked: list[tuple[str, Validators, str]] = []
        self.running = 0
        self.peak = 0

    async def fetch(self, url: str, validators: Validators, body_hash: str) -> FetchOutcome:
        self.asked.append((url, validators, body_hash))
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            if url not in self.outcomes:
                await self.release.wait()
            await asyncio.sleep(0)
            return self.outcomes.get(url, NotModified(Validators()))
        finally:
            self.running -= 1

    async def close(self) -> None: ...


class FakeParser:
    """Gives a feed with the body for its title; a body that says "no" is none."""

    async def parse(
        self, body: bytes, content_type: str, url: str, selectors: Selectors | None = None
    ) -> ParsedFeed | ParseFailed:
        return ParseFailed("this is not a feed") if body == b"no" else ParsedFeed(body.decode(), ())

    async def close(self) -> None: ...


class World:
    """A store, a clock, and an ingest that keeps the state and remembers what it was given."""

    def __init__(self, store: TinyStore) -> None:
        self.store = store
        self.clock = FakeClock()
        self.taken: list[tuple[LeasedFeed, FeedState, ParsedFeed]] = []
        self.refuse: Exception | None = None

    async def ingest(self, leased: LeasedFeed, state: FeedState, parsed: ParsedFeed) -> int:
        if self.refuse is not None:
            raise self.refuse
        self.taken.append((leased, state, parsed))
        await self.store.save_feed(state, leased.epoch)
        return len(parsed.entries)

    async def list(self, *urls: str) -> None:
        await self.store.sync_feeds([Feed(FeedId(url)) for url in urls], self.clock.now())

    async def state(self, url: str) -> FeedState:
        return next(state for feed, state in await self.store.feeds() if feed.id == url)

    async def poll(self, fetcher: FakeFetcher, leased: LeasedFeed) -> FetchOutcome:
        return await poll_feed(
            leased, fetcher=fetcher, parser=FakeParser(), ingest=self.ingest, store=self.store, clock=self.clock,
            rng=random.Random(1), policy=PollPolicy(),
        )  # fmt: skip

    def poller(
        self, fetcher: FakeFetcher | HttpFetcher, parser: FakeParser | ParserProcess | None = None, slots: int = 64
    ) -> Poller:
        return Poller(
            store=self.store, fetcher=fetcher, parser=parser or FakeParser(), ingest=self.ingest, clock=self.clock,
            rng=random.Random(1), policy=PollPolicy(), slots=slots,
        )  # fmt: skip

    async def claim(self) -> LeasedFeed:
        (leased,) = await self.store.claim_feeds(self.clock.now(), 300, 10)
        return leased


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = await open_tiny(tmp_path / "store.json")
    yield World(store)
    await store.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.001)


A, B = "https://a.example.org/feed", "https://b.example.org/feed"
GOOD = Fetched(b"Herald", "text/xml", Validators("e"), A, body_hash="h")


async def test_a_poll_from_claim_to_commit(world: World) -> None:
    """The first poll hands on the old state, which says that it is the baseline, and the new one to commit."""
    await world.list(A)
    assert await world.poll(FakeFetcher({A: GOOD}), await world.claim()) == GOOD
    ((leased, state, parsed),) = world.taken
    assert leased.state.last_parsed is None
    assert (state.last_parsed, state.body_hash, state.validators) == (world.clock.now(), "h", Validators("e"))
    assert parsed.title == "Herald"
    assert await world.state(A) == state


async def test_the_next_poll_is_conditional(world: World) -> None:
    """Validators and hash go back to the server; an unchanged answer is stored without parser or ingest."""
    await world.list(A)
    await world.poll(FakeFetcher({A: GOOD}), await world.claim())
    world.clock.advance(3600)
    fetcher = FakeFetcher({A: NotModified(Validators("e"))})
    await world.poll(fetcher, await world.claim())
    assert fetcher.asked == [(A, Validators("e"), "h")]
    assert len(world.taken) == 1
    assert (await world.state(A)).last_ok == world.clock.now()


async def test_a_moved_feed_is_fetched_where_it_is_now(world: World) -> None:
    """The believed new address is fetched; the feed keeps its name."""
    await world.list(A)
    leased = await world.claim()
    fetcher = FakeFetcher({B: GOOD})
    await world.poll(fetcher, replace(leased, state=replace(leased.state, url=B)))
    assert fetcher.asked[0][0] == B
    assert (await world.state(A)).url == B


@pytest.mark.parametrize("outcome", [FetchFailed("500", status=500), replace(GOOD, body=b"no")])
async def test_trouble_is_a_state_not_an_exception(world: World, outcome: FetchOutcome) -> None:
    """What fails is stored with its reason and since when, and ends the lease."""
    await world.list(A)
    result = await world.poll(FakeFetcher({A: outcome}), await world.claim())
    state = await world.state(A)
    assert isinstance(result, FetchFailed)
    assert (state.failures, state.error, state.failing_since) == (1, result.reason, world.clock.now())
    assert await world.store.claim_feeds(state.next_poll, 300, 10) != []


async def test_a_lost_lease_is_dropped(world: World) -> None:
    """The late holder's work is not recorded, and nobody hears of it."""
    await world.list(A)
    late = await world.claim()
    world.clock.advance(301)
    now = await world.claim()
    await world.poll(FakeFetcher({A: FetchFailed("500", status=500)}), late)
    assert (await world.state(A)).failures == 0
    world.refuse = LeaseLost("taken over")
    await world.poll(FakeFetcher({A: GOOD}), late)
    world.refuse = None
    await world.poll(FakeFetcher({A: GOOD}), now)
    assert (await world.state(A)).title == "Herald"


async def test_a_store_that_is_away_for_a_while_costs_no_source_its_lease(world: World) -> None:
    """I6: a database that fails over takes half a minute; what was in hand is not to wait five minutes for its lease."""
    await world.list(A)
    poller = world.poller(FakeFetcher({A: GOOD}))
    world.refuse = StoreError("away")
    real = world.store.save_feed

    async def away(*_: object) -> None:
        raise StoreError("away")

    world.store.save_feed = away  # type: ignore[method-assign,assignment]
    await poller.tick()
    await until(lambda: poller.counts.failed == 1 and not poller._tasks)
    world.clock.advance(10)
    with pytest.raises(StoreError):
        await poller.tick()
    world.refuse = None
    world.store.save_feed = real  # type: ignore[method-assign]
    world.clock.advance(21)
    await poller.tick()
    await until(lambda: poller.counts.polled == 1)
    assert len(world.taken) == 1


async def test_a_full_disk_is_counted_and_the_feed_polled_again(world: World) -> None:
    """StoreFull ends no poller: half a minute later the next poll brings everything, long before the lease runs out."""
    await world.list(A)
    poller = world.poller(FakeFetcher({A: GOOD}))
    world.refuse = StoreFull("no space left")
    await poller.tick()
    await until(lambda: poller.counts.failed == 1)
    await until(lambda: not poller._tasks)  # the count comes before the new time is on disk
    world.refuse = None
    world.clock.advance(29)
    await poller.tick()
    assert poller.counts.polled == 0
    world.clock.advance(2)
    await poller.tick()
    await until(lambda: poller.counts.polled == 1)
    assert len(world.taken) == 1


async def test_one_hanging_source_delays_no_other(world: World) -> None:
    """While one source hangs every other is polled, tick after tick."""
    await world.list("https://hang.example.org/", A, B)
    fetcher = FakeFetcher({A: GOOD, B: FetchFailed("500", status=500)})
    poller = world.poller(fetcher)
    await poller.tick()
    await until(lambda: poller.counts.polled == 2)
    world.clock.advance(7200)
    await poller.tick()
    await until(lambda: poller.counts.polled == 4)
    assert (poller.counts.failed, fetcher.running) == (2, 1)
    fetcher.release.set()
    await poller.drain(1)


async def test_more_due_than_slots(world: World) -> None:
    """Slots bound what runs at once; what was left is claimed as slots fall free, without waiting for a tick."""
    urls = [f"https://h{i}.example.org/" for i in range(50)]
    await world.list(*urls)
    fetcher = FakeFetcher(dict.fromkeys(urls, GOOD))
    poller = world.poller(fetcher, slots=4)
    await poller.tick()
    await until(lambda: poller.counts.polled == 50)
    assert fetcher.peak <= 4
    await poller.drain(1)


async def test_row_66_a_host_with_many_feeds_leaves_room_for_others(world: World) -> None:
    """Row 66: two of a busy host's feeds run, the rest take turns as they end, and other hosts are not held up."""
    many = [f"https://big.example.org/{i}" for i in range(100)]
    await world.list(*many, A)
    fetcher = FakeFetcher({A: GOOD})
    poller = world.poller(fetcher, slots=8)
    await poller.tick()
    await until(lambda: poller.counts.polled == 1 or fetcher.running > 2)
    for _ in range(40):
        await poller.tick()
        await asyncio.sleep(0)
    await until(lambda: poller.counts.polled == 1)
    assert fetcher.running == 2
    fetcher.release.set()
    await until(lambda: poller.counts.polled == 101)
    assert {url for url, _, _ in fetcher.asked} == {*many, A}
    assert fetcher.peak <= 3
    await poller.drain(1)


async def test_feeds_that_wait_for_their_host_are_given_back_at_the_end(world: World) -> None:
    """A stop must not leave claimed feeds behind: the next start, or another machine, polls them at once."""
    many = [f"https://big.example.org/{i}" for i in range(10)]
    await world.list(*many)
    poller = world.poller(FakeFetcher({}), slots=8)
    await poller.tick()
    await poller.drain(0.01)
    again = await world.store.claim_feeds(world.clock.now(), 60, 100)
    assert len(again) >= 8


async def test_poll_everything(world: World) -> None:
    """`run --once` polls each source once, due or not, ill or not, and comes back with what it did."""
    urls = [f"https://h{i % 5}.example.org/{i}" for i in range(30)]
    await world.list(*urls)
    bad = FetchFailed("500", status=500)
    fetcher = FakeFetcher({url: bad if i % 10 == 0 else GOOD for i, url in enumerate(urls)})
    poller = world.poller(fetcher, slots=7)
    counts = await poller.poll_everything()
    assert (counts.polled, counts.failed) == (30, 3)
    assert fetcher.peak <= 7
    again = await poller.poll_everything()
    assert (again.polled, again.failed) == (30, 3)
    assert len(fetcher.asked) == 60


async def test_drain(world: World) -> None:
    """On shutdown nothing new starts, what ends in time is kept, what hangs is dropped and polled after the restart."""
    await world.list(A, "https://hang.example.org/")
    poller = world.poller(FakeFetcher({A: GOOD}))
    await poller.tick()
    await poller.drain(0.05)
    assert len(world.taken) == 1
    await poller.tick()
    assert poller.counts.polled == 1
    world.clock.advance(301)
    assert "https://hang.example.org/" in {
        leased.feed.id for leased in await world.store.claim_feeds(world.clock.now(), 300, 9)
    }


async def test_the_operator_hears_of_a_failure_as_it_ages(world: World) -> None:
    """One warning line at each age, never two in the same words, kept through the store; and one when it is over."""
    await world.list(A)
    failed = FetchFailed("500 Internal Server Error", status=500)
    fetcher = FakeFetcher({A: failed})
    with structlog.testing.capture_logs() as logs:
        for _ in range(16 * 24):
            if due := await world.store.claim_feeds(world.clock.now(), 300, 10):
                await world.poll(fetcher, due[0])
            world.clock.advance(3600)
        fetcher.outcomes[A] = GOOD
        world.clock.advance(86_400)
        await world.poll(fetcher, await world.claim())
    *failing, well = [line for line in logs if line["log_level"] == "warning"]
    ages = [line["lasting"] for line in failing if line["event"] == "source fails"]
    assert (len(failing), len(set(ages)), ages[-1]) == (5, 5, "2 weeks")
    assert (well["event"], well["after"]) == ("source is well again", "2 weeks")
    assert (await world.state(A)).told is None


async def test_a_feed_that_is_gone_is_told_once(world: World) -> None:
    """410 is the last answer that is asked for, so it is told at once."""
    await world.list(A)
    with structlog.testing.capture_logs() as logs:
        await world.poll(FakeFetcher({A: FeedGone()}), await world.claim())
    assert [line["log_level"] for line in logs] == ["warning"]


async def test_a_page_that_falls_silent_is_a_failure(world: World) -> None:
    """A page gives entries by the selectors that the store kept; with a new layout it fails, which people are told."""
    with HostileServer() as server:
        url = server.url("/news")
        feed = Feed(FeedId(url), selectors=Selectors("li"))
        await world.store.sync_feeds([feed], world.clock.now())
        fetcher, parser = HttpFetcher(allow_private=["127.0.0.1/32"], user_agent="t"), ParserProcess()
        poller = world.poller(fetcher, parser)
        server.pages["/news"] = Answer(b"<ul><li><a href=/1>Launcher seen</a><li><a href=/2>Gate closed</a></ul>")
        assert (await poller.poll_everything()).new == 2
        server.pages["/news"] = Answer(b"<div><a href=/1>Launcher seen</a><a href=/3>Gate open</a></div>")
        world.clock.advance(7200)
        await poller.poll_everything()
        await parser.close()
        await fetcher.close()
    state = await world.state(url)
    assert (state.failures, state.failing_since) == (1, world.clock.now())
    assert state.error == "nothing on the page matches 'li': it may have a new layout"


async def test_the_open_web(world: World) -> None:
    """All parts together: good, bad and hostile sources of one tick; only the good ones give entries, none disturbs."""
    with HostileServer() as server:
        server.pages["/comments"] = Answer(documents.comments(100_000))
        server.pages["/jam"] = Answer(documents.deep_xml(400_000))
        server.pages["/laughs"] = Answer(documents.laughs())
        server.pages["/page"] = Answer(b"<!doctype html><title>Log in</title>")
        paths = [
            "/ok",
            "/gzip",
            "/comments",
            "/jam",
            "/laughs",
            "/page",
            "/huge",
            "/drip",
            "/loop",
            "/status?code=410",
            "/304",
        ]
        await world.list(*(server.url(path) for path in paths), "http://127.0.0.2:1/", "https://nowhere.invalid/")
        fetcher = HttpFetcher(allow_private=["127.0.0.1/32"], user_agent="t", deadline=2.0, per_host=64)
        parser = ParserProcess(seconds=2.0)
        poller = world.poller(fetcher, parser)
        counts = await poller.poll_everything()
        await parser.close()
        await fetcher.close()
        states = {feed.id.removeprefix(server.url("")): state for feed, state in await world.store.feeds()}
        assert counts.polled == 13
        assert {path for path, state in states.items() if not state.error} == {
            "/ok",
            "/gzip",
            "/304",
            "/comments",
            "/laughs",
        }
        assert states["/status?code=410"].gone
        assert states["/page"].error == "this is a web page, not a feed"
        assert sum(len(parsed.entries) for _, _, parsed in world.taken) == 11
