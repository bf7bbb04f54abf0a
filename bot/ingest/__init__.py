"""Entries in, stories and deliveries out, in one committed turn.

This is the turnstile: fetching and parsing run side by side, but one feed at a time comes through here, so two feeds
that carry one event can't both find "no such story" and both ring. No network I/O happens inside.

    items → drop seen → place in stories → match subscriptions → decide what is owed → one commit
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.errors import QueryError
from bot.ingest.owing import correct, owe
from bot.ingest.turn import Turn, new_entry, oldest_first
from bot.meter import Meter
from bot.model import (
    Entry,
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
from bot.stories.identity import digests, find_same
from bot.subscriptions.match import SubscriptionIndex, document
from bot.subscriptions.query import parse_query
from bot.text import words
from bot.text.language import load_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.model import (
        EntryId,
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
#: fingerprints are moved forward at most this often, so that an unchanging feed writes nothing
_BUMP = timedelta(days=1)
#: how far clocks of machines may differ
_OVERLAP = timedelta(minutes=5)
#: seconds by which a wall clock is not set back in daily life
_SET_BACK = 3600.0
#: stories or subscriptions taken from the store before the event loop gets a turn
_SLICE = 10


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
        meter: Meter | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake
        self._owners = owners
        self._habits = habits
        self._fault = fault
        self._meter = meter or Meter()
        self._turnstile = asyncio.Lock()
        self._stories: StoryIndex | None = None
        self._index = SubscriptionIndex()
        self._subscriptions: dict[SubscriptionId, Subscription] = {}
        self._version = 0
        #: when what is known of other processes' stories was last seen by them
        self._followed = clock.now() - STORY_WINDOW
        #: wall clock minus monotonic clock, when last looked at
        self._skew = clock.now().timestamp() - clock.monotonic()

    async def __call__(self, leased: LeasedFeed, state: FeedState, parsed: ParsedFeed) -> int:
        """Take one parsed feed through the turnstile; returns how many entries were new.

        Raises what the store raises; then nothing of the feed was kept, and the next turn starts from the store.
        """
        async with self._turnstile:
            self._follow_clock()
            index = await self._story_index()
            await self._follow_subscriptions()
            now = self._clock.now()
            turn = Turn(now=now, baseline=leased.state.last_parsed is None)
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
            self._count(turn)
        if turn.deliveries:
            self._wake()
        return turn.new

    async def wanted(self, leased: LeasedFeed, item: ParsedEntry) -> bool:
        """Whether somebody's query matches the item as it is, were it new."""
        async with self._turnstile:
            await self._follow_subscriptions()
            turn = Turn(now=self._clock.now(), baseline=False)
            return bool(self._matching(new_entry(leased, item, leased.feed.name, turn)))

    async def follow(self) -> None:
        """Takes over what another process has committed, so that this one can go on from there at once."""
        async with self._turnstile:
            self._follow_clock()
            index = await self._story_index()
            for story in await self._store.open_stories(self._followed - _OVERLAP):
                index.follow(story, await self._entries(index.unknown(story)))
                self._followed = max(self._followed, min(story.last_seen, self._clock.now()))
            index.forget(self._clock.now() - STORY_WINDOW)
            await self._follow_subscriptions()

    def _count(self, turn: Turn) -> None:
        self._meter.entries += turn.new
        self._meter.stories += sum(e.kind is Kind.FIRST and e.seen == turn.now for e in turn.entries.values())
        self._meter.matches += sum(bool(r.subscriptions) and r.created == turn.now for r in turn.deliveries.values())

    def _follow_clock(self) -> None:
        """A clock that ran ahead let stories go that are open still: when it was set back, all is read anew."""
        now = self._clock.now()
        skew = now.timestamp() - self._clock.monotonic()
        if self._skew - skew > _SET_BACK:
            log.warning("clock was set back", seconds=round(self._skew - skew))
            self._stories = None
            self._followed = now - STORY_WINDOW
        self._skew = skew

    async def _story_index(self) -> StoryIndex:
        if self._stories is None:
            index = StoryIndex(window=STORY_WINDOW)
            stories = await self._store.open_stories(self._clock.now() - STORY_WINDOW)
            for number, story in enumerate(stories):
                self._followed = max(self._followed, min(story.last_seen, self._clock.now()))
                index.restore([(story, await self._entries(story.entries))])
                if number % _SLICE == 0:
                    await self._clock.sleep(0)  # 100,000 entries take half a minute
            self._stories = index
        return self._stories

    async def _entries(self, ids: Sequence[EntryId]) -> list[Entry]:
        """As if none had been seen later than now: what a clock that ran ahead has stamped would close what is open."""
        now = self._clock.now()
        return [e if e.seen <= now else replace(e, seen=now) for e in await self._store.entries(ids)]

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

    async def _take(self, turn: Turn, index: StoryIndex, leased: LeasedFeed, parsed: ParsedFeed) -> None:
        feed = leased.feed.id
        items = oldest_first(parsed.entries, turn.now)
        if not leased.feed.language and not all(item.language for item in items):
            await asyncio.to_thread(load_model)  # loaded once; on the event loop it would hold up everybody
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
                    await self._seen_again(turn, same, item, full=leased.feed.fulltext)
                continue
            entry = new_entry(leased, item, source, turn)
            fingerprint = Fingerprint(entry.id, feed, key.guid, key.link, key.title, turn.now)
            turn.fingerprints[entry.id] = fingerprint
            _file(by_key, fingerprint)
            await self._new(turn, index, entry)
            await self._clock.sleep(0)  # a first poll of 500 entries must not hold the event loop

    async def _new(self, turn: Turn, index: StoryIndex, entry: Entry) -> None:
        placement = self._placed(turn, index, entry)
        entry = replace(entry, story=placement.story, kind=placement.kind, reason=placement.reason, news=placement.news)
        turn.entries[entry.id] = entry
        turn.new += 1
        self._habits.learn(entry)
        story = await self._join(turn, entry, placement)
        if not turn.baseline:
            await self._owe(turn, entry, story)

    def _placed(self, turn: Turn, index: StoryIndex, entry: Entry) -> Placement:
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

    async def _join(self, turn: Turn, entry: Entry, placement: Placement) -> Story:
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

    async def _move_entries(self, turn: Turn, taken: Story, into: StoryId) -> None:
        """Entries name the story they are in now; alerts keep the name under which they rang."""
        stored = await self._store.entries([i for i in taken.entries if i not in turn.entries])
        for entry in (*stored, *(turn.entries[i] for i in taken.entries if i in turn.entries)):
            turn.entries[entry.id] = replace(entry, story=into)

    async def _story(self, turn: Turn, story: StoryId) -> Story | None:
        if story in turn.stories:
            return turn.stories[story]
        return next(iter(await self._store.stories([story])), None)

    async def _owe(self, turn: Turn, entry: Entry, story: Story, *, before: Entry | None = None) -> None:
        """`before` is the entry as it was before an edit: then only words that the edit brings in ring, and only once."""
        known = set(self._matching(before)) if before else set()
        matched = (self._subscriptions[SubscriptionId(key)] for key in self._matching(entry) if key not in known)
        await owe(
            turn,
            entry,
            story,
            matched=matched,
            once=before is not None,
            store=self._store,
            clock=self._clock,
            subscriptions=self._subscriptions,
            owners=self._owners,
        )

    async def _seen_again(self, turn: Turn, same: Fingerprint, item: ParsedEntry, *, full: bool = False) -> None:
        """A copy of what we have: remember that it is still there, and take over what the outlet changed.

        `full`: the content that we have is the article's own page, which the feed does not carry.
        """
        if turn.now - same.last_seen >= _BUMP:
            turn.fingerprints[same.entry] = replace(same, last_seen=turn.now)
        stored = next(iter(await self._store.entries([same.entry])), None)
        if stored is not None and full and len(stored.content) > len(item.content):
            item = replace(item, content=stored.content)
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
            await correct(turn, entry, story, self._store, self._clock)
        if not stored.baseline:
            # the edit may have brought a keyword in: nobody who waits for it should miss it
            await self._owe(turn, replace(entry, kind=Kind.REPEAT), story, before=stored)


def _file(by_key: dict[str, list[Fingerprint]], fingerprint: Fingerprint) -> None:
    for key in (fingerprint.guid, fingerprint.link, fingerprint.title):
        if key:
            by_key.setdefault(key, []).append(fingerprint)
