"""What the page shows, read from the store. Everything is asked for at most once in a while, however many look."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bot.alerts.account import account, monday
from bot.model import RHYTHM_STEP, DeliveryKind, DeliveryState, HubState, Kind, StoryId
from bot.sources.schedule import PollPolicy
from bot.sources.websub import Standing, standing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from bot.alerts.account import Account
    from bot.model import (
        Chat,
        ChatId,
        Delivery,
        Entry,
        Feed,
        FeedId,
        FeedState,
        HubLease,
        Receipt,
        Sizes,
        Story,
        Subscription,
        Tally,
        Volume,
    )
    from bot.ports import Clock, Store

T = TypeVar("T")

#: seconds for which an answer of the store is good enough for everybody who looks
FRESH = 1.0
#: the same for what changes slowly and may be dear to count
SLOW = 20.0
#: answers kept; the oldest leave
_KEPT = 200
#: steps of the rhythm that are drawn: a week
STEPS = timedelta(days=7) // RHYTHM_STEP
WEEK = timedelta(days=7)
#: entries of a story that a line about it looks at
_LOOKED_AT = 40


@dataclass(frozen=True, slots=True)
class StoryLine:
    """A story in the list."""

    story: Story
    #: of those that are kept, in order of arrival; the first few and the last ones
    entries: tuple[Entry, ...]
    outlets: tuple[str, ...]
    repeats: int
    developments: int
    #: how many chats it rang in, or is about to
    chats: int

    @property
    def first(self) -> Entry | None:
        return self.entries[0] if self.entries else None

    @property
    def newest(self) -> Entry | None:
        """The last entry that joined; None while there is only the first."""
        return self.entries[-1] if len(self.entries) > 1 else None


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An alert and its life."""

    ring: Delivery
    #: None when it is no longer kept
    story: Story | None
    queries: tuple[str, ...]
    grown: int
    developed: int
    folded: int
    held: int
    receipt: Receipt | None


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source, how it is and when it speaks."""

    feed: Feed
    state: FeedState
    #: entries by step of RHYTHM_STEP, the current one last
    rhythm: tuple[int, ...]
    #: where its hub posts to us, and what that is worth now
    hub: HubLease | None = None
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class ChatLines:
    """A chat and some of its subscriptions."""

    chat: Chat | None
    id: ChatId
    account: Account
    subscriptions: tuple[tuple[Subscription, Volume], ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """What stands above every section."""

    since: datetime
    account: Account
    sizes: Sizes
    #: age of the oldest row that waits; None without one
    oldest: timedelta | None


class Board:
    """Asks the store, and remembers the answers for a second."""

    def __init__(self, store: Store, clock: Clock, policy: PollPolicy | None = None) -> None:
        """`policy` says how long a hub may be silent before its source is polled as if it had none."""
        self._store = store
        self._policy = policy or PollPolicy()
        self._clock = clock
        self._known: dict[object, tuple[float, asyncio.Task[Any]]] = {}

    async def _once(self, key: object, ask: Callable[[], Awaitable[T]], fresh: float = FRESH) -> T:
        """The answer to `ask`, or the one given less than `fresh` seconds ago; who asks meanwhile waits for the same.

        What is dearer, and fresh for longer, is answered as it was and asked for again behind that: only the first
        visitor waits, and who stays sees it three seconds later.
        """
        now = self._clock.monotonic()
        known = self._known.get(key)
        if known is not None and known[1].done() and (known[1].cancelled() or known[1].exception() is not None):
            known = None
        if known is None or known[0] <= now:

            async def asked() -> T:
                return await ask()

            before, known = known, (now + fresh, asyncio.create_task(asked()))
            self._known.pop(key, None)
            self._known[key] = known
            while len(self._known) > _KEPT:
                del self._known[next(iter(self._known))]
            if fresh > FRESH and before is not None and before[0] + SLOW > now and before[1].done():
                known = before
        # one visitor who leaves must not take the answer from the others
        return cast("T", await asyncio.shield(known[1]))

    def forget(self) -> None:
        """Something was changed here: what is shown next must show it."""
        self._known.clear()

    async def whole(self) -> Whole:
        """The account of all chats and the sizes of everything."""
        return await self._once("whole", self._whole)

    async def _whole(self) -> Whole:
        now = self._clock.now()
        since = monday(now)
        oldest = await self._once("oldest", lambda: self._store.oldest_held(None), SLOW)
        return Whole(
            since,
            account(await self._store.counts(None, since)),
            await self._store.sizes(),
            now - oldest if oldest else None,
        )

    async def stories(self, offset: int, limit: int) -> list[StoryLine]:
        """The newest stories."""
        return await self._once(("stories", offset, limit), lambda: self._stories(offset, limit))

    async def _stories(self, offset: int, limit: int) -> list[StoryLine]:
        return [await self._line(story) for story in await self._store.latest_stories(offset, limit)]

    async def _line(self, story: Story) -> StoryLine:
        ids = story.entries
        if len(ids) > _LOOKED_AT:
            ids = (ids[0], *ids[1 - _LOOKED_AT :])
        entries = tuple(await self._store.entries(ids))
        kinds = Counter(entry.kind for entry in entries)
        rung = await self._store.rings([story.id, *story.merged])
        told = {row.chat for row in rung if row.state in (DeliveryState.SENT, DeliveryState.DUE)}
        unseen = len(story.entries) - len(ids)
        return StoryLine(
            story,
            entries,
            tuple(dict.fromkeys(entry.source for entry in entries)),
            kinds[Kind.REPEAT] + unseen,
            kinds[Kind.DEVELOPMENT],
            len(told),
        )

    async def story(self, story: str) -> tuple[Story, list[Entry], list[AlertLine]] | None:
        """One story with all that is kept of it, and the alerts about it; None when there is none of that name."""
        for found in await self._store.stories([StoryId(story)]):
            if found.merged_into:
                return await self.story(found.merged_into)
            entries = await self._store.entries(found.entries[-500:])
            rings = await self._store.rings([found.id, *found.merged])
            return found, entries, [await self._alert(ring, found) for ring in rings[:50]]
        return None

    async def alerts(self, offset: int, limit: int) -> list[AlertLine]:
        """The newest alerts."""
        return await self._once(("alerts", offset, limit), lambda: self._alerts(offset, limit))

    async def _alerts(self, offset: int, limit: int) -> list[AlertLine]:
        rings = await self._store.latest_rings(offset, limit)
        stories = {story.id: story for story in await self._store.stories([ring.story for ring in rings])}
        return [await self._alert(ring, stories.get(ring.story)) for ring in rings]

    async def _alert(self, ring: Delivery, story: Story | None) -> AlertLine:
        rows = Counter((row.kind, row.state) for row in await self._store.deliveries(ring.chat, [ring.story]))
        receipts = await self._store.receipts(ring.chat, [ring.story])
        queries = await self._queries(ring.chat)
        later = [(kind, state, n) for (kind, state), n in rows.items() if kind is not DeliveryKind.RING]
        return AlertLine(
            ring,
            story,
            tuple(queries[i] for i in ring.subscriptions if i in queries),
            sum(n for kind, state, n in later if kind is DeliveryKind.GROW and state is DeliveryState.SENT),
            sum(n for kind, state, n in later if kind is DeliveryKind.DEVELOP and state is DeliveryState.SENT),
            sum(n for _kind, state, n in later if state is DeliveryState.FOLDED),
            sum(n for _kind, state, n in later if state is DeliveryState.DUE),
            receipts[-1] if receipts else None,
        )

    async def _queries(self, chat: ChatId) -> dict[int, str]:
        async def ask() -> dict[int, str]:
            return {s.id: s.query for s in await self._store.subscriptions(chat)}

        return await self._once(("queries", chat), ask, SLOW)

    async def _ranked(self) -> list[tuple[Feed, FeedState]]:
        return sorted(await self._store.feeds(), key=lambda pair: _health(*pair))

    async def sources(self, offset: int, limit: int, *, only_failing: bool = False) -> tuple[list[SourceLine], int]:
        """Sources, those that need somebody first; and how many there are in all."""
        feeds = await self._once("feeds", self._ranked, FRESH * 3)
        if only_failing:
            feeds = [(feed, state) for feed, state in feeds if state.failures or state.gone or feed.paused]
        shown = feeds[offset : offset + limit]
        ids = [feed.id for feed, _ in shown]
        since = self._clock.now() - RHYTHM_STEP * (STEPS - 1)
        rhythm = await self._once(("rhythm", *ids), lambda: self._store.rhythm(ids, since, STEPS), SLOW)
        hubs = await self._once("hubs", self._hubs, FRESH * 3)
        lines = []
        for feed, state in shown:
            hub = hubs.get(feed.id)
            worth = standing(hub, self._clock.now(), self._policy.bounds(feed)[2]) if hub else None
            lines.append(SourceLine(feed, state, tuple(rhythm[feed.id]), hub, worth))
        return lines, len(feeds)

    async def _hubs(self) -> dict[FeedId, HubLease]:
        return {hub.feed: hub for hub in await self._store.hub_leases() if hub.state is not HubState.LEAVING}

    async def subscriptions(self, offset: int, limit: int) -> list[ChatLines]:
        """The newest subscriptions by chat, each with what it brought in a week."""
        return await self._once(("subscriptions", offset, limit), lambda: self._subscriptions(offset, limit))

    async def _subscriptions(self, offset: int, limit: int) -> list[ChatLines]:
        now = self._clock.now()
        found = await self._store.latest_subscriptions(offset, limit)
        ids = tuple(subscription.id for subscription in found)
        volumes = await self._once(("volumes", ids), lambda: self._store.volumes(found, now - WEEK), SLOW)
        by_chat: dict[ChatId, list[Subscription]] = {}
        for subscription in found:
            by_chat.setdefault(subscription.chat, []).append(subscription)
        return [
            ChatLines(
                await self._store.chat(chat),
                chat,
                account(await self._counts(chat, monday(now))),
                tuple((s, volumes[s.id]) for s in mine),
            )
            for chat, mine in by_chat.items()
        ]

    async def _counts(self, chat: ChatId, since: datetime) -> dict[Tally, int]:
        return await self._once(("counts", chat), lambda: self._store.counts(chat, since), FRESH * 3)

    async def outbox(self, states: frozenset[DeliveryState], offset: int, limit: int) -> list[Delivery]:
        """The newest rows in these states."""
        return await self._once(("outbox", states, offset, limit), lambda: self._store.outbox(states, offset, limit))

    async def titles(self, rows: Sequence[Delivery]) -> dict[StoryId, str]:
        """Headlines of the stories that rows are about."""
        return {s.id: s.title for s in await self._store.stories([row.story for row in rows])}


def _health(feed: Feed, state: FeedState) -> tuple[int, str]:
    """Those that fail first, then those that are gone, paused, never read, and well."""
    name = (feed.name or state.title or feed.id).casefold()
    if feed.paused:
        return 2, name
    if state.gone:
        return 1, name
    if state.failures:
        return 0, name
    return (3 if state.last_ok is None else 4), name
