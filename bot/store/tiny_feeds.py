"""Feeds in TinyDB: the list in `feeds`, where polling stands in `polls`, leases in memory.

A lease ends with the process that holds it, because no other process can have the file; so leases need no disk.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime  # noqa: TC003  # msgspec reads it
from typing import TYPE_CHECKING

import msgspec

from bot.errors import LeaseLost
from bot.model import FeedState, LeasedFeed, later
from bot.store import codec
from bot.store.order import DueHeap
from bot.store.tiny_base import Base, drop, one, put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.model import Feed, FeedId, HubLease
    from bot.store.journal import JournalDB


class _Poll(msgspec.Struct, gc=False):
    """What the schedule needs of a FeedState."""

    feed: str
    next_poll: datetime
    gone: bool = False
    failures: int = 0


class Feeds(Base):
    """FeedStore."""

    def __init__(self, db: JournalDB, opened: int) -> None:
        super().__init__(db)
        self._feeds = self._table("feeds", "id")
        self._polls = self._table("polls", "feed")
        self._hubs = self._table("hubs", "key", "feed")
        self._poll_decoder = msgspec.json.Decoder(_Poll)
        self._schedule: dict[str, _Poll] = {}
        #: feed → epoch and end of the lease; None: it is over
        self._leases: dict[str, tuple[int, datetime | None]] = {}
        #: never one that an earlier process gave out
        self._epoch = opened << 32
        self._due: DueHeap[str] = DueHeap(self._when_due)
        self._paused: set[str] = set()
        self._storage.watch("feeds", self._follow_feed)
        self._storage.watch("polls", self._follow_poll)

    def _follow_feed(self, _: int, old: bytes | None, new: bytes | None) -> None:
        if old is not None:
            self._paused.discard(codec.feed.decode(old).id)
        if new is not None:
            feed = codec.feed.decode(new)
            if feed.paused:
                self._paused.add(feed.id)
            elif feed.id in self._schedule:
                self._due.touch(feed.id, self._schedule[feed.id].next_poll)

    def _follow_poll(self, _: int, old: bytes | None, new: bytes | None) -> None:
        if new is None:
            if old is not None:
                self._schedule.pop(self._poll_decoder.decode(old).feed, None)
            return
        poll = self._poll_decoder.decode(new)
        self._schedule[poll.feed] = poll
        self._due.touch(poll.feed, poll.next_poll)

    def _when_due(self, feed: str) -> datetime | None:
        poll = self._schedule.get(feed)
        if poll is None or poll.gone or feed in self._paused:
            return None
        until = self._leases[feed][1] if feed in self._leases else None
        return poll.next_poll if until is None else max(poll.next_poll, until)

    async def sync_feeds(self, feeds: Sequence[Feed], now: datetime) -> None:
        async with self._transaction():
            wanted = {feed.id: feed for feed in feeds}
            there: dict[str, tuple[int, Feed]] = {}
            for doc_id, raw in sorted(self._feeds.rows.items()):
                feed = codec.feed.decode(raw)
                if feed.id in wanted:
                    there[feed.id] = (doc_id, feed)
                elif feed.origin != "added":
                    self._forget(feed.id)
            in_order = list(wanted)[: len(there)] == list(there)
            wanted |= {feed.id: replace(wanted[feed.id], paused=feed.paused) for _, feed in there.values()}
            for feed in wanted.values():
                if feed.id in there and in_order:
                    self._feeds.put(there[feed.id][0], codec.feed.encode(feed))
                    continue
                drop(self._feeds, id=feed.id)
                self._feeds.put(None, codec.feed.encode(feed))
                if feed.id not in self._schedule:
                    self._polls.put(None, codec.feed_state.encode(FeedState(feed.id, now)))
        await self._durable()

    def _forget(self, feed: FeedId) -> bool:
        self._leases.pop(feed, None)
        drop(self._polls, feed=feed)
        return bool(drop(self._feeds, id=feed))

    async def add_feed(self, feed: Feed, now: datetime) -> bool:
        async with self._transaction():
            if self._feeds.find(id=feed.id):
                return False
            self._feeds.put(None, codec.feed.encode(feed))
            self._polls.put(None, codec.feed_state.encode(FeedState(feed.id, now)))
        await self._durable()
        return True

    async def remove_feed(self, feed: FeedId) -> bool:
        async with self._transaction():
            there = self._forget(feed)
        await self._durable()
        return there

    async def feeds(self) -> list[tuple[Feed, FeedState]]:
        listed = [codec.feed.decode(raw) for _, raw in sorted(self._feeds.rows.items())]
        listed.sort(key=lambda feed: feed.origin == "added")
        return [(feed, state) for feed in listed if (state := self._state(feed.id)) is not None]

    def _state(self, feed: str) -> FeedState | None:
        found = one(self._polls, codec.feed_state, feed=feed)
        return found[1] if found else None

    async def feed(self, feed: FeedId) -> tuple[Feed, FeedState] | None:
        found, state = one(self._feeds, codec.feed, id=feed), self._state(feed)
        return (found[1], state) if found and state else None

    async def claim_feeds(self, now: datetime, lease: float, limit: int, *, force: bool = False) -> list[LeasedFeed]:
        given = [
            self._lease_feed(feed, now, lease) for feed in (self._all(limit) if force else self._due.take(now, limit))
        ]
        return [leased for leased in given if leased is not None]

    async def claim_feed(self, feed: FeedId, now: datetime, lease: float) -> LeasedFeed | None:
        poll = self._schedule.get(feed)
        free = poll is not None and not poll.gone and feed not in self._paused
        return self._lease_feed(feed, now, lease) if free else None

    def _lease_feed(self, feed: str, now: datetime, lease: float) -> LeasedFeed | None:
        found = one(self._feeds, codec.feed, id=feed)
        state = self._state(feed)
        leased = None
        if found is not None and state is not None:
            self._epoch += 1
            self._leases[feed] = (self._epoch, later(now, lease))
            leased = LeasedFeed(found[1], state, self._epoch)
        self._due.touch(feed, now)
        return leased

    def _all(self, limit: int) -> list[str]:
        """Feeds that are not gone, due or not, leased or not, longest due first."""
        polls = [poll for poll in self._schedule.values() if not poll.gone and poll.feed not in self._paused]
        return [poll.feed for poll in sorted(polls, key=lambda poll: (poll.next_poll, poll.feed))[:limit]]

    async def save_feed(self, state: FeedState, epoch: int) -> None:
        async with self._transaction():
            self._check_lease(state.feed, epoch)
            self._save_state(state)
        await self._durable()
        self._end_lease(state.feed, epoch)

    def _check_lease(self, feed: FeedId, epoch: int) -> None:
        current = self._leases.get(feed)
        if current is None or current[0] != epoch or current[1] is None:
            raise LeaseLost(f"the lease on {feed} was taken over or has ended")

    def _save_state(self, state: FeedState) -> None:
        put(self._polls, codec.feed_state, state, feed=state.feed)

    def _end_lease(self, feed: FeedId, epoch: int) -> None:
        """After the commit: when the disk refuses, the lease runs out by itself, and that is the pause before trying again."""
        if feed in self._leases and self._leases[feed][0] == epoch:
            self._leases[feed] = (epoch, None)
            self._due.touch(feed, self._schedule[feed].next_poll)

    async def pause_feed(self, feed: FeedId, *, paused: bool) -> bool:
        found = one(self._feeds, codec.feed, id=feed)
        if found is None:
            return False
        async with self._transaction():
            self._feeds.put(found[0], codec.feed.encode(replace(found[1], paused=paused)))
        await self._durable()
        return True

    async def next_poll(self, now: datetime) -> datetime | None:  # noqa: ARG002  # the answer does not depend on it
        first = self._due.first()
        return first[0] if first else None

    async def hub_leases(self, *, due: datetime | None = None, feed: FeedId | None = None) -> list[HubLease]:
        rows = self._hubs.rows
        found = [rows[row] for row in (self._hubs.find(feed=feed) if feed is not None else sorted(rows))]
        leases = [codec.hub_lease.decode(raw) for raw in found]
        return [lease for lease in leases if due is None or lease.due <= due]

    async def hub_lease(self, key: str) -> HubLease | None:
        found = one(self._hubs, codec.hub_lease, key=key)
        return found[1] if found else None

    async def put_hub_lease(self, lease: HubLease) -> None:
        async with self._transaction():
            put(self._hubs, codec.hub_lease, lease, key=lease.key)
        await self._durable()

    async def drop_hub_lease(self, key: str) -> None:
        async with self._transaction():
            drop(self._hubs, key=key)
        await self._durable()
