"""The full text of articles whose source gives a line or two: fetched before they are compared and matched.

Only for sources with `fulltext = true`, only for entries that are new, and of those only for short ones and for those that
somebody's query matches already. What can't be had in time is left as the feed gave it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from bot.model import Fetched, ParsedEntry, Validators
from bot.sources.urls import mask_url
from bot.stories.identity import digests, find_same

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.model import LeasedFeed, ParsedFeed
    from bot.ports import ArticleReader, EntryStore, Fetcher

    #: whether somebody's query matches the entry as it is
    Wanted = Callable[[LeasedFeed, ParsedEntry], Awaitable[bool]]

#: characters of summary and content together below which an entry is short
SHORT = 600
#: articles fetched for one poll, the newest as the feed lists them
MOST = 20
#: seconds for all of them: well within the feed's lease
PATIENCE = 60.0

log = structlog.get_logger(__name__)


class FullText:
    """Fetches articles with the fetcher of feeds, its guard and its caps, and reads them in the parser's process."""

    def __init__(self, *, store: EntryStore, fetcher: Fetcher, reader: ArticleReader, wanted: Wanted) -> None:
        self._store = store
        self._fetcher = fetcher
        self._reader = reader
        self._wanted = wanted

    async def __call__(self, leased: LeasedFeed, parsed: ParsedFeed) -> ParsedFeed:
        """The feed with the texts of articles in `content`. Raises StoreError."""
        if not leased.feed.fulltext or leased.state.last_parsed is None:  # a baseline rings nobody
            return parsed
        entries = list(parsed.entries)
        places = [place for place in await self._new(leased, entries) if entries[place].link]
        chosen = [place for place in places if _is_short(entries[place]) or await self._wanted(leased, entries[place])]

        async def fill(place: int) -> None:
            text = await self._article(entries[place].link)
            if len(text) > len(entries[place].content):
                entries[place] = replace(entries[place], content=text)

        tasks = [asyncio.create_task(fill(place)) for place in chosen[:MOST]]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=PATIENCE)
            for task in late:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            for failure in done:
                if isinstance(failure, Exception):
                    log.warning("full text failed", feed=mask_url(leased.feed.id), reason=type(failure).__name__)
        return replace(parsed, entries=tuple(entries))

    async def _new(self, leased: LeasedFeed, entries: list[ParsedEntry]) -> list[int]:
        """Places of the entries that were never seen."""
        keys = digests(entries)
        known = await self._store.fingerprints(
            leased.feed.id, [k.guid for k in keys], [k.link for k in keys], [k.title for k in keys]
        )
        return [place for place, key in enumerate(keys) if find_same(key, known) is None]

    async def _article(self, url: str) -> str:
        outcome = await self._fetcher.fetch(url, Validators(), "")
        if not isinstance(outcome, Fetched):
            return ""
        return await self._reader.article(outcome.body, outcome.content_type, outcome.url)


def _is_short(entry: ParsedEntry) -> bool:
    return len(entry.summary) + len(entry.content) < SHORT
