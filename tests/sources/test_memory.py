import io
import tarfile
from collections.abc import Iterator

import pytest

from bot.model import ParsedFeed, ParseFailed
from bot.sources import feedxml
from bot.sources.memory import Memory
from bot.sources.parse import parse
from tests.data_dir import shared_data
from tests.hostile.documents import item, rss

URL = "https://example.org/feed"


@pytest.fixture
def items_parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many items each call of feedparser saw."""
    seen: list[int] = []
    read = feedxml.read

    def counting(text: str, url: str) -> object:
        result = read(text, url)
        seen.append(len(result[1]))
        return result

    monkeypatch.setattr(feedxml, "read", counting)
    return seen


def test_only_unseen_items_are_parsed(items_parsed: list[int]) -> None:
    """One new item of a hundred costs one, and nothing new costs none; the order is the document's."""
    memory = Memory()
    old = [item(i) for i in range(100)]
    parse(rss("\n".join(old)), "", URL, memory)
    body = rss("\n".join([item(500), *old[:-1]]), head="<title>Later</title><lastBuildDate>x</lastBuildDate>")
    second = parse(body, "", URL, memory)
    parse(body + b"\n", "", URL, memory)
    assert items_parsed == [100, 1, 0]
    assert second == parse(body, "", URL)


def test_a_changed_item_is_parsed_again(items_parsed: list[int]) -> None:
    """Any difference in an item's text makes it another."""
    memory = Memory()
    parse(rss(item(1) + item(2)), "", URL, memory)
    changed = rss(item(1, "Corrected") + item(2))
    assert parse(changed, "", URL, memory) == parse(changed, "", URL)
    assert items_parsed[:2] == [2, 1]


def test_another_context_is_another_item(items_parsed: list[int]) -> None:
    """The same text under another namespace, base or language is not the same item."""
    memory = Memory()
    for language in ("en", "de"):
        body = rss(item(1, "x"), head=f"<language>{language}</language>")
        parsed = parse(body, "", URL, memory)
        assert isinstance(parsed, ParsedFeed)
        assert parsed.entries[0].language == language
    assert items_parsed == [1, 1]


@pytest.mark.parametrize(
    "body",
    [
        rss("<item><title><![CDATA[a </item> b]]></title></item>" + item(2)),
        rss("<item><title><![CDATA[a </item><item> b]]></title></item>" + item(2)),
        rss("<item><title>a</title><!-- </item><item> --><guid>1</guid></item>" + item(2)),
        rss("<!-- <item><title>no</title></item> -->" + item(1)),
        rss(item(1) + "<webMaster>x</webMaster>" + item(2)),
        rss("<item><title>a</title><item><title>b</title></item></item>"),
        b"<!DOCTYPE rss [<!ENTITY e 'E'>]><rss version='2.0'><channel><item><title>&e;</title></item></channel></rss>",
        rss(item(1) + item(1)),
        rss(item(1) + "<item><title>unclosed"),
        rss("<item><title>&nosuch;</title></item>" + item(2)),
        b"<rss version='2.0'><channel><item/><item><title>x</title></item></channel></rss>",
        rss(""),
        b"no feed at all",
    ],
)
def test_where_cutting_could_go_wrong(body: bytes) -> None:
    """Whatever looks like an item and is none, the result is that of the whole document, cold and warm."""
    memory = Memory()
    for _ in range(3):
        assert parse(body, "", URL, memory) == parse(body, "", URL)


def test_the_memory_has_a_bound() -> None:
    """Feeds polled longest ago are forgotten; what is counted is what is held."""
    memory = Memory(budget=20_000)
    for number in range(50):
        parse(rss(item(number)), "", f"{URL}/{number}", memory)
    assert len(memory._feeds) < 20
    assert memory._size == sum(known.size for known in memory._feeds.values()) <= 20_000
    assert f"{URL}/49" in memory._feeds


def real_feeds() -> Iterator[tuple[str, bytes]]:
    data = shared_data()
    if data is None:
        pytest.skip("the data folder is not here")
    with tarfile.open(data / "feeds" / "feeds.tar.xz") as tar:
        for number, member in enumerate(tar):
            handle = tar.extractfile(member)
            if handle is not None and number % 6 == 0:  # all of them take a minute, and were equal
                yield member.name, handle.read()


@pytest.mark.slow
def test_real_feeds_give_the_same_entries() -> None:
    """On real feeds of the data folder the fast path equals the whole, field by field, also after a change."""
    differing = []
    quick = 0
    for name, body in real_feeds():
        memory = Memory()
        whole = parse(body, "", URL)
        cold, warm = parse(body, "", URL, memory), parse(body, "", URL, memory)
        quick += bool(memory._feeds)
        if not (whole == cold == warm):
            differing.append(name)
        if isinstance(whole, ParseFailed):
            continue
    assert differing == []
    assert quick > 50


@pytest.mark.slow
def test_replayed_polls_give_the_same_entries() -> None:
    """Over the recorded polls of the data folder, poll after poll, the fast path equals the whole, field by field."""
    data = shared_data()
    if data is None:
        pytest.skip("the data folder is not here")
    memory = Memory()
    differing = []
    with tarfile.open(fileobj=io.BytesIO((data / "replay" / "polls.tar.xz").read_bytes())) as tar:
        for number, member in enumerate(tar):
            handle = tar.extractfile(member)
            if handle is None or number > 120:
                continue
            body, outlet = handle.read(), member.name.rpartition("/")[2]
            fast = parse(body, "", f"https://example.org/{outlet}", memory)
            if number % 4 == 0 and fast != parse(body, "", f"https://example.org/{outlet}"):
                differing.append(member.name)
    assert differing == []
