"""Items read without an XML parser: the same as feedparser, or left to it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.charset import certain
from bot.sources.parse import parse, read_cut
from bot.sources.quick import Quick
from bot.sources.slices import cut
from tests.hostile.documents import rss

URL = "https://example.org/news/feed"
SPACES = (
    "xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:content='http://purl.org/rss/1.0/modules/content/' "
    "xmlns:media='http://search.yahoo.com/mrss/' xmlns:slash='http://purl.org/rss/1.0/modules/slash/' "
    "xmlns:x='http://x.example/'"
)


def document(items: str, attributes: str = SPACES, head: str = "<title>T</title>") -> bytes:
    return rss(items, head).replace(b'version="2.0"', f'version="2.0" {attributes}'.encode())


def quick(body: bytes) -> object:
    text = certain(body, "")
    document = cut(text) if text is not None else None
    return read_cut(document, URL, Quick()) if document is not None and document.whole() else None


PLAIN = [
    "<title>A &amp; B &lt;b&gt;bold&lt;/b&gt;</title><link>/a?x=1&amp;copy=2</link><guid>https://n.example/1</guid>",
    "<title><![CDATA[ It's ]] > &amp; done ]]></title><guid isPermaLink='false'>g 1</guid><link> http:////n.example/ </link>",
    "<description>&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two&amp;nbsp;&lt;img alt='Gate' src='x'/&gt;&lt;/p&gt;</description>",
    "<content:encoded><![CDATA[<p>Long <b>text</b></p>]]></content:encoded><title>After</title>",
    "<content:encoded><![CDATA[<p>Long</p>]]></content:encoded><description>Short</description>",
    "<pubDate>Mon, 02 Nov 2026 08:00:00 GMT</pubDate><dc:date>2026-11-02T09:00:00+03:00</dc:date><title>x</title>",
    "<pubDate>yesterday</pubDate><category>A</category><category domain='d'>B</category><category/><category>A</category>",
    "<author>ann@n.example (Ann Lee)</author><dc:creator>Bo</dc:creator><title>x</title>",
    "<dc:creator><![CDATA[Ann & Bo]]></dc:creator><comments>http://c</comments><slash:comments>3</slash:comments><x:y z='1'/>",
    "<enclosure url='a.mp3' length='1' type='audio/mpeg'/><media:thumbnail url='u'/><x:thing>v</x:thing><title>&#8217;&#x20AC;</title>",
    "<media:content url='u'><media:title type='html'>Gate</media:title><media:description>Of &amp;amp;</media:description></media:content>",
    "<media:group><media:content url='u'/><media:credit role='a'>C</media:credit></media:group><title>Größe Ã¼ber \x85</title>",
    "<title>a\r\nb</title>\r\n<description>one\r\n\r\ntwo</description>",
    "<title></title><link></link><guid></guid><description></description>",
    "<guid>only a guid</guid><title>Tom &amp;amp; Jerry</title>",
    "",
]  # fmt: skip
ODD = [
    "<title>a</title><title>b</title>",
    "<title type='html'>a</title>",
    "<title>a <b>b</b></title>",
    "<title>a &nbsp; b</title>",
    "<title>a & b</title>",
    "<title>a &#0; b</title>",
    "<title>a &#x110000; b</title>",
    "<title>a ]]> b</title>",
    "<title>a <![CDATA[b]]></title>",
    "<title>a</Title>",
    "<title>a</title><!-- c -->",
    "<title>a\x01b</title>",
    "<link href='x'>a</link>",
    "<guid isPermaLink='maybe'>a</guid>",
    '<guid isPermaLink="true" isPermaLink="true">a</guid>',
    "<dc:title>a</dc:title>",
    "<itunes:author>a</itunes:author>",
    "<y:z>undeclared</y:z>",
    "<id>a</id>",
    "<summary>a</summary>",
    "<source url='u'>S</source><title>x</title>",
    "<image><url>u</url></image><title>x</title>",
    "<media:content url='u'><title>x</title></media:content>",
    "<media:content url='u'><media:title>x</media:title>",
    "</media:content><title>x</title>",
    "<media:content url='a' url='b'/>",
    "<x:y a='&bad;'/>",
    "<x:y xml:lang='de'>a</x:y>",
    "<x:y xmlns:dc='other'/><dc:creator>a</dc:creator>",
    "<enclosure url='u' title='Gate'/>",
    "<description>a</description><description>b</description>",
    "text<title>a</title>",
    "<title>a</title>text",
]  # fmt: skip


@pytest.mark.parametrize("item", PLAIN)
def test_plain_items_are_read_as_feedparser_reads_them(item: str) -> None:
    """Field by field, without feedparser having been asked."""
    body = document(f"<item>{item}</item>")
    found = quick(body)
    assert found is not None
    assert found == parse(body, "", URL)


@pytest.mark.parametrize("item", ODD)
def test_odd_items_are_left_to_feedparser(item: str) -> None:
    """Whatever an XML parser or feedparser could see in it that is not seen here."""
    body = document(f"<item>{item}</item>")
    assert quick(body) is None
    assert parse(body, "", URL, Quick()) == parse(body, "", URL)


@pytest.mark.parametrize(
    ("attributes", "head"),
    [
        ("xml:lang='de'", ""),
        ("xml:base='http://b.example/'", ""),
        ("xmlns='http://purl.org/rss/1.0/'", ""),
        ("", "<image><url>u</url>"),
        ("", "<title>open"),
        ("", "&nosuch;"),
        (SPACES, "<a xmlns:dc='http://other.example/'/>"),
        ("xmlns:dc='http://www.itunes.com/DTDs/PodCast-1.0.dtd'", ""),
    ],
)
def test_heads_that_items_inherit_from_are_left_to_feedparser(attributes: str, head: str) -> None:
    """Language, base, namespaces and unfinished elements around the items."""
    for item in (*PLAIN[:6], PLAIN[8]):
        body = document(f"<item>{item}</item>", attributes, head)
        assert parse(body, "", URL, Quick()) == parse(body, "", URL)


@given(st.integers(0, 10**9))
def test_any_mixture_is_read_alike(seed: int) -> None:
    """Pieces of items in any order, plain and odd, some broken: the same result with and without the fast path."""
    chance = random.Random(seed)
    pieces = [part + ">" for one in (*PLAIN, *ODD) for part in one.split(">") if part]
    items = []
    for _ in range(chance.randint(1, 4)):
        whole = "".join(chance.choices((*PLAIN, *ODD[:6]), k=chance.randint(0, 3)))
        broken = "".join(chance.choices(pieces, k=chance.randint(0, 3))) if chance.random() < 0.3 else ""
        items.append(f"<item>{whole}{broken}</item>")
    body = document("".join(items))
    assert parse(body, "", URL, Quick()) == parse(body, "", URL)
