from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

import pytest

from bot.dryrun import Found, Reader, grouped, placed, tries
from bot.errors import SourceError
from bot.model import Fetched, FetchFailed, FetchOutcome, ParsedEntry, ParsedFeed, Validators
from bot.sources.worker import ParserProcess
from bot.subscriptions.query import parse_query

NOW = datetime(2026, 5, 12, 14, 2, tzinfo=UTC)


class Pages:
    """A fetcher of pages that are given."""

    def __init__(self, **pages: bytes) -> None:
        self.pages = {f"https://{host}.example/": body for host, body in pages.items()}

    async def fetch(self, url: str, validators: Validators, body_hash: str) -> FetchOutcome:
        if url not in self.pages:
            return FetchFailed("404 Not Found", status=404)
        return Fetched(self.pages[url], "application/rss+xml", Validators(), url)

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
async def parser() -> AsyncIterator[ParserProcess]:
    """The real parser."""
    process = ParserProcess()
    yield process
    await process.close()


def rss(title: str, *items: tuple[str, str, str, str], captions: tuple[str, ...] = ()) -> bytes:
    """A feed of (guid, title, description, date) items."""
    parts = []
    for number, (guid, head, text, date) in enumerate(items):
        caption = f"<media:description>{escape(captions[number])}</media:description>" if captions else ""
        parts.append(
            f"<item><guid isPermaLink='false'>{guid}</guid><title>{escape(head)}</title><link>https://x.example/{guid}"
            f"</link><description>{escape(text)}</description>{f'<pubDate>{date}</pubDate>' if date else ''}"
            f"<media:content url='https://x.example/{guid}.jpg' medium='image'>{caption}</media:content></item>"
        )
    return (
        f"<rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/'><channel><title>{title}</title>"
        f"<language>en</language>{''.join(parts)}</channel></rss>"
    ).encode()


async def read(
    parser: ParserProcess,
    *sources: str,
    notes: list[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    **pages: bytes,
) -> list[Found]:
    """The entries of sources, read as the command does."""
    reader = Reader(
        Pages(**pages), parser, NOW, (notes if notes is not None else []).append, progress or (lambda *_: None)
    )
    return await reader.read(sources)


TUESDAY = "Tue, 12 May 2026 {}:00 GMT"
FEED = rss(
    "North Wire",
    ("g3", "Aid convoy turned back", "Lorries waited at the border.", TUESDAY.format("12:00")),
    ("g2", "Observers cross into Idlib", "Monitors from two countries entered Idlib.", TUESDAY.format("11:00")),
    ("g1", "Ferries change timetable", "The last boat leaves earlier.", TUESDAY.format("10:00")),
)


async def test_try_gives_the_contracted_keys_in_the_feeds_order(parser: ParserProcess, tmp_path: Path) -> None:
    """People script against these lines: their keys, their order, and the guid as id."""
    file = tmp_path / "feed.xml"
    file.write_bytes(FEED)

    found = await read(parser, str(file))
    records = list(tries(found, [parse_query("Idlib OR convoy")]))

    assert [list(record) for record in records] == [
        ["id", "title", "link", "published", "matched", "summary", "story"]
    ] * 2
    assert [record["id"] for record in records] == ["g3", "g2"]
    assert records[0]["matched"] == ["convoy"]
    assert records[1]["matched"] == ["Idlib"]
    assert records[1]["published"] == "2026-05-12T11:00:00+00:00"
    assert records[1]["link"] == "https://x.example/g2"
    assert records[1]["summary"] == "Monitors from two countries entered Idlib."
    assert records[0]["story"] != records[1]["story"]


async def test_urls_files_folders_and_opml_are_all_sources(parser: ParserProcess, tmp_path: Path) -> None:
    """SOURCE may be any of them, mixed; what a folder holds beside feeds is noted, not fatal."""
    folder = tmp_path / "feeds"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.xml").write_bytes(rss("A", ("1", "In a folder", "x", "")))
    (folder / "deep" / "b.xml").write_bytes(rss("", ("1", "Deep in a folder", "x", "")))
    (folder / "README").write_text("not a feed")
    (folder / ".hidden").write_text("not looked at")
    listed = tmp_path / "list.opml"
    listed.write_text(
        '<opml version="2.0"><body><outline type="rss" xmlUrl="https://one.example/"/>'
        '<outline type="rss" xmlUrl="https://gone.example/"/></body></opml>'
    )
    notes: list[str] = []
    steps: list[tuple[int, int]] = []

    found = await read(
        parser,
        "https://two.example/",
        str(folder),
        str(listed),
        notes=notes,
        progress=lambda done, total: steps.append((done, total)),
        one=rss("One", ("1", "Listed", "x", "")),
        two=rss("Two", ("1", "By address", "x", "")),
    )

    assert [(f.entry.source, f.entry.title) for f in found] == [
        ("Two", "By address"),
        ("A", "In a folder"),
        ("b", "Deep in a folder"),
        ("One", "Listed"),
    ]
    assert len(notes) == 2
    assert "README" in notes[0]
    assert "gone.example" in notes[1]
    assert steps[-1] == (6, 6)


def clutter() -> None:
    """Things here that are no feeds."""
    Path("page.html").write_text("<!doctype html><html><body>hello</body></html>")
    Path("empty").mkdir()
    Path("junk").mkdir()
    Path("junk/a").write_text("a")
    Path("junk/b").write_text("b")
    with Path("large.xml").open("wb") as large:
        large.truncate(10_000_001)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("https://gone.example/", r"gone\.example/: can't be fetched \(404 Not Found\)"),
        ("nowhere.xml", "nowhere.xml: there is no such file"),
        ("page.html", "page.html: can't be read"),
        ("empty", "empty: the folder is empty"),
        ("junk", "junk: nothing in it is a feed"),
        ("large.xml", "large.xml: is larger than 10 MB"),
    ],
)
async def test_a_named_source_that_cant_be_read_is_named(
    parser: ParserProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, message: str
) -> None:
    """The person typed it, so the command fails and says which and why."""
    monkeypatch.chdir(tmp_path)
    clutter()

    with pytest.raises(SourceError, match=message):
        await read(parser, source)


def entry(guid: str, title: str, summary: str = "", at: datetime | None = None) -> ParsedEntry:
    """An entry as the parser gives it."""
    return ParsedEntry(title, f"https://x.example/{guid}", guid, summary, published=at, language="en")


def test_stories_are_formed_in_order_of_publication_across_sources() -> None:
    """The first is who was first, not whose file was named first."""
    early, late = NOW - timedelta(hours=3), NOW - timedelta(hours=1)
    text = "Monitors from two countries crossed into Idlib hours after shells killed nine people in Ariha."
    feeds = [
        (
            "Late Post",
            ParsedFeed("Late Post", (entry("l1", "Monitors cross into Idlib after Ariha shelling", text, late),)),
        ),
        (
            "Early Wire",
            ParsedFeed("Early Wire", (entry("e1", "Monitors cross into Idlib after shelling of Ariha", text, early),)),
        ),
    ]

    (story,) = grouped(placed(feeds, NOW))

    assert list(story) == ["story", "title", "entries"]
    assert [(e["id"], e["source"], e["kind"]) for e in story["entries"]] == [
        ("e1", "Early Wire", "first"),
        ("l1", "Late Post", "repeat"),
    ]
    assert list(story["entries"][0]) == ["id", "source", "title", "link", "kind", "why", "news"]
    assert story["entries"][0]["why"] == "no story in the window tells this event"
    assert "names" in story["entries"][1]["why"]
    assert story["title"] == "Monitors cross into Idlib after shelling of Ariha"


def test_copies_are_dropped_and_every_entry_is_in_exactly_one_story() -> None:
    """Several saved polls of one feed count each entry once, edited headlines included, as a live poll would."""
    first = ParsedFeed("Wire", tuple(entry(f"g{n}", f"Headline number {n} about {w}") for n, w in enumerate("abcdef")))
    second = ParsedFeed(
        "Wire", (entry("g0", "Headline number 0, corrected"), *first.entries[1:], entry("g9", "New one"))
    )

    found = placed([("Wire", first), ("Wire", second)], NOW)
    ids = [e["id"] for story in grouped(found) for e in story["entries"]]

    assert sorted(ids) == ["g0", "g1", "g2", "g3", "g4", "g5", "g9"]


@pytest.mark.parametrize(
    ("stated", "printed", "used"),
    [
        (None, None, NOW),
        (NOW + timedelta(days=400), NOW, NOW),
        (datetime(1970, 1, 1, tzinfo=UTC), None, NOW),
        (NOW - timedelta(days=9), NOW - timedelta(days=9), NOW - timedelta(days=9)),
    ],
)
def test_dates_that_cant_be_true_are_not_believed(
    stated: datetime | None, printed: datetime | None, used: datetime
) -> None:
    """No date, a placeholder and the future never pin an entry to a wrong place."""
    (found,) = placed([("W", ParsedFeed("W", (entry("g", "About Idlib", at=stated),)))], NOW)
    (record,) = tries([found], [parse_query("Idlib")])

    assert found.entry.published == used
    assert record["published"] == (printed.isoformat() if printed else None)


def test_an_entry_without_guid_goes_by_its_link() -> None:
    """Scripts need an id for every entry."""
    nameless = ParsedFeed("W", (ParsedEntry("A", "https://x.example/a"), ParsedEntry("B")))

    linked, bare = placed([("W", nameless)], NOW)

    assert linked.id == "https://x.example/a"
    assert bare.id == bare.entry.id
