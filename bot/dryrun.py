"""Sources in, what Tocsin would make of them out: no store, no chat, nothing sent.

URL, feed file, OPML file or folder → parse → drop copies → place in stories in order of publication
→ `tries`: the entries that a query matches, and why · `grouped`: the stories
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.errors import SourceError
from bot.model import Entry, FeedId, Fetched, FetchFailed, Fingerprint, Kind, ParsedFeed, Validators
from bot.sources.opml import read_opml
from bot.stories.cluster import StoryIndex
from bot.stories.identity import digests, entry_id, find_same
from bot.stories.summary import Habits, summarise
from bot.subscriptions.match import document, hits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from bot.model import ParsedEntry, StoryId
    from bot.ports import Fetcher, Parser
    from bot.subscriptions.query import Query

#: bytes of a feed file; the same as what is taken from the web
LARGEST = 10_000_000
#: sources read at a time
_AT_ONCE = 8
#: stated dates before this are placeholders (1970) or typing errors
_EARLIEST = timedelta(days=365 * 30)


@dataclass(frozen=True, slots=True)
class Found:
    """An entry, placed in its story; `stated` is whether its feed gave a usable date."""

    entry: Entry
    stated: bool

    @property
    def id(self) -> str:
        """What scripts know the entry by: the guid, else the link, else our digest."""
        return self.entry.guid or self.entry.link or self.entry.id


@dataclass(frozen=True, slots=True)
class Reader:
    """How sources are read. `now` is when entries without a date count as published."""

    fetcher: Fetcher
    parser: Parser
    now: datetime
    #: hears of what was left out, in one line each
    note: Callable[[str], None]
    #: hears how many sources are done, of how many
    progress: Callable[[int, int], None]

    async def read(self, sources: Sequence[str]) -> list[Found]:
        """All entries in the feeds' order, each in its story.

        Raises SourceError for a source that was named and can't be read; what a folder or a list of feeds contains is
        only noted, unless nothing in it can be read.
        """
        wanted = [(source, await asyncio.to_thread(_expand, source)) for source in sources]
        total = sum(len(parts) for _, parts in wanted)
        limit = asyncio.Semaphore(_AT_ONCE)
        done = 0

        async def one(part: str | Path) -> tuple[str, ParsedFeed] | str:
            nonlocal done
            async with limit:
                result = await self._parsed(part)
            done += 1
            self.progress(done, total)
            return result

        feeds: list[tuple[str, ParsedFeed]] = []
        for name, parts in wanted:
            results = await asyncio.gather(*(one(part) for part in parts))
            good = [result for result in results if not isinstance(result, str)]
            bad = [result for result in results if isinstance(result, str)]
            if not good:
                raise SourceError(bad[0] if len(bad) == 1 else f"{name}: nothing in it is a feed that can be read")
            for text in bad:
                self.note(text)
            feeds += good
        return placed(feeds, self.now)

    async def _parsed(self, part: str | Path) -> tuple[str, ParsedFeed] | str:
        """The feed and its source's name, or in one line why there is none."""
        if isinstance(part, Path):
            try:
                body, content_type, url = await asyncio.to_thread(_bytes, part), "", ""
            except OSError as refused:
                return f"{part}: can't be read ({refused.strerror})"
            if len(body) > LARGEST:
                return f"{part}: is larger than {LARGEST // 1_000_000} MB"
        else:
            outcome = await self.fetcher.fetch(part, Validators(), "")
            if not isinstance(outcome, Fetched):
                reason = outcome.reason if isinstance(outcome, FetchFailed) else "the feed is gone"
                return f"{part}: can't be fetched ({reason})"
            body, content_type, url = outcome.body, outcome.content_type, outcome.url
        parsed = await self.parser.parse(body, content_type, url)
        if not isinstance(parsed, ParsedFeed):
            return f"{part}: can't be read ({parsed.reason})"
        return parsed.title or (part.stem if isinstance(part, Path) else part), parsed


def placed(feeds: Iterable[tuple[str, ParsedFeed]], now: datetime) -> list[Found]:
    """Entries of named feeds, copies dropped as a live poll would, each in its story."""
    found: list[Found] = []
    known: dict[tuple[str, str], list[Fingerprint]] = defaultdict(list)
    for source, feed in feeds:
        for item, key in zip(feed.entries, digests(feed.entries), strict=True):
            keys = [(source, part) for part in (key.guid, key.link, key.title) if part]
            candidates = {f.entry: f for k in keys for f in known[k]}
            if find_same(key, list(candidates.values())) is not None:
                continue
            new = _found(source, item, now)
            for k in keys:
                known[k].append(
                    Fingerprint(new.entry.id, new.entry.feed, key.guid, key.link, key.title, new.entry.seen)
                )
            found.append(new)
    index = StoryIndex()
    stories: dict[StoryId, StoryId] = {}
    placements = {}
    # of one moment, the one further down is the older: feeds list the newest first
    order = sorted(range(len(found)), key=lambda i: (found[i].entry.published, -i))
    for i in order:
        placement = index.place(found[i].entry)
        placements[i] = placement
        stories.update(dict.fromkeys(placement.merges, placement.story))
    begun: set[StoryId] = set()
    for i in order:
        story = placements[i].story
        while story in stories:
            story = stories[story]
        kind = placements[i].kind
        if kind is Kind.FIRST and story in begun:  # the first of a story that another one took over: it has rung
            kind = Kind.DEVELOPMENT
        begun.add(story)
        entry = replace(found[i].entry, story=story, kind=kind, reason=placements[i].reason, news=placements[i].news)
        found[i] = replace(found[i], entry=entry)
    return found


def tries(found: Sequence[Found], queries: Sequence[Query]) -> Iterator[dict[str, Any]]:
    """The entries that any of the queries matches, in the feeds' order, as `tocsin try --json` prints them."""
    habits = Habits()
    for each in found:
        habits.learn(each.entry)
    for each in found:
        prepared = document(each.entry)
        matched = [hit for query in queries if (hit := hits(query, prepared)) is not None]
        if not matched:
            continue
        marks = [hit for some in matched for hit in some]
        yield {
            "id": each.id,
            "title": each.entry.title,
            "link": each.entry.link,
            "published": each.entry.published.isoformat() if each.stated else None,
            "matched": list(dict.fromkeys(hit.term for hit in marks)),
            "summary": summarise(each.entry, marks, habits).text,
            "story": each.entry.story,
        }


def grouped(found: Sequence[Found]) -> Iterator[dict[str, Any]]:
    """The stories in order of their first entry, as `tocsin stories --json` prints them."""
    stories: dict[StoryId, list[Found]] = defaultdict(list)
    for _, each in sorted(enumerate(found), key=lambda pair: (pair[1].entry.published, -pair[0])):
        stories[each.entry.story].append(each)
    for story, members in stories.items():
        yield {
            "story": story,
            "title": members[0].entry.title,
            "entries": [
                {
                    "id": each.id,
                    "source": each.entry.source,
                    "title": each.entry.title,
                    "link": each.entry.link,
                    "kind": each.entry.kind.value,
                    "why": each.entry.reason,
                    "news": each.entry.news,
                }
                for each in members
            ],
        }


def _expand(source: str) -> list[str | Path]:
    """What one SOURCE stands for: addresses and files."""
    if source.startswith(("http://", "https://")):
        return [source]
    path = Path(source)
    if path.is_dir():
        files = [p for p in sorted(path.rglob("*")) if p.is_file() and not p.name.startswith(".")]
        if not files:
            raise SourceError(f"{source}: the folder is empty")
        return [part for file in files for part in _feeds_of(file)]
    if not path.exists():
        raise SourceError(f"{source}: there is no such file, and it is no address (https://…) either")
    return _feeds_of(path)


def _feeds_of(path: Path) -> list[str | Path]:
    """The file itself, or the feeds that it lists when it is OPML."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return [path]
    if b"<opml" not in head.lower():
        return [path]
    try:
        listed: list[str | Path] = [feed.id for feed in read_opml(_bytes(path))]
    except SourceError as error:
        raise SourceError(f"{path}: {error}") from None
    if not listed:
        raise SourceError(f"{path}: lists no feeds")
    return listed


def _bytes(path: Path) -> bytes:
    """At most one byte more than LARGEST."""
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def _found(source: str, item: ParsedEntry, now: datetime) -> Found:
    stated = item.published or item.updated
    usable = stated is not None and stated > now - _EARLIEST
    published = min(stated, now) if stated is not None and usable else now
    feed = FeedId(source)
    item = replace(item, title=item.title or item.summary[:120] or item.link)
    entry = Entry(
        id=entry_id(feed, item),
        feed=feed,
        source=source,
        title=item.title,
        link=item.link,
        guid=item.guid,
        summary=item.summary,
        seen=published,
        published=published,
        content=item.content,
        captions=item.captions,
        categories=item.categories,
        authors=item.authors,
        language=item.language,
    )
    return Found(entry, usable)
