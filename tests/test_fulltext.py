"""Full text over real sockets: which articles are fetched, under which limits, and what becomes of them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.fulltext import MOST, FullText
from bot.model import Feed, FeedId, ParsedEntry, ParsedFeed
from bot.sources.fetch import HttpFetcher
from bot.sources.worker import ParserProcess
from tests.hostile.server import Answer, HostileServer
from tests.world import World

pytest.importorskip("trafilatura", reason="the extra tocsin[fulltext] is not installed", exc_type=ImportError)

LONG = "The launcher was seen near the harbour on Monday evening, residents and two officials said. " * 5


def page(text: str, extra: str = "") -> bytes:
    paragraphs = "".join(f"<p>{text} {n}</p>" for n in range(3))
    return (
        f"<!doctype html><html><head><title>T</title></head><body><nav>Home Contact</nav><article><h1>T</h1>{paragraphs}"
        f"</article><footer>Subscribe to our newsletter</footer>{extra}</body></html>"
    ).encode()


class Scene:
    def __init__(self, world: World, press: HostileServer) -> None:
        self.world, self.press = world, press
        self.fetcher = HttpFetcher(allow_private=["127.0.0.1/32"], user_agent="t", deadline=2.0)
        self.reader = ParserProcess(workers=1)
        self.full = FullText(store=world.store, fetcher=self.fetcher, reader=self.reader, wanted=world.ingest.wanted)
        self.feed = Feed(FeedId(press.url("/feed")), "North Wire", fulltext=True)

    def item(self, path: str, summary: str = "") -> ParsedEntry:
        return ParsedEntry(f"Report {path}", self.press.url(path), path, summary, language="en")

    async def poll(self, *items: ParsedEntry) -> ParsedFeed:
        """Enriched and taken in, as one poll does."""
        now = self.world.clock.now()
        [leased] = [x for x in await self.world.store.claim_feeds(now, 60, 99, force=True) if x.feed.id == self.feed.id]
        parsed = await self.full(leased, ParsedFeed("North Wire", items))
        await self.world.ingest(leased, replace(leased.state, last_parsed=now), parsed)
        return parsed


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    world = await World(tmp_path).open()
    with HostileServer() as press:
        one = Scene(world, press)
        await world.store.sync_feeds([one.feed], world.clock.now())
        yield one
        await one.fetcher.close()
        await one.reader.close()
    await world.store.close()


async def test_a_keyword_of_the_article_rings(scene: Scene) -> None:
    """The feed has a headline; the word stands in the article: it rings, once, and later polls change nothing."""
    scene.press.pages["/a"] = Answer(page(LONG), headers={"Content-Type": "text/html"})
    await scene.poll(scene.item("/old"))
    assert scene.press.hits == [], "a baseline is not fetched"
    await scene.world.say("/subscribe launcher")
    for _ in range(3):
        await scene.poll(scene.item("/a"), scene.item("/old"))
        await scene.world.deliver()
    assert len(scene.world.sends()) == 1
    assert len(scene.press.hits) == 1
    [entry] = await scene.world.store.entries_by_link(scene.press.url("/a"))
    assert entry.content.count("launcher") == 15
    assert "newsletter" not in entry.content
    assert "Contact" not in entry.content


async def test_only_short_or_matching_entries_are_fetched(scene: Scene) -> None:
    """An entry that says enough is left alone, unless somebody follows what it is about."""
    scene.press.pages["/a"] = scene.press.pages["/b"] = Answer(page(LONG), headers={"Content-Type": "text/html"})
    await scene.poll()
    await scene.world.say("/subscribe ferry")
    dull = "Council meets on budget questions again, and nothing was decided this week either. " * 10
    parsed = await scene.poll(
        scene.item("/a", summary=dull),
        scene.item("/b", summary=dull + " A ferry ran aground."),
        replace(scene.item(""), link=""),
    )
    assert [hit.path for hit in scene.press.hits] == ["/b"]
    assert [bool(one.content) for one in parsed.entries] == [False, True, False]


async def test_other_sources_are_left_alone(scene: Scene) -> None:
    """It is asked for source by source."""
    scene.feed = replace(scene.feed, fulltext=False)
    await scene.world.store.sync_feeds([scene.feed], scene.world.clock.now())
    await scene.poll()
    await scene.poll(scene.item("/a"))
    assert scene.press.hits == []


async def test_articles_are_under_the_limits_of_feeds(scene: Scene) -> None:
    """Private addresses, endless bodies, bombs, binaries and pages that jam a parser: the entry stays as the feed gave it."""
    await scene.poll()
    scene.press.pages["/bin"] = Answer(bytes(range(256)) * 100)
    scene.press.pages["/deep"] = Answer(b"<div>" * 300_000)
    with HostileServer("127.0.0.2") as canary:
        away = replace(scene.item("/x"), link=canary.url("/ok"), guid="away")
        hop = scene.item("/redir?to=" + canary.url("/ok"))
        items = [away, hop, *map(scene.item, ("/huge", "/gzipbomb", "/bin", "/deep", "/status?code=404", "/hang"))]
        parsed = await scene.poll(*items)
        assert canary.connections == 0
    assert all(not one.content for one in parsed.entries[:4])
    assert all(len(one.content) < 60_000 for one in parsed.entries)
    assert len(await scene.world.store.entries_since(scene.world.clock.now())) == 8


async def test_a_burst_is_bounded(scene: Scene) -> None:
    """A feed that is refilled with a hundred new entries does not make a hundred requests."""
    await scene.poll()
    await scene.poll(*[scene.item(f"/{n}") for n in range(100)])
    assert len(scene.press.hits) == MOST
