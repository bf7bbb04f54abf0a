"""Entries in, stories and deliveries out, in one committed turn.

This is the turnstile: fetching and parsing run side by side, but one feed at a time comes through here, so two feeds
that carry one event can't both find "no such story" and both ring. No network I/O happens inside.

    items → drop seen → place in stories → match subscriptions → decide what is owed → one commit
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.alerts.outbox import Told, corrected, independent_outlets, owed
from bot.errors import QueryError
from bot.model import (
    DeliveryKind,
    DeliveryState,
    Entry,
    EntryId,
    Fingerprint,
    Kind,
    Placement,
    PollCommit,
    Story,
    StoryId,
    SubscriptionId,
)
from bot.sources.urls import mask_url
from bot.stories.cluster import StoryIndex
from bot.stories.identity import digests, entry_id, find_same
from bot.subscriptions.match import SubscriptionIndex, document
from bot.subscriptions.query import parse_query
from bot.text import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bot.model import (
        Chat,
        ChatId,
        Delivery,
        DeliveryId,
        FeedId,
        FeedState,
        LeasedFeed,
        ParsedEntry,
        ParsedFeed,
        Subscription,
        SubscriptionChange,
    )
    from bot.ports import Clock, Store
    from bot.stories.summary import Habits

log = structlog.get_logger()

#: a story rests this long after its last entry; then a new entry starts a new one
STORY_WINDOW = timedelta(hours=72)
#: stated dates before this are placeholders (1970) or typing errors
_EARLIEST = timedelta(days=365 * 30)
#: fingerprints are moved forward at most this often, so that an unchanging feed writes nothing
_BUMP = timedelta(days=1)
#: stories or subscriptions taken from the store before the event loop gets a turn
_SLICE = 10


@dataclass(slots=True)
class _Turn:
    """What one turn has decided so far; later items of the same feed see it before it is on disk."""

    now: datetime
    baseline: bool
    entries: dict[EntryId, Entry] = field(default_factory=dict)
    fingerprints: dict[EntryId, Fingerprint] = field(default_factory=dict)
    stories: dict[StoryId, Story] = field(default_factory=dict)
    deliveries: dict[DeliveryId, Delivery] = field(default_factory=dict)
    new: int = 0
    #: the story index may be half changed: rebuild it before the next turn
    doubtful: bool = False


class Ingest:
    """The turnstile. Holds the two indexes that make its decisions fast; both are rebuilt from the store."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        wake: Callable[[], None],
        owners: Mapping[FeedId, str],
        habits: Habits,
        fault: Callable[[str], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake
        self._owners = owners
        self._habits = habits
        self._fault = fault
        self._turnstile = asyncio.Lock()
        self._stories: StoryIndex | None = None
        self._index = SubscriptionIndex()
        self._subscriptions: dict[SubscriptionId, Subscription] = {}
        self._version = 0

    async def __call__(self, leased: LeasedFeed, state: FeedState, parsed: ParsedFeed) -> int:
        """Take one parsed feed through the turnstile; returns how many entries were new.

        Raises what the store raises; then nothing of the feed was kept, and the next turn starts from the store.
        """
        async with self._turnstile:
            index = await self._story_index()
            await self._follow_subscriptions()
            now = self._clock.now()
            turn = _Turn(now=now, baseline=leased.state.last_parsed is None)
            try:
                await self._take(turn, index, leased, parsed)
                self._fault("placed")
                await self._store.commit(
                    PollCommit(
                        state=replace(state, last_entry=now) if turn.new else state,
                        epoch=leased.epoch,
                        entries=tuple(turn.entries.values()),
                        fingerprints=tuple(turn.fingerprints.values()),
                        stories=tuple(turn.stories.values()),
                        deliveries=tuple(turn.deliveries.values()),
                    )
                )
            except BaseException:
                if turn.entries:
                    self._stories = None  # it has placed entries that nobody will ever see: rebuild it
                raise
            if turn.doubtful:
                self._stories = None
            self._fault("committed")
        if turn.deliveries:
            self._wake()
        return turn.new

    async def _story_index(self) -> StoryIndex:
        if self._stories is None:
            index = StoryIndex(window=STORY_WINDOW)
            stories = await self._store.open_stories(self._clock.now() - STORY_WINDOW)
            for number, story in enumerate(stories):
                index.restore([(story, await self._store.entries(story.entries))])
                if number % _SLICE == 0:
                    await self._clock.sleep(0)  # 100,000 entries take half a minute
            self._stories = index
        return self._stories

    async def _follow_subscriptions(self) -> None:
        for number, change in enumerate(await self._store.subscription_changes(self._version)):
            self._apply(change)
            if number % _SLICE == _SLICE - 1:
                await self._clock.sleep(0)

    def _apply(self, change: SubscriptionChange) -> None:
        self._version = change.version
        if self._subscriptions.pop(change.id, None) is not None:
            self._index.remove(change.id)
        if change.subscription is None:
            return
        try:
            query = parse_query(change.subscription.query)
        except QueryError as error:
            # a query that an older version accepted; its owner is told by /subscriptions
            log.warning("query refused", subscription=change.id, reason=error.message)
            return
        self._index.add(change.id, query)
        self._subscriptions[change.id] = change.subscription

    async def _take(self, turn: _Turn, index: StoryIndex, leased: LeasedFeed, parsed: ParsedFeed) -> None:
        feed = leased.feed.id
        items = _oldest_first(parsed.entries, turn.now)
        keys = digests(items)
        known = await self._store.fingerprints(
            feed, [k.guid for k in keys], [k.link for k in keys], [k.title for k in keys]
        )
        source = leased.feed.name or parsed.title or mask_url(feed)
        by_key: dict[str, list[Fingerprint]] = {}
        for fingerprint in known:
            _file(by_key, fingerprint)
        for item, key in zip(items, keys, strict=True):
            candidates = {f.entry: f for k in (key.guid, key.link, key.title) if k for f in by_key.get(k, ())}
            same = find_same(key, list(candidates.values()))
            if same is not None:
                if same.entry not in turn.entries:
                    await self._seen_again(turn, same, item)
                continue
            entry = _entry(leased, item, source, turn)
            fingerprint = Fingerprint(entry.id, feed, key.guid, key.link, key.title, turn.now)
            turn.fingerprints[entry.id] = fingerprint
            _file(by_key, fingerprint)
            await self._new(turn, index, entry)
            await self._clock.sleep(0)  # a first poll of 500 entries must not hold the event loop

    async def _new(self, turn: _Turn, index: StoryIndex, entry: Entry) -> None:
        placement = self._placed(turn, index, entry)
        entry = replace(entry, story=placement.story, kind=placement.kind, reason=placement.reason, news=placement.news)
        turn.entries[entry.id] = entry
        turn.new += 1
        self._habits.learn(entry)
        story = await self._join(turn, entry, placement)
        if not turn.baseline:
            await self._owe(turn, entry, story)

    def _placed(self, turn: _Turn, index: StoryIndex, entry: Entry) -> Placement:
        """An entry that the clustering chokes on stands alone: it still rings, and the feed's others go on."""
        try:
            return index.place(entry)
        except Exception:
            log.exception("entry not compared", entry=entry.id, feed=mask_url(entry.feed))
            turn.doubtful = True
            return Placement(entry.id, StoryId(f"s{entry.id}"), Kind.FIRST, "it could not be compared with others")

    def _matching(self, entry: Entry) -> Sequence[int]:
        """Keys of the subscriptions that match; an entry that matching chokes on costs nobody else's alerts."""
        try:
            return self._index.match(document(entry))
        except Exception:
            log.exception("entry not matched", entry=entry.id, feed=mask_url(entry.feed))
            return ()

    async def _join(self, turn: _Turn, entry: Entry, placement: Placement) -> Story:
        story = await self._story(turn, placement.story) or Story(placement.story, entry.title, turn.now, turn.now, ())
        taken = [s for i in placement.merges if (s := await self._story(turn, i))]
        for other in taken:
            turn.stories[other.id] = replace(other, merged_into=story.id)
            await self._move_entries(turn, other, story.id)
        story = replace(
            story,
            last_seen=turn.now,
            entries=(*dict.fromkeys((*story.entries, *(e for o in taken for e in o.entries), entry.id)),),
            merged=(*story.merged, *(m for o in taken for m in (o.id, *o.merged))),
        )
        turn.stories[story.id] = story
        return story

    async def _move_entries(self, turn: _Turn, taken: Story, into: StoryId) -> None:
        """Entries name the story they are in now; alerts keep the name under which they rang."""
        stored = await self._store.entries([i for i in taken.entries if i not in turn.entries])
        for entry in (*stored, *(turn.entries[i] for i in taken.entries if i in turn.entries)):
            turn.entries[entry.id] = replace(entry, story=into)

    async def _story(self, turn: _Turn, story: StoryId) -> Story | None:
        if story in turn.stories:
            return turn.stories[story]
        return next(iter(await self._store.stories([story])), None)

    async def _owe(self, turn: _Turn, entry: Entry, story: Story, *, before: Entry | None = None) -> None:
        """`before` is the entry as it was before an edit: then only words that the edit brings in ring, and only once."""
        known = set(self._matching(before)) if before else set()
        matched: dict[ChatId, list[Subscription]] = {}
        for key in self._matching(entry):
            if key in known:
                continue
            subscription = self._subscriptions[SubscriptionId(key)]
            matched.setdefault(subscription.chat, []).append(subscription)
        told = await self._told(turn, story)
        if before:
            matched = {chat: found for chat, found in matched.items() if chat not in told}
            told = {}
        if not matched and not told:
            return
        rows = owed(
            entry,
            matched=matched,
            told=told,
            chats=await self._chats(matched.keys() | told.keys()),
            subscriptions=self._subscriptions,
            outlets=await self._outlets(turn, story) if _asks_for_outlets(matched, told) else 1,
            now=turn.now,
        )
        turn.deliveries.update((row.id, row) for row in rows)

    async def _told(self, turn: _Turn, story: Story) -> dict[ChatId, Told]:
        """What each chat knows of the story, under any name it had."""
        names = (story.id, *story.merged)
        rows = {row.id: row for row in await self._store.rings(names)}
        rows.update((i, row) for i, row in turn.deliveries.items() if row.story in names)
        told: dict[ChatId, Told] = {}
        for row in rows.values():
            if row.kind is not DeliveryKind.RING or row.state is DeliveryState.MUTED:
                continue  # what was never told, because it was stopped or paused in time, may ring for others
            before = told.get(row.chat)
            if before is None or (before.ring and _rank(row) > _rank(before.ring)):
                told[row.chat] = Told(row)
        for mute in await self._store.mutes(names):
            told[mute.chat] = Told(told[mute.chat].ring if mute.chat in told else None, muted=True)
        return told

    async def _chats(self, ids: Iterable[ChatId]) -> dict[ChatId, Chat]:
        return {i: chat for i in ids if (chat := await self._store.chat(i))}

    async def _outlets(self, turn: _Turn, story: Story) -> int:
        fresh = [turn.entries[i] for i in story.entries if i in turn.entries]
        stored = await self._store.entries([i for i in story.entries if i not in turn.entries])
        return independent_outlets([*stored, *fresh], self._owners)

    async def _seen_again(self, turn: _Turn, same: Fingerprint, item: ParsedEntry) -> None:
        """A copy of what we have: remember that it is still there, and take over what the outlet changed."""
        if turn.now - same.last_seen >= _BUMP:
            turn.fingerprints[same.entry] = replace(same, last_seen=turn.now)
        stored = next(iter(await self._store.entries([same.entry])), None)
        if stored is None or (stored.title, stored.summary, stored.content) == (item.title, item.summary, item.content):
            return
        retitled = words(stored.title) != words(item.title)
        entry = replace(
            stored,
            title=item.title,
            summary=item.summary,
            content=item.content,
            captions=item.captions,
            former_titles=(*stored.former_titles, (stored.title, turn.now)) if retitled else stored.former_titles,
        )
        turn.entries[entry.id] = entry
        story = await self._story(turn, entry.story)
        if story is None or turn.now - story.last_seen > STORY_WINDOW:
            return
        if retitled:
            rings = [t.ring for t in (await self._told(turn, story)).values() if t.ring and not t.muted]
            turn.deliveries.update((row.id, row) for row in corrected(entry, rings, turn.now))
        if not stored.baseline:
            # the edit may have brought a keyword in: nobody who waits for it should miss it
            await self._owe(turn, replace(entry, kind=Kind.REPEAT), story, before=stored)


def _asks_for_outlets(matched: Mapping[ChatId, list[Subscription]], told: Mapping[ChatId, Told]) -> bool:
    """Only `min:` does, so a story's outlets are counted only where somebody waits for them."""
    return any(s.min_outlets > 1 for found in matched.values() for s in found) or any(
        t.ring is not None and t.ring.state is DeliveryState.WAITING for t in told.values()
    )


def _rank(ring: Delivery) -> int:
    """Of several rings that a late merge leaves, the one that was sent counts, then the one that will be."""
    return {DeliveryState.WAITING: 0, DeliveryState.DUE: 2, DeliveryState.SENT: 3}.get(ring.state, 1)


def _file(by_key: dict[str, list[Fingerprint]], fingerprint: Fingerprint) -> None:
    for key in (fingerprint.guid, fingerprint.link, fingerprint.title):
        if key:
            by_key.setdefault(key, []).append(fingerprint)


def _oldest_first(items: tuple[ParsedEntry, ...], now: datetime) -> list[ParsedEntry]:
    """By the stated time; items without a usable one keep their place (feeds list the newest first)."""
    named = [replace(item, title=item.title or item.summary[:120] or item.link) for item in reversed(items)]
    return sorted(named, key=lambda item: _published(item, now))


def _published(item: ParsedEntry, now: datetime) -> datetime:
    """The stated time where it can be true: not in the future, not a placeholder."""
    stated = item.published or item.updated
    return stated if stated is not None and now - _EARLIEST < stated <= now else now


def _entry(leased: LeasedFeed, item: ParsedEntry, source: str, turn: _Turn) -> Entry:
    return Entry(
        id=entry_id(leased.feed.id, item),
        feed=leased.feed.id,
        source=source,
        title=item.title,
        link=item.link,
        guid=item.guid,
        summary=item.summary,
        seen=turn.now,
        published=_published(item, turn.now),
        content=item.content,
        captions=item.captions,
        categories=item.categories,
        authors=item.authors,
        language=item.language or leased.feed.language,
        tags=leased.feed.tags,
        baseline=turn.baseline,
    )
