"""Rows 19 to 23 of the fault list: guids that lie, flap and repeat, edits, and items that slide back in."""

from datetime import UTC, datetime

import pytest

from bot.model import FeedId, Fingerprint, ParsedEntry
from bot.stories.identity import digests, entry_id, find_same

FEED = FeedId("https://north.example/rss")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def item(title: str, link: str = "", guid: str = "") -> ParsedEntry:
    return ParsedEntry(title=title, link=link, guid=guid)


def known(*items: ParsedEntry) -> list[Fingerprint]:
    return [
        Fingerprint(entry_id(FEED, i), FEED, d.guid, d.link, d.title, NOW)
        for i, d in zip(items, digests(items), strict=True)
    ]


@pytest.mark.parametrize(
    ("before", "after", "same", "why"),
    [
        (item("A", "/a", "1"), item("A", "/a", "1"), True, "unchanged"),
        (item("A", "/a", "1"), item("A", "/a", "2"), True, "row 20: the guid flaps"),
        (item("A", "/a", "1"), item("A!", "/a", "1"), True, "row 21: the title was edited"),
        (item("A", "/a", "1"), item("A", "/a?utm=x", "1"), True, "the link carries tracking"),
        (item("A", "/a", "1"), item("B", "/b", "1"), False, "row 19: one guid, another article"),
        (item("A", "/a", "1"), item("A!", "/a", "2"), True, "edited, and a new guid, on the same page"),
        (item("A", "/a", "1"), item("A", "/b", "2"), False, "a recurring title on another page"),
        (item("A", "/a", "1"), item("B", "/b", "2"), False, "another article"),
        (item("A", "", "1"), item("A!", "", "1"), True, "nothing but the guid to go by"),
        (item("A", "", ""), item("A", "", ""), True, "nothing but the title to go by"),
        (item("A", "", "1"), item("A", "", "2"), True, "no link, and the guid flaps"),
        (item("A", "/a", ""), item("A!", "/a", ""), True, "no guid: the page decides"),
        (item("A", "/a", ""), item("B", "/b", ""), False, "no guid: another page"),
    ],
)
def test_same_entry(before: ParsedEntry, after: ParsedEntry, same: bool, why: str) -> None:
    """A wrong "new" rings twice; a wrong "same" swallows an article."""
    found = find_same(digests([after])[0], known(before))
    assert (found is not None) is same, why


def test_a_link_shared_by_the_whole_feed_is_no_identity() -> None:
    """A feed whose every item links to the front page must not collapse into one entry."""
    items = [item("A", "/", "1"), item("B", "/", "2")]
    fresh = item("C", "/", "3")
    assert find_same(digests([*items, fresh])[2], known(*items)) is None


def test_a_guid_shared_by_the_whole_feed_is_no_identity() -> None:
    """Row 19 within one document: both articles are delivered."""
    items = [item("A", "/a", "x"), item("B", "/b", "x")]
    keys = digests(items)
    assert keys[0].guid == keys[1].guid == ""
    assert find_same(keys[1], known(items[0])) is None


def test_ids_are_stable_and_apart() -> None:
    """The same item after a crash gets the same id, so that a second commit changes nothing."""
    a, b = item("A", "/a", "1"), item("A", "/a", "2")
    assert entry_id(FEED, a) == entry_id(FEED, a)
    assert entry_id(FEED, a) != entry_id(FEED, b)


def test_lone_surrogates_do_not_break_identity() -> None:
    """Feeds carry broken UTF-16; identity must not crash on it."""
    assert find_same(digests([item("\ud800", "/a")])[0], []) is None
