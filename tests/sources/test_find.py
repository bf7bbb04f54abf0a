from collections.abc import AsyncIterator, Iterator

import pytest

from bot.errors import SourceError
from bot.model import FetchOutcome, ParsedFeed, ParseFailed, Validators
from bot.sources.fetch import HttpFetcher
from bot.sources.find import find_feeds
from bot.sources.parse import parse
from tests.hostile import documents
from tests.hostile.server import Answer, HostileServer

FEED = documents.rss(documents.item(1, date="Mon, 02 Nov 2026 08:00:00 GMT") + documents.item(2))


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as one:
        yield one


@pytest.fixture
async def fetcher() -> AsyncIterator[HttpFetcher]:
    one = HttpFetcher(allow_private=["127.0.0.1/32"], user_agent="t", deadline=3.0)
    yield one
    await one.close()


async def parsed(body: bytes, content_type: str, url: str) -> ParsedFeed | ParseFailed:
    return parse(body, content_type, url)


def html(text: str) -> Answer:
    return Answer(f"<!doctype html><html>{text}</html>".encode(), headers={"Content-Type": "text/html"})


async def test_a_feed_is_its_own_answer(server: HostileServer, fetcher: HttpFetcher) -> None:
    """The address of a feed gives that feed, where it has moved to, with its title and freshness."""
    server.pages["/feed"] = Answer(FEED)
    server.pages["/old"] = Answer(b"", 301, {"Location": "/feed"})
    (one,) = await find_feeds(server.url("/old"), fetch=fetcher.fetch, parse=parsed)
    assert (one.url, one.title, one.entries) == (server.url("/feed"), "Hostile Herald", 2)
    assert one.newest is not None
    assert one.newest.year == 2026


async def test_a_page_names_its_feeds(server: HostileServer, fetcher: HttpFetcher) -> None:
    """Of what the page names only what really is a feed is shown; private addresses it names are not dialled."""
    server.pages["/good"] = Answer(FEED)
    server.pages["/login"] = html("Log in")
    links = "".join(
        f'<link rel="alternate" type="application/rss+xml" href="{href}">'
        for href in ("/login", "http://127.0.0.2:1/feed", "/good", "/gone")
    )
    server.pages["/"] = html(links)
    found = await find_feeds(server.url(""), fetch=fetcher.fetch, parse=parsed)
    assert [one.url for one in found] == [server.url("/good")]


async def test_common_paths_are_tried_last(server: HostileServer, fetcher: HttpFetcher) -> None:
    """A page that names nothing may have a feed where feeds usually lie."""
    server.pages["/"] = html("<a href='/about'>about</a>")
    server.pages["/rss.xml"] = Answer(FEED)
    found = await find_feeds(server.url(""), fetch=fetcher.fetch, parse=parsed)
    assert [one.url for one in found] == [server.url("/rss.xml")]
    assert len(server.hits) < 20


@pytest.mark.parametrize(
    ("path", "words"),
    [("/nothing", "404 Not Found"), ("/page", "web page, not a feed, and no feed"), ("/loop", "redirects")],
)
async def test_nothing_found_is_said(server: HostileServer, fetcher: HttpFetcher, path: str, words: str) -> None:
    """Why there is no feed is said in one line."""
    server.pages["/page"] = html("hello")
    with pytest.raises(SourceError, match=words):
        await find_feeds(server.url(path), fetch=fetcher.fetch, parse=parsed)


async def test_known_sites_need_no_page() -> None:
    """For a well-known site its form is asked first, and alone when it answers."""
    asked = []

    async def fetch(url: str, validators: Validators, body_hash: str) -> FetchOutcome:
        from bot.model import Fetched

        asked.append(url)
        return Fetched(FEED, "text/xml", Validators(), url)

    found = await find_feeds("reddit.com/r/worldnews", fetch=fetch, parse=parsed)
    assert [one.url for one in found] == asked == ["https://www.reddit.com/r/worldnews/.rss"]
