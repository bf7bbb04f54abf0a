import contextlib
import io
import tarfile
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SourceError
from bot.model import Feed, FeedId
from bot.sources.opml import read_opml, write_opml
from tests.data_dir import shared_data


def opml(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?><opml version="2.0"><head/><body>{body}</body></opml>'.encode()


def test_nested_folders_and_categories_become_tags() -> None:
    """Folders around a feed and its own categories are its tags, in that order, each once; an address counts once."""
    feeds = read_opml(
        opml(
            '<outline text="World"><outline title="Middle East"><outline type="rss" text="Herald &amp; Post" '
            'xmlUrl="https://example.org/feed" category="/News/War,World" language="en-us"/></outline>'
            '<outline text="Plain" XMLURL="feed:http://example.org/b"/></outline>'
            '<outline text="again" xmlUrl="https://example.org/feed"/>'
        )
    )
    assert feeds == [
        Feed(
            FeedId("https://example.org/feed"),
            "Herald & Post",
            "en",
            ("World", "Middle East", "News", "War"),
            origin="added",
        ),
        Feed(FeedId("http://example.org/b"), "Plain", "", ("World",), origin="added"),
    ]


def test_row_29_names_turn_nothing_around() -> None:
    """Row 29: a reference to a character that turns the text around it is no way past the list's own cleaning."""
    (feed,) = read_opml(
        b'<opml><outline text="A&#x202e;B&#7;" category="x&#x202e;" xmlUrl="https://a.example/"/></opml>'
    )
    assert (feed.name, feed.tags) == ("AB", ("x",))


def test_the_longest_address_comes_back() -> None:
    """What is written is never taken for a damaged list."""
    address = "https://a.example/?" + "&" * 7_900
    assert [feed.id for feed in read_opml(write_opml([Feed(FeedId(address))]).encode())] == [address]


def test_there_and_back() -> None:
    """What is written is read back as it was."""
    feeds = [
        Feed(FeedId("https://example.org/?a=1&b=2"), 'A "quoted" <name>', "tr", ("World", "War"), origin="added"),
        Feed(FeedId("https://example.org/c"), "C", origin="added"),
        Feed(FeedId("https://example.org/d"), "", "", ("War",), origin="added"),
    ]
    assert sorted(read_opml(write_opml(feeds).encode()), key=lambda feed: feed.id) == feeds


def test_row_15_secrets_are_not_exported() -> None:
    """Row 15: passwords and keys of addresses stay at home."""
    written = write_opml([Feed(FeedId("https://ali:baba@example.org/?token=sesame"))])
    assert "baba" not in written
    assert "sesame" not in written


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "javascript:alert(1)", "", "  ", "ftp://example.org/", "http://", "http://["]
)
def test_row_12_addresses_that_are_none(address: str) -> None:
    """Row 12: only pollable addresses are taken; one bad line does not cost the list."""
    body = f'<outline text="x" xmlUrl="{address}"/><outline text="y" xmlUrl="https://example.org/"/>'
    assert [feed.id for feed in read_opml(opml(body))] == ["https://example.org/"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'<!DOCTYPE opml SYSTEM "http://127.0.0.1:1/x"><opml><body/></opml>', "entities"),
        (
            b'<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]><opml><body><outline text="&x;"/></body></opml>',
            "entities",
        ),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE o [<!ENTITY x "y">]><opml/>'.encode("utf-16"), "entities"),
        (opml("x" * 5_000_001), "larger than 5 MB"),
        (opml("".join(f'<outline xmlUrl="https://example.org/{i}"/>' for i in range(10_001))), "more than 10,000"),
        (opml("<outline text='f'>" * 60 + "</outline>" * 60), "nested"),
        (opml("<outline text='f'>" * 100_000), "nested"),
        (b"<rss/>", "not an OPML"),
        (b"hello", "not an OPML"),
        (b"", "not an OPML"),
    ],
    ids=["dtd", "xxe", "utf16", "size", "count", "depth", "unclosed", "rss", "text", "empty"],
)
def test_row_70_hostile_lists(data: bytes, words: str) -> None:
    """Row 70: entities, huge and deep lists are refused at once and in words."""
    start = time.monotonic()
    with pytest.raises(SourceError, match=words):
        read_opml(data)
    assert time.monotonic() - start < 3.0


@pytest.mark.parametrize(
    "line",
    [
        '<outline text="A & B" xmlUrl="https://example.org/?a=1&b=2"/>',
        "<outline text='A &amp; B' xmlUrl = 'https://example.org/?a=1&amp;b=2'></outline>",
        '<outline text="A < B" title="A & B" xmlUrl="https://example.org/?a=1&b=2"><br></body>',
        '<!-- <outline xmlUrl="https://example.org/no"/> --><outline title="A & B" xmlUrl="https://example.org/?a=1&b=2" />',
    ],
)
def test_lists_written_by_hand(line: str) -> None:
    """Plain ampersands, stray brackets and unclosed tags are what lists in the wild are full of."""
    assert [(feed.id, feed.name) for feed in read_opml(opml(line))] == [("https://example.org/?a=1&b=2", "A & B")]


@pytest.mark.parametrize(
    "piece", ['<outline "', "<outline a='", "<outline ", "<!--", '<outline a="b" ', "<outline text='>"]
)
def test_row_70_no_pattern_jams(piece: str) -> None:
    """Row 70: five megabytes of a broken tag are read in no time."""
    start = time.monotonic()
    with contextlib.suppress(SourceError):
        read_opml(opml(piece * (4_900_000 // len(piece))))
    assert time.monotonic() - start < 3.0


@given(st.binary(max_size=300) | st.text(max_size=300).map(opml))
def test_noise(data: bytes) -> None:
    """Whatever is uploaded, it is a list or a SourceError."""
    try:
        read_opml(data)
    except SourceError:
        return


def test_real_lists() -> None:
    """The lists of the data folder are read with all their addresses."""
    data = shared_data()
    if data is None:
        pytest.skip("the data folder is not here")
    found: set[str] = set()
    with tarfile.open(fileobj=io.BytesIO((data / "opml" / "awesome-rss-feeds.tar.xz").read_bytes())) as tar:
        for member in tar:
            handle = tar.extractfile(member)
            if handle is not None and member.name.endswith(".opml"):
                found |= {feed.id for feed in read_opml(handle.read())}
    assert len(found) > 700
