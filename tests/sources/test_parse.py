import csv
import io
import tarfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import ParsedEntry, ParsedFeed, ParseFailed
from bot.sources.parse import parse
from bot.sources.slices import MAX_ENTRIES
from tests.data_dir import shared_data
from tests.hostile import documents

URL = "https://example.org/feeds/main.xml"

RSS = """<?xml version="1.0"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:media="http://search.yahoo.com/mrss/" xmlns:atom="http://www.w3.org/2005/Atom"
 xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel>
<title>Harbour &amp;amp; Hills</title><link>/</link><language>en-GB</language><ttl>15</ttl>
<skipHours><hour>0</hour><hour>23</hour><hour>x</hour></skipHours><skipDays><day>Sunday</day><day>Caturday</day></skipDays>
<atom:link rel="hub" href="https://hub.example.org/"/><atom:link rel="self" href="https://example.org/feeds/main.xml"/>
<item><title>Launcher &lt;b&gt;seen&lt;/b&gt; near Idlib</title><link>/news/1</link><guid isPermaLink="false">tag:1</guid>
<description><![CDATA[<p>First.</p><p>Second <a href="https://ads.example.org">here</a>.</p><img src="x" alt="A grey truck">]]></description>
<content:encoded><![CDATA[<p>The long text of the article, all of it.</p>]]></content:encoded>
<media:content url="https://example.org/1.jpg"><media:title>An S-300 launcher</media:title>
<media:description type="plain">The launcher on a road</media:description><media:credit>Someone</media:credit></media:content>
<enclosure url="https://example.org/a.mp3" type="audio/mpeg" length="1"/>
<category>World</category><category domain="x">Syria</category><category>World</category>
<dc:creator>Ann Author</dc:creator><pubDate>Mon, 02 Nov 2026 08:00:00 +0300</pubDate></item>
<item><description>Only a short text, which then is the headline as well.</description></item>
</channel></rss>"""


def entries(document: str | bytes, content_type: str = "", url: str = URL) -> tuple[ParsedEntry, ...]:
    parsed = parse(document.encode() if isinstance(document, str) else document, content_type, url)
    assert isinstance(parsed, ParsedFeed)
    return parsed.entries


def first(document: str | bytes) -> ParsedEntry:
    return entries(document)[0]


def test_rss() -> None:
    """Every part of an RSS item lands in its field as plain text; the channel's wishes are read."""
    parsed = parse(RSS.encode(), "application/rss+xml", URL)
    assert isinstance(parsed, ParsedFeed)
    assert (parsed.title, parsed.link, parsed.language) == ("Harbour & Hills", "https://example.org/", "en")
    assert (parsed.ttl, parsed.skip_hours, parsed.skip_days) == (900.0, frozenset({0, 23}), frozenset({6}))
    assert (parsed.hub, parsed.topic, parsed.warning) == ("https://hub.example.org/", URL, "")
    assert parsed.entries[0] == ParsedEntry(
        title="Launcher seen near Idlib",
        link="https://example.org/news/1",
        guid="tag:1",
        summary="First.\nSecond here.",
        content="The long text of the article, all of it.",
        captions=("An S-300 launcher", "The launcher on a road", "A grey truck"),
        categories=("World", "Syria"),
        authors=("Ann Author",),
        published=datetime(2026, 11, 2, 5, tzinfo=UTC),
        language="en",
    )
    assert parsed.entries[1].title == "Only a short text, which then is the headline as well."


def test_atom() -> None:
    """Atom: xml:base, xhtml content, several dates, labels of categories, language of the entry."""
    entry = first(
        """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://example.org/x/"><title>A</title>
        <entry xml:lang="tr"><id>urn:1</id><title type="html">Füze &amp;amp; savunma</title>
        <link rel="alternate" href="haber/1"/><link rel="enclosure" href="a.jpg" title="Bir fotoğraf"/>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Bir.</p><p>İki.</p></div></content>
        <category term="dunya" label="Dünya"/><author><name>Ali</name></author><author><name>Ayşe</name></author>
        <published>2026-11-02T08:00:00Z</published><updated>2026-11-02T09:00:00+03:00</updated></entry></feed>"""
    )
    assert (entry.title, entry.link, entry.guid) == ("Füze & savunma", "https://example.org/x/haber/1", "urn:1")
    assert (entry.summary or entry.content) == "Bir.\nİki."
    assert (entry.captions, entry.categories, entry.authors) == (("Bir fotoğraf",), ("Dünya",), ("Ali", "Ayşe"))
    assert (entry.published, entry.updated) == (
        datetime(2026, 11, 2, 8, tzinfo=UTC),
        datetime(2026, 11, 2, 6, tzinfo=UTC),
    )
    assert entry.language == "tr"


def test_rdf() -> None:
    """RSS 1.0 keeps its items beside the channel."""
    entry = first(
        """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>R</title></channel>
        <item rdf:about="https://example.org/1"><title>One</title><link>https://example.org/1</link>
        <description>Text</description><dc:date>2026-11-02T08:00:00Z</dc:date></item></rdf:RDF>"""
    )
    assert (entry.title, entry.link, entry.summary) == ("One", "https://example.org/1", "Text")
    assert entry.published == datetime(2026, 11, 2, 8, tzinfo=UTC)


def test_json_feed() -> None:
    """JSON Feed 1.1, by hand."""
    parsed = parse(
        b"""{"version": "https://jsonfeed.org/version/1.1", "title": "J", "home_page_url": "/", "language": "en-US",
        "feed_url": "https://example.org/feed.json", "hubs": [{"type": "WebSub", "url": "https://hub.example.org/"}],
        "items": [{"id": 7, "url": "/1", "content_html": "<p>Long <img alt='A map'></p>", "summary": "Short",
        "date_published": "2026-11-02T08:00:00+03:00", "tags": ["World"], "authors": [{"name": "Ann"}],
        "attachments": [{"url": "x", "title": "A recording"}]}, {"id": "b", "content_text": "Note to all"}, 5]}""",
        "application/feed+json",
        URL,
    )
    assert isinstance(parsed, ParsedFeed)
    assert (parsed.title, parsed.hub, parsed.topic) == (
        "J",
        "https://hub.example.org/",
        "https://example.org/feed.json",
    )
    assert parsed.entries[0] == ParsedEntry(
        title="Short", link="https://example.org/1", guid="7", summary="Short", content="Long",
        captions=("A map", "A recording"), categories=("World",), authors=("Ann",),
        published=datetime(2026, 11, 2, 5, tzinfo=UTC), language="en",
    )  # fmt: skip
    assert parsed.entries[1].title == "Note to all"
    assert len(parsed.entries) == 2


def test_news_sitemap() -> None:
    """A news sitemap is as good as a feed; another sitemap is none."""
    head = "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'>"
    entry = first(
        f"<?xml version='1.0'?>{head}<url><loc>https://example.org/1</loc><news:news><news:publication><news:name>Herald"
        "</news:name><news:language>fr</news:language></news:publication><news:publication_date>2026-11-02T08:00:00Z"
        "</news:publication_date><news:title>Le titre</news:title><news:keywords>a, b</news:keywords></news:news></url></urlset>"
    )
    assert (entry.title, entry.link, entry.language, entry.categories) == (
        "Le titre",
        "https://example.org/1",
        "fr",
        ("a", "b"),
    )
    assert isinstance(
        parse(f"{head}<url><loc>https://example.org/</loc></url></urlset>".encode(), "", URL), ParseFailed
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the document is empty"),
        (b"  \n", "the document is empty"),
        (b"<!DOCTYPE html><html><body>Log in</body></html>", "this is a web page, not a feed"),
        (b"<html><head></head></html>", "this is a web page, not a feed"),
        (b"%PDF-1.4", "this is not a feed"),
        (b'{"error": "no"}', "this is JSON, but not a JSON Feed"),
        (b"{", "this is not valid JSON"),
        (b"[" * 100_000, "the document is nested too deeply or too large"),
        (b'{"version":"https://jsonfeed.org/version/1","items":5}', "this is JSON, but not a JSON Feed"),
    ],
)
def test_what_is_no_feed(body: bytes, reason: str) -> None:
    """Something else than a feed is named, so that the operator knows what came."""
    assert parse(body, "text/html", URL) == ParseFailed(reason)


def test_row_5_nothing_outside_is_opened(tmp_path: object) -> None:
    """Row 5: no external entity, DTD or parameter entity is resolved."""
    for entry in entries(documents.xxe("http://127.0.0.1:1")):
        assert "root:" not in entry.title


def test_row_4_entities() -> None:
    """Row 4: entities that grow are not expanded."""
    start = time.monotonic()
    assert len(first(documents.laughs()).title) < 1000
    assert time.monotonic() - start < 2.0


def test_row_7_many_items() -> None:
    """Row 7: of a hundred thousand items the newest are kept, in bounded time."""
    start = time.monotonic()
    kept = entries(documents.items(100_000))
    assert time.monotonic() - start < 4.0
    assert len(kept) == MAX_ENTRIES
    assert kept[0].title == "Report number 0"


def test_row_7_oldest_first() -> None:
    """Row 7: where dates tell that the newest stand last, those are kept."""
    many = [
        documents.item(i, date=f"Mon, 02 Nov 2026 {i // 3600:02}:{i // 60 % 60:02}:{i % 60:02} GMT")
        for i in range(3000)
    ]
    assert entries(documents.rss("".join(many)))[-1].title == "Report number 2999"


def test_row_17_control_characters() -> None:
    """Row 17: NUL and other controls are gone from every field, and do not cost the document."""
    entry = first(
        b"<rss version='2.0'><channel><item><title>a\x00b\x08c</title><guid>x\x00y</guid><category>p&#x202e;q</category></item></channel></rss>"
    )
    assert (entry.title, entry.guid, entry.categories) == ("abc", "xy", ("pq",))


@pytest.mark.parametrize(
    ("date", "published"),
    [
        ("Fri, 01 Jan 2099 00:00:00 GMT", datetime(2099, 1, 1, tzinfo=UTC)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2026-11-02", datetime(2026, 11, 2, tzinfo=UTC)),
        ("yesterday-ish", None),
        ("", None),
        ("Mon, 99 Foo 20260 25:61:61 GMT", None),
    ],
)
def test_row_18_dates(date: str, published: datetime | None) -> None:
    """Row 18: a date is handed on as stated, whatever it says; what is no date is none."""
    assert first(documents.rss(documents.item(1, date=date))).published == published


def test_row_27_links() -> None:
    """Row 27: only links to the web leave the parser."""
    for bad in ("javascript:alert(1)", "tg://user?id=1", "data:text/html,x", "file:///etc/passwd"):
        assert (
            first(f"<rss version='2.0'><channel><item><title>t</title><link>{bad}</link></item></channel></rss>").link
            == ""
        )


def test_row_28_long_fields() -> None:
    """Row 28: fields have limits, so that one entry can't fill the store; a long guid keeps its identity."""
    long = "w " * 200_000
    two = entries(
        documents.rss(
            documents.item(1, long, guid="g" * 5000 + "1", more=f"<description>{long}</description>")
            + documents.item(2, guid="g" * 5000 + "2")
        )
    )
    assert (len(two[0].title), len(two[0].summary)) == (998, 9_998)
    assert two[0].guid != two[1].guid
    assert len(two[0].guid) == 1000


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        ("<ttl>60</ttl>", 3600.0),
        ("<ttl>soon</ttl>", 0.0),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 21_600.0),
        ("<sy:updatePeriod>weekly</sy:updatePeriod>", 604_800.0),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>1</sy:updateFrequency>", 0.0),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", 86_400.0),
    ],
)
def test_wishes_of_the_publisher(head: str, seconds: float) -> None:
    """Ttl and the syndication module say how often to come; the default of publishing software says nothing."""
    body = documents.rss("", head).replace(b"<rss ", b"<rss xmlns:sy='http://purl.org/rss/1.0/modules/syndication/' ")
    parsed = parse(body, "", URL)
    assert isinstance(parsed, ParsedFeed)
    assert parsed.ttl == seconds


def test_media_description_alone_is_the_summary() -> None:
    """Video feeds carry their text in media:description and nowhere else."""
    entry = first(
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:media='http://search.yahoo.com/mrss/'><entry><title>V</title>"
        "<media:group><media:title>V</media:title><media:description>What is seen</media:description></media:group></entry></feed>"
    )
    assert (entry.summary, entry.captions) == ("What is seen", ())


@pytest.mark.parametrize(
    ("declared", "title", "language"),
    [
        ("en-US", "Ракетный удар по Идлибу, сообщают местные жители", "ru"),
        ("", "Ракетный удар по Идлибу, сообщают местные жители", "ru"),
        ("ru", "Ракетный удар по Идлибу, сообщают местные жители", "ru"),
        ("English", "Missile strike on the town kills three, residents say", "en"),
        ("eng", "Missile strike on the town kills three, residents say", "en"),
        ("pt_BR", "x", "pt"),
    ],
)
def test_languages(declared: str, title: str, language: str) -> None:
    """A declared language counts where the text can be in it; else the text itself tells."""
    head = f"<language>{declared}</language>"
    assert entries(documents.rss(documents.item(1, title), head))[0].language == language


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_noise_never_raises(noise: bytes) -> None:
    """Whatever the bytes are, there is an answer."""
    for body in (noise, documents.OK[:120] + noise, b'{"version":"https://jsonfeed.org/version/1","items":[' + noise):
        assert isinstance(parse(body, "text/xml", URL), ParsedFeed | ParseFailed)


def corpus() -> Iterator[tuple[str, bytes]]:
    """Every feed file of the data folder."""
    data = shared_data()
    if data is None:
        pytest.skip("the data folder is not here")
    for archive in [data / "feeds" / "feeds.tar.xz", *sorted((data / "feed_parser_corpora").glob("*.tar.xz"))]:
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.isfile() and not member.name.endswith(
                    (".py", ".go", ".rs", ".md", ".js", ".ts", ".rst", ".toml")
                ):
                    handle = tar.extractfile(member)
                    assert handle is not None
                    yield f"{archive.name}/{member.name}", handle.read()


def known_counts() -> dict[str, int]:
    """Feedparser's number of entries of the real feeds, as the data folder's index has it."""
    data = shared_data()
    assert data is not None
    with (data / "feeds" / "index.tsv").open(encoding="utf-8", newline="") as index:
        return {
            f"feeds.tar.xz/feeds/{row['file']}": int(row["entries"]) for row in csv.DictReader(index, delimiter="\t")
        }


@pytest.mark.slow
def test_every_known_feed_gives_as_many_entries_as_feedparser() -> None:
    """All real feeds and parser corpora of the data folder: no crash, bounded time, feedparser's number of entries."""
    differing, counted = [], known_counts()
    for name, body in corpus():
        start = time.process_time()
        parsed = parse(body, "", URL)
        assert time.process_time() - start < 5.0, name
        ours = len(parsed.entries) if isinstance(parsed, ParsedFeed) else 0
        if name in counted:
            theirs = counted[name]
        else:
            theirs = len(feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False).entries)
        if ours != theirs and b"jsonfeed.org/version" not in body:  # which feedparser does not read
            differing.append((name, ours, theirs))
    assert differing == []
