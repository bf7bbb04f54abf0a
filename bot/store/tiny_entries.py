"""Entries, fingerprints and stories in TinyDB, and the one commit of a poll."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from bot.model import RHYTHM_STEP, DeliveryState
from bot.store import codec
from bot.store.codec import EPOCH, micros
from bot.store.order import Ordered
from bot.store.tiny_base import one, put, several
from bot.store.tiny_pace import Waits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.model import Entry, EntryId, FeedId, Fingerprint, PollCommit, Story, StoryId
    from bot.store.journal import JournalDB


#: deliveries written before others get a turn
_SLICE = 250
#: states of a delivery that a later turn may decide anew
REPLACED = (DeliveryState.WAITING, DeliveryState.MUTED)


class _Seen(msgspec.Struct, gc=False):
    seen: datetime
    feed: str
    published: datetime


class _LastSeen(msgspec.Struct, gc=False):
    last_seen: datetime


class _Of(msgspec.Struct, gc=False):
    entry: str


def rhythm_step(moment: datetime) -> int:
    """Which step of RHYTHM_STEP since 1970 a moment falls into."""
    return micros(moment) // micros(EPOCH + RHYTHM_STEP)


class Entries(Waits):
    """EntryStore."""

    def __init__(self, db: JournalDB, opened: int) -> None:
        super().__init__(db, opened)
        self._entries = self._table("entries", "id", "link")
        self._fingerprints = self._table("fingerprints", "feed")
        self._stories = self._table("stories", "id")
        self._entries_seen = Ordered()
        self._stories_seen = Ordered()
        seen = msgspec.json.Decoder(_Seen)
        last_seen = msgspec.json.Decoder(_LastSeen)

        #: entries by feed and step of their time of publication
        self._rhythm: dict[str, Counter[int]] = {}

        def follow_entry(row: int, old: bytes | None, new: bytes | None) -> None:
            before, after = (seen.decode(raw) if raw else None for raw in (old, new))
            _move(self._entries_seen, row, before.seen if before else None, after.seen if after else None)
            if before:
                self._rhythm[before.feed][rhythm_step(before.published)] -= 1
            if after:
                self._rhythm.setdefault(after.feed, Counter())[rhythm_step(after.published)] += 1

        def follow_story(row: int, old: bytes | None, new: bytes | None) -> None:
            _move(
                self._stories_seen,
                row,
                old and last_seen.decode(old).last_seen,
                new and last_seen.decode(new).last_seen,
            )

        self._storage.watch("entries", follow_entry)
        self._storage.watch("stories", follow_story)
        self._of = msgspec.json.Decoder(_Of)

    async def fingerprints(
        self, feed: FeedId, guids: Sequence[str], links: Sequence[str], titles: Sequence[str]
    ) -> list[Fingerprint]:
        asked = [set(digests) - {""} for digests in (guids, links, titles)]
        return [
            known
            for known in several(self._fingerprints, codec.fingerprint, feed=feed)
            if known.guid in asked[0] or known.link in asked[1] or known.title in asked[2]
        ]

    async def entries(self, ids: Sequence[EntryId]) -> list[Entry]:
        found = [one(self._entries, codec.entry, id=entry) for entry in ids]
        return [row[1] for row in found if row is not None]

    async def entries_since(self, since: datetime) -> list[Entry]:
        rows = self._entries.rows
        return await codec.decode_all(codec.entry, [rows[row] for row in self._entries_seen.since(micros(since))])

    async def entries_by_link(self, link: str) -> list[Entry]:
        if not link:
            return []
        found = several(self._entries, codec.entry, link=link)
        return sorted(found, key=lambda entry: entry.seen, reverse=True)

    async def stories(self, ids: Sequence[StoryId]) -> list[Story]:
        found = [one(self._stories, codec.story, id=story) for story in ids]
        return [row[1] for row in found if row is not None]

    async def open_stories(self, since: datetime) -> list[Story]:
        rows = self._stories.rows
        found = await codec.decode_all(codec.story, [rows[row] for row in self._stories_seen.since(micros(since))])
        return sorted((s for s in found if not s.merged_into), key=lambda story: (story.first_seen, story.id))

    async def commit(self, commit: PollCommit) -> None:
        feed = commit.state.feed
        async with self._transaction():
            if commit.epoch is not None:
                self._check_lease(feed, commit.epoch)
            if commit.epoch is not None or feed in self._schedule:
                self._save_state(commit.state)
            for entry in commit.entries:
                put(self._entries, codec.entry, entry, id=entry.id)
            self._put_fingerprints(commit.fingerprints)
            for story in commit.stories:
                put(self._stories, codec.story, story, id=story.id)
            for number, delivery in enumerate(commit.deliveries, 1):
                if number % _SLICE == 0:
                    await asyncio.sleep(0)  # noqa: TID251  # a turn, not a wait: one entry may ring 50,000 chats
                found = self._delivery_row(delivery.chat, delivery.story, delivery.id)
                if found is None or found[1].state in REPLACED:
                    self._deliveries.put(found[0] if found else None, codec.delivery.encode(delivery))
        await self._durable()
        if commit.epoch is not None:
            self._end_lease(feed, commit.epoch)

    def _put_fingerprints(self, fingerprints: Sequence[Fingerprint]) -> None:
        rows = self._fingerprints.rows
        for feed in {fingerprint.feed for fingerprint in fingerprints}:
            there = {self._of.decode(rows[row]).entry: row for row in self._fingerprints.find(feed=feed)}
            for fingerprint in fingerprints:
                if fingerprint.feed == feed:
                    self._fingerprints.put(there.get(fingerprint.entry), codec.fingerprint.encode(fingerprint))

    # ------------------------------------------------------------ retention

    def _old_entries(self, before: datetime) -> list[int]:
        return self._entries_seen.before(micros(before))

    def _old_stories(self, before: datetime) -> list[int]:
        return self._stories_seen.before(micros(before))

    def _is_old_fingerprint(self, raw: bytes, before: datetime) -> bool:
        known = codec.fingerprint.decode(raw)
        if known.last_seen >= before:
            return False
        state = self._state(known.feed)
        return state is None or state.last_parsed is None or known.last_seen < state.last_parsed - timedelta(days=2)


def _move(order: Ordered, row: int, old: datetime | bytes | None, new: datetime | bytes | None) -> None:
    if old == new:
        return
    if isinstance(old, datetime):
        order.remove(micros(old), row)
    if isinstance(new, datetime):
        order.add(micros(new), row)
