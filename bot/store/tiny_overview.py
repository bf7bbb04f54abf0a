"""What the page shows of a TinyDB store: newest first, as much as asked for, whatever else is kept."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from heapq import nlargest
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import msgspec

from bot.model import DeliveryKind, DeliveryState, Sizes, Volume
from bot.store import codec
from bot.store.codec import chat_key
from bot.store.tiny_entries import Entries, rhythm_step
from bot.store.tiny_outbox import RING, Counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from bot.model import Delivery, FeedId, Story, Subscription, SubscriptionId

T = TypeVar("T")

#: rows looked at before others get a turn
SLICE = 500

#: only rows that have it write it, and in texts quotes are escaped
_MERGED = b'"merged_into":'

_counted = msgspec.json.Decoder(Counted)


class Overviews(Entries):
    """Overview."""

    async def latest_stories(self, offset: int, limit: int) -> list[Story]:
        rows = self._stories.rows
        newest = (rows[row] for row in self._stories_seen.newest())
        return [codec.story.decode(raw) for raw in _part((raw for raw in newest if _MERGED not in raw), offset, limit)]

    async def latest_rings(self, offset: int, limit: int) -> list[Delivery]:
        rows = self._deliveries.rows
        newest = (raw for row in _newest(rows) if RING in (raw := rows[row]))
        return [codec.delivery.decode(raw) for raw in _part(newest, offset, limit)]

    async def outbox(self, states: Collection[DeliveryState], offset: int, limit: int) -> list[Delivery]:
        rows = self._deliveries.rows
        if set(states) <= {DeliveryState.DUE, DeliveryState.WAITING, DeliveryState.DEAD}:
            wanted: set[int] = set()
            wanted.update(self._dead_rows if DeliveryState.DEAD in states else ())
            wanted.update(self._waiting_rows if DeliveryState.WAITING in states else ())
            for due in self._due_rows.values() if DeliveryState.DUE in states else ():
                wanted.update(due.due)
            found: Iterable[int] = nlargest(offset + limit, wanted)
        else:
            found = (row for row in _newest(rows) if _counted.decode(rows[row]).state in states)
        return [codec.delivery.decode(rows[row]) for row in _part(found, offset, limit)]

    async def latest_subscriptions(self, offset: int, limit: int) -> list[Subscription]:
        rows = self._subscriptions.rows
        return [codec.subscription.decode(rows[row]) for row in _part(_newest(rows), offset, limit)]

    async def volumes(self, subscriptions: Sequence[Subscription], since: datetime) -> dict[SubscriptionId, Volume]:
        matched: dict[int, int] = defaultdict(int)
        rung: dict[int, int] = defaultdict(int)
        rows = self._deliveries.rows
        for chat in {chat_key(subscription.chat) for subscription in subscriptions}:
            for number, row in enumerate(self._deliveries.find(chat=chat)):
                if number % SLICE == SLICE - 1:
                    await asyncio.sleep(0)  # noqa: TID251  # a turn for others, not a wait
                    rows = self._deliveries.rows
                if (raw := rows.get(row)) is None:
                    continue
                counted = _counted.decode(raw)
                if counted.created < since or counted.kind is DeliveryKind.CORRECT:
                    continue
                rang = counted.kind is DeliveryKind.RING and counted.state is DeliveryState.SENT
                for subscription in counted.subscriptions:
                    matched[subscription] += 1
                    rung[subscription] += rang
        return {s.id: Volume(matched[s.id], rung[s.id]) for s in subscriptions}

    async def rhythm(self, feeds: Sequence[FeedId], since: datetime, steps: int) -> dict[FeedId, list[int]]:
        first = rhythm_step(since)
        nothing: Counter[int] = Counter()
        return {feed: [self._rhythm.get(feed, nothing)[first + n] for n in range(steps)] for feed in feeds}

    async def sizes(self) -> Sizes:
        failing = sum(1 for p in self._schedule.values() if (p.failures or p.gone) and p.feed not in self._paused)
        return Sizes(
            feeds=len(self._feeds.rows),
            entries=len(self._entries.rows),
            stories=len(self._stories.rows),
            chats=len(self._chats.rows),
            subscriptions=len(self._subscriptions.rows),
            failing=failing,
            paused=len(self._paused),
        )

    async def revive(self, delivery: Delivery) -> bool:
        found = self._delivery_row(delivery.chat, delivery.story, delivery.id)
        if found is None or found[1].state is not DeliveryState.DEAD:
            return False
        async with self._transaction():
            self._deliveries.put(found[0], codec.delivery.encode(delivery))
        await self._durable()
        return True

    async def check_writable(self) -> None:
        async with self._transaction():
            self._storage.put("meta", 1, self._storage.tables["meta"][1])
        await self._durable()


def _newest(rows: Mapping[int, bytes]) -> Iterable[int]:
    """Ids from the last one given: tables keep the order in which their rows were made."""
    assert isinstance(rows, dict)
    return reversed(rows)


def _part(things: Iterable[T], offset: int, limit: int) -> Iterable[T]:
    return islice(things, offset, offset + limit)
