import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SourceError
from bot.model import Feed, FeedId
from bot.sources.opml import read, write
from tests.data_dir import shared_data

LIST = b"""<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0"><head><title>mine</title></head><body>
<outline text="World"><outline text="War &amp; peace">
  <outline type="rss" text="A &#8211; wire" xmlUrl="https://a.example/feed?x=1&amp;y=2" language="en-GB" category="/x,y"/>
</outline></outline>
<outline TITLE="B" XMLURL="feed://b.example/rss"/>
<outline text="again" xmlUrl="https://a.example/feed?x=1&amp;y=2" category="z"/>
<outline text="bad" xmlUrl="file:///etc/passwd"/><outline text="bad" xmlUrl="javascript:alert(1)"/><outline text="none"/>
</body></opml>"""


def test_folders_and_categories_become_tags() -> None:
    """A list from another reader keeps its order and what its owner sorted it by; what can't be polled is left out."""
    assert read(LIST) == [
        Feed(
            FeedId("https://a.example/feed?x=1&y=2"),
            "A \u2013 wire",
            "en",
            ("World", "War & peace", "x", "y", "z"),
            origin="added",
        ),
        Feed(FeedId("http://b.example/rss"), "B", origin="added"),
    ]


def test_what_is_written_is_read_again_without_passwords() -> None:
    """Out of one Tocsin and into another nothing is lost but secrets."""
    feeds = [
        Feed(FeedId("https://u:hunter2@a.example/f?q=%22&b=<c>"), 'A "quoted" <b> & \x1bc', "tr", ("war", "x y")),
        Feed(FeedId("https://b.example/")),
    ]

    text = write(feeds)

    assert "hunter2" not in text
    first, second = read(text.encode())
    assert (first.name, first.language, first.tags) == ('A "quoted" <b> & c', "tr", ("war", "x y"))
    assert first.id == "https://a.example/f?q=%22&b=<c>"
    assert (second.id, second.name) == ("https://b.example/", "b.example")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no list"),
        (b"hello", "no list"),
        (b"<opml><body><outline></body></opml>", "no list"),
        (b"<rss/>", "no list of feeds"),
        (b"<?xml version='1.0' encoding='nonsense'?><opml/>", "no list"),
        (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml><outline text="&a;"/></opml>', "document type"),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x><opml/>'.encode("utf-16"), "document type"),
        (b"<opml>" + b"<outline text='a'>" * 60, "nested deeper"),
        (b"<opml>" + b" " * 10_000_001, "larger than"),
    ],
)
def test_hostile_and_broken_lists_are_refused(body: bytes, reason: str) -> None:
    """Entity bombs, local files, depth and size: refused with a reason before they cost anything."""
    with pytest.raises(SourceError, match=reason):
        read(body)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_bytes_crash_the_reader(body: bytes) -> None:
    """Whatever is uploaded, the answer is feeds or a SourceError."""
    for document in (body, b"<opml><body><outline xmlUrl='" + body + b"'/></body></opml>"):
        try:
            read(document)
        except SourceError:
            continue


def test_lists_that_are_not_quite_xml_are_read_too() -> None:
    """Most exports forget to escape ampersands; where a text breaks the XML, the addresses are still taken."""
    bare = b'<opml><outline text="R&D" xmlUrl="https://a.example/?x=1&y=2"/></opml>'
    torn = b'<opml><outline text="the "new" wire" xmlUrl="https://a.example/?x=1&amp;y=2"/></opml>'

    assert [(f.id, f.name) for f in read(bare)] == [("https://a.example/?x=1&y=2", "R&D")]
    assert [(f.id, f.name) for f in read(torn)] == [("https://a.example/?x=1&y=2", "")]


def test_real_lists_are_read() -> None:
    """Lists that people share give their feeds."""
    data = shared_data()
    if data is None or not (data / "opml" / "awesome-rss-feeds.tar.xz").is_file():
        pytest.skip("the data folder is not here")
    found: set[str] = set()
    with tarfile.open(data / "opml" / "awesome-rss-feeds.tar.xz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".opml") else None
            if file is not None:
                feeds = read(file.read())
                assert feeds
                found |= {feed.id for feed in feeds}
    assert len(found) > 400
