"""Entries for the tests of matching."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.model import Entry, EntryId, FeedId

SEEN = datetime(2026, 3, 1, tzinfo=UTC)


def entry(title: str, language: str = "en", **parts: Any) -> Entry:
    """An entry of the BBC, unless told otherwise."""
    known: dict[str, Any] = {
        "id": EntryId("e1"), "feed": FeedId("https://feeds.bbci.co.uk/news/rss.xml"), "source": "BBC News", "guid": "g1",
        "link": "https://www.bbc.co.uk/news/1", "summary": "", "seen": SEEN, "published": SEEN,
    }  # fmt: skip
    return Entry(title=title, language=language, **{**known, **parts})
