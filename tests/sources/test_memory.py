import io
import tarfile
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_128_digest

from bot.model import ParsedFeed, ParseFailed
from bot.sources import feedxml, slices
from bot.sources.memory import LARGEST, Memory
from bot.sources.parse import parse, read_cut
from bot.sources.quick import Quick
from tests.data_dir import shared_data
from tests.hostile.documents import encoded, item, rss
from tests.soak.compare_feeds import remembered

URL = "https://example.org/feed"


class Reader:
    """A feed as it is polled: with what is remembered of it."""

    def __init__(self, memory: Memory | None = None) -> None:
        self.memory, self.quick = memory or Memory(), Quick()

    def read(self, body: bytes, url: str = URL) -> tuple[ParsedFeed | ParseFailed, int | None]:
        return remembered(self.memory, self.quick, body, url)


def test_only_unseen_items_are_parsed() -> None:
    """One new item of a hundred costs one, and nothing new costs none; the order is the document's."""
    reader = Reader()
    old = ["\n  " + item(i) for i in range(100)]
    assert reader.read(rss("".join(old)))[1] == 100
    body = rss("".join(["\n  " + item(500), *old[:-1]]))
    second, unseen = reader.read(body)
    assert unseen == 1
    assert reader.read(body)[1] == 0
    assert second == parse(body, "", URL)


def test_a_later_date_of_the_feed_is_no_news() -> None:
    """Most feeds say in each document when it was made; that is no reason to parse it again."""
    reader = Reader()
    for minute in range(3):
        head = f"<title>T</title><lastBuildDate>Mon, 02 Nov 2026 08:0{minute}:00 GMT</lastBuildDate>"
        body = rss(item(1) + item(2), head)
        parsed, unseen = reader.read(body)
        assert unseen == (0 if minute else 2)
        assert parsed == parse(body, "", URL)


def test_a_changed_item_is_parsed_again() -> None:
    """Any difference in an item's text makes it another."""
    reader = Reader()
    reader.read(rss(item(1) + item(2)))
    changed = rss(item(1, "Corrected") + item(2))
    assert reader.read(changed) == (parse(changed, "", URL), 1)


def test_another_context_is_another_item() -> None:
    """The same text under another namespace, base or language is not the same item."""
    reader = Reader()
    for language in ("en", "de"):
        parsed, unseen = reader.read(rss(item(1, "x"), head=f"<language>{language}</language>"))
        assert isinstance(parsed, ParsedFeed)
        assert (parsed.entries[0].language, unseen) == (language, 1)


@pytest.mark.parametrize(
    "body",
    [
        rss("<item><title><![CDATA[a </item> b]]></title></item>" + item(2)),
        rss("<item><title><![CDATA[a </item><item> b]]></title></item>" + item(2)),
        rss("<item><title>a</title><!-- </item><item> --><guid>1</guid></item>" + item(2)),
        rss("<!-- <item><title>no</title></item> -->" + item(1)),
        rss(item(1) + "<webMaster>x</webMaster>" + item(2)),
        rss(item(1) + "text" + item(2)),
        rss(item(1) + item(2) + "<item/>"),
        rss("<item/>" + item(2)),
        rss("<item><title>a</title><item><title>b</title></item></item>"),
        rss("<item><title>a</title><entry><title>b</title></entry></item>"),
        b"<!DOCTYPE rss [<!ENTITY e 'E'>]><rss version='2.0'><channel><item><title>&e;</title></item></channel></rss>",
        rss(item(1) + item(1)),
        rss(item(1) + "<item><title>unclosed"),
        rss("<item><title>&nosuch;</title></item>" + item(2)),
        rss("<item><title>a</title></item ><item><title>b</title></item>"),
        b"<rss version='2.0'><channel><item/><item><title>x</title></item></channel></rss>",
        rss("".join(map(item, range(1500)))),
        encoded("windows-1251", "Ракетный удар", "windows-1251"),
        encoded("utf-16", "Ракетный удар", "utf-16"),
        rss("<item><title>ok</title></item>") + b"\xff",
        b"\xef\xbb\xbf" + rss(item(1)),
        rss(""),
        b"no feed at all",
        b"",
    ],
)
def test_where_cutting_could_go_wrong(body: bytes) -> None:
    """Whatever looks like an item and is none, the result is that of the whole document, cold and warm."""
    reader = Reader()
    for _ in range(3):
        assert reader.read(body)[0] == parse(body, "", URL)


def test_the_memory_has_a_bound() -> None:
    """Feeds polled longest ago are forgotten; what is counted is what is held."""
    memory = Memory(budget=20_000)
    reader = Reader(memory)
    for number in range(50):
        reader.read(rss(item(number)), f"{URL}/{number}")
    assert len(memory._feeds) < 20
    assert memory._size == sum(known.size for known in memory._feeds.values()) <= 20_000
    assert f"{URL}/49" in memory._feeds


@pytest.mark.parametrize("filling", ["<", "&", "<item ", "]]>", "<!--", "<pubDate>"])
def test_row_6_no_document_holds_the_event_loop(filling: str) -> None:
    """Rows 6, 7: what is made to be slow to search is left to the worker process, which has limits."""
    start = "<rss><channel><item><title>x</title></item><item>"
    body = (start + filling * (9_900_000 // len(filling)) + "</item></channel></rss>").encode()
    started = time.process_time()
    assert Memory().plan(body, "", URL) is None
    Memory().plan(body[: LARGEST - 100] + b"</item></channel></rss>", "", URL)
    assert time.process_time() - started < 0.25


def test_a_part_that_is_refused_is_parsed_whole() -> None:
    """What a worker makes of a part counts only when there is one entry for each item, and nothing was wrong."""
    memory, body = Memory(), rss(item(1) + item(2))
    for answer in (ParseFailed("no"), None, ParsedFeed("", ()), ParsedFeed("", (), warning="w")):
        plan = memory.plan(body, "", URL)
        assert plan is not None
        assert memory.complete(plan, answer) is None
        assert memory._feeds == {}


def real_feeds() -> Iterator[tuple[str, bytes]]:
    data = shared_data()
    if data is None:
        pytest.skip("the data folder is not here")
    with tarfile.open(data / "feeds" / "feeds.tar.xz") as tar:
        for number, member in enumerate(tar):
            handle = tar.extractfile(member)
            if handle is not None and number % 6 == 0:  # tests/soak/compare_feeds.py reads all of them
                yield member.name, handle.read()


@pytest.mark.slow
def test_real_feeds_give_the_same_entries() -> None:
    """On real feeds of the data folder the fast path equals the whole, field by field, cold and warm."""
    differing = []
    quick = 0
    for name, body in real_feeds():
        reader = Reader()
        whole = parse(body, "", URL)
        (cold, unseen), (warm, _) = reader.read(body), reader.read(body)
        quick += unseen is not None
        if not (whole == cold == warm == parse(body, "", URL, Quick())):
            differing.append(name)
    assert differing == []
    assert quick > 50


@pytest.mark.slow
def test_replayed_polls_give_the_same_entries() -> None:
    """Over the recorded polls of the data folder, poll after poll, the fast path equals the whole, field by field."""
    data = shared_data()
    if data is None:
        pytest.skip("the data folder is not here")
    reader = Reader()
    differing = []
    with tarfile.open(fileobj=io.BytesIO((data / "replay" / "polls.tar.xz").read_bytes())) as tar:
        for number, member in enumerate(tar):
            handle = tar.extractfile(member)
            if handle is None or number > 120:
                continue
            body, url = handle.read(), f"https://example.org/{member.name.rpartition('/')[2]}"
            fast, _ = reader.read(body, url)
            if number % 4 == 0 and fast != parse(body, "", url):
                differing.append(member.name)
    assert differing == []


def test_feedparser_is_not_asked_for_plain_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """A known feed with a new item in a plain form costs no XML parser at all."""
    reader = Reader()
    reader.read(rss(item(1)))
    monkeypatch.setattr(feedxml, "read", lambda *_: pytest.fail("feedparser was asked"))
    memory, body = reader.memory, rss(item(2) + item(1))
    plan = memory.plan(body, "", URL)
    assert plan is not None
    assert plan.part is not None
    found = memory.complete(plan, read_cut(plan.part, URL, reader.quick))
    assert found is not None
    assert [one.title for one in found.entries] == ["Report number 2", "Report number 1"]


@given(st.lists(st.integers(0, 60), max_size=90), st.lists(st.integers(0, 60), max_size=90))
def test_following_known_blocks_cuts_as_cutting_does(before: list[int], after: list[int]) -> None:
    """Whatever came, went, moved or came twice: the digests of all items are those of the document cut anew."""

    def made(numbers: list[int]) -> bytes:
        items = "".join(f"\n<item><title>{'story' * (n % 7)} {n}</title></item>" for n in numbers)
        return f"<rss><channel><title>T</title>{items}</channel></rss>".encode()

    first, second = slices.cut(made(before)), slices.cut(made(after))
    if first is None:
        return
    blocks = slices.blocks_of(first, [*map(xxh3_128_digest, first.items)])
    assert [d for block in blocks for d in block.digests] == [*map(xxh3_128_digest, first.items)]
    found = slices.follow(made(after), blocks, first.closing)
    if second is None:
        assert found is None
        return
    assert found is not None
    document, digests, followed = found
    assert [d for block in followed for d in block.digests] == [*map(xxh3_128_digest, second.items)]
    assert (document.head, document.tail) == (second.head, second.tail)
    assert [*map(xxh3_128_digest, document.items)] == digests
    again = slices.follow(made(before), followed, second.closing)
    assert again is not None
    assert [d for block in again[2] for d in block.digests] == [*map(xxh3_128_digest, first.items)]
