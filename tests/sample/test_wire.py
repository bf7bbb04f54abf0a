import re
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bot.model import Entry, EntryId, FeedId, Kind, ParsedEntry, ParsedFeed
from bot.sample.news import EDITIONS, OUTLETS, Report
from bot.sample.wire import SampleWire
from bot.sources.parse import parse
from bot.stories.cluster import StoryIndex
from bot.subscriptions.match import document, matches
from bot.subscriptions.query import parse_query

START = datetime(2026, 5, 12, 14, 2, tzinfo=UTC)


class HandClock:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


async def test_a_feed_begins_with_old_news_and_then_follows_the_clock() -> None:
    """The first poll is the baseline and can't ring; what comes after it does, however late the first poll was."""
    clock = HandClock()
    wire = SampleWire(clock, edition=0)
    await wire.start()
    try:
        clock.time += timedelta(seconds=30)
        first = await polled(wire)
        second = await polled(wire)
        clock.time += timedelta(seconds=200)
        last = await polled(wire)
    finally:
        await wire.close()

    assert [len(feed.entries) for feed in first] == [1] * 5
    assert sum(len(feed.entries) for feed in second) > 8
    assert sum(len(feed.entries) for feed in last) == len(EDITIONS[0])
    assert {e.guid for f in first for e in f.entries} <= {e.guid for f in last for e in f.entries}
    before, after = (find(feeds, "Monitors") for feeds in (second, last))
    assert before.guid == after.guid
    assert before.title != after.title
    assert all(feed.title == outlet.name for feed, outlet in zip(last, OUTLETS, strict=True))
    assert all(e.published and e.published <= clock.time for f in last for e in f.entries)
    assert any(e.captions for f in last for e in f.entries)


async def polled(wire: SampleWire) -> list[ParsedFeed]:
    """Every feed of the wire, fetched and parsed."""
    found = []
    async with aiohttp.ClientSession() as session:
        for feed in wire.feeds():
            async with session.get(feed.id) as response:
                parsed = parse(await response.read(), response.headers["Content-Type"], feed.id)
                assert isinstance(parsed, ParsedFeed)
                found.append(parsed)
    return found


def find(feeds: list[ParsedFeed], beginning: str) -> ParsedEntry:
    """The entry whose headline begins so."""
    return next(e for f in feeds for e in f.entries if e.title.startswith(beginning))


async def test_an_unchanged_feed_answers_304_and_links_lead_somewhere() -> None:
    """The sample behaves as a good publisher does, and a newcomer can open the links it prints."""
    wire = SampleWire(HandClock(), edition=0)
    await wire.start()
    try:
        async with aiohttp.ClientSession() as session:
            url = wire.feeds()[0].id
            async with session.get(url) as first:
                tag = first.headers["ETag"]
            async with session.get(url, headers={"If-None-Match": tag}) as second:
                assert second.status == 304
            for path, status in (("monitors-enter", 200), ("nothing", 404)):
                async with session.get(url.replace("feed", path)) as page:
                    assert page.status == status
            async with session.get(url.replace("north-wire", "x")) as page:
                assert page.status == 404
    finally:
        await wire.close()
    assert [feed.origin for feed in wire.feeds()] == ["sample"] * 5
    await wire.close()


def entries(edition: tuple[Report, ...]) -> list[tuple[Report, Entry]]:
    """The edition's reports as entries in order of arrival."""
    found = []
    names = {outlet.slug: outlet.name for outlet in OUTLETS}
    for report in sorted(edition, key=lambda r: r.at):
        seen = START + timedelta(seconds=report.at)
        entry = Entry(
            id=EntryId(f"{report.outlet}/{report.slug}"),
            feed=FeedId(report.outlet),
            source=names[report.outlet],
            title=report.title,
            link=f"https://{report.outlet}.example/{report.slug}",
            guid=report.slug,
            summary=f"{report.text}\nRead more at {names[report.outlet]}",
            captions=(report.caption,) if report.caption else (),
            seen=seen,
            published=seen,
            language="en",
        )
        found.append((report, entry))
    return found


@pytest.mark.parametrize("number", range(len(EDITIONS)))
def test_an_edition_tells_what_a_newcomer_should_see(number: int) -> None:
    """Within 8 s something rings, within 30 s it grew and developed; the look-alike and the rest stay apart."""
    index = StoryIndex()
    placed = [(report, entry, index.place(entry)) for report, entry in entries(EDITIONS[number])]
    live = [item for item in placed if item[0].at > 0]
    wanted = [parse_query("Idlib"), parse_query("S-300")]
    rings = [item for item in live if any(matches(query, document(item[1])) for query in wanted)]

    event = rings[0][2].story
    told = [(report, placement.kind) for report, _, placement in live if placement.story == event]
    assert rings[0][0].at <= 5
    assert len({report.outlet for report, _ in told if report.at <= 30}) >= 4
    assert [kind for report, kind in told if report.at <= 30].count(Kind.DEVELOPMENT) == 1
    assert len({placement.story for _, _, placement in rings}) >= 5
    assert any(report.corrected for report, _, _ in live)
    lookalike = next(report for report, _, placement in rings if report.at > 30 and placement.kind is Kind.FIRST)
    assert set(re.findall(r"\w+", lookalike.title)) & set(re.findall(r"\w+", rings[0][0].title)) > {"Idlib"}
    assert 12 <= len(live) <= 16
    assert max(report.at for report, _, _ in live) <= 180


def test_editions_share_nothing() -> None:
    """A second start within three days brings news that the first did not have, so it rings again."""
    index = StoryIndex()
    stories = [{index.place(entry).story for _, entry in entries(edition)} for edition in EDITIONS]

    assert sum(map(len, stories)) == len(set().union(*stories))
