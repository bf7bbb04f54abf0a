import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.discover import Candidate, channel_of, common_paths, discover, known_forms

URL = "https://example.org/news/"


def test_link_tags_come_first() -> None:
    """What the page declares comes before what looks like a feed; feeds of comments come last; each once."""
    page = b"""<html><head><base href="/base/">
    <link rel="stylesheet" href="/feed.css"><link rel="alternate" hreflang="de" href="/de/">
    <link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed/">
    <link rel="ALTERNATE home" type="Application/Atom+XML; charset=utf-8" title=" World  news " href="world.atom">
    <link rel="alternate" type="application/json" href="/wp-json/posts/1"><link rel="alternate" type="text/xml" href="/rss">
    </head><body><a href="/rss">RSS</a><a href="//cdn.example.org/all.rdf">all</a><a href="/press">x</a>
    <a href="javascript:feed()">y</a></body></html>"""
    assert discover(page, URL) == [
        Candidate("https://example.org/base/world.atom", "World news"),
        Candidate("https://example.org/rss", "RSS"),
        Candidate("https://cdn.example.org/all.rdf", "all"),
        Candidate("https://example.org/comments/feed/", "Comments"),
    ]


@pytest.mark.parametrize(
    ("page", "feed"),
    [
        ("https://www.youtube.com/channel/UC1234567890123456789012", "https://www.youtube.com/feeds/videos.xml?channel_id=UC1234567890123456789012"),
        ("https://www.youtube.com/playlist?list=PL1", "https://www.youtube.com/feeds/videos.xml?playlist_id=PL1"),
        ("https://www.youtube.com/user/someone", "https://www.youtube.com/feeds/videos.xml?user=someone"),
        ("https://old.reddit.com/r/worldnews/top/", "https://www.reddit.com/r/worldnews/.rss"),
        ("https://github.com/owner/repo/issues", "https://github.com/owner/repo/releases.atom"),
        ("https://github.com/owner", "https://github.com/owner.atom"),
        ("https://mastodon.example/@name", "https://mastodon.example/@name.rss"),
        ("https://medium.com/@name", "https://medium.com/feed/@name"),
        ("https://paper.substack.com/p/x", "https://paper.substack.com/feed"),
        ("https://paper.blogspot.com/", "https://paper.blogspot.com/feeds/posts/default"),
    ],
)  # fmt: skip
def test_known_forms(page: str, feed: str) -> None:
    """The address of a channel, forum, repository or profile is enough."""
    assert known_forms(page)[0] == feed


def test_other_sites_have_no_known_form() -> None:
    """Nothing is made up for sites that are not known."""
    for url in (
        "https://example.org/",
        "https://github.com/",
        "https://reddit.com/",
        "https://[",
        "https://example.org/@a/b",
    ):
        assert known_forms(url) == []


def test_channel_page() -> None:
    """A page under a channel's handle names the channel in its text."""
    page = b'{"channelId":"UC1234567890123456789012","x":1}'
    assert channel_of(page) == "https://www.youtube.com/feeds/videos.xml?channel_id=UC1234567890123456789012"
    assert channel_of(b"nothing") == ""


def test_common_paths() -> None:
    """Below the page first, then at the root of its host."""
    paths = common_paths("https://example.org/news/")
    assert paths[0] == "https://example.org/news/feed"
    assert "https://example.org/feed" in paths
    assert len(paths) == len(set(paths))


@given(st.binary(max_size=300))
def test_noise(body: bytes) -> None:
    """Whatever a page is, there is an answer."""
    assert isinstance(discover(b"<link rel=alternate type=application/rss+xml href='" + body, URL), list)
    assert isinstance(discover(body, URL), list)
