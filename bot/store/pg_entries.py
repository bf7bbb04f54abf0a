"""Entries, fingerprints and stories in PostgreSQL, and the one commit of a poll."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import Fingerprint
from bot.store import codec
from bot.store.pg_base import do
from bot.store.pg_outbox import PgDeliveries
from bot.store.statements import statements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.model import Entry, EntryId, FeedId, PollCommit, Story, StoryId
    from bot.store.pg_base import Connection
    from bot.store.pg_lease import Lease

SQL = statements("entries")


class PgEntries(PgDeliveries):
    """EntryStore."""

    #: without which nothing may be committed, where several processes take entries in
    turnstile: Lease | None = None

    async def fingerprints(
        self, feed: FeedId, guids: Sequence[str], links: Sequence[str], titles: Sequence[str]
    ) -> list[Fingerprint]:
        asked = {
            name: [digest for digest in digests if digest]
            for name, digests in (("guids", guids), ("links", links), ("titles", titles))
        }
        return [Fingerprint(*row) for row in await self._rows(SQL["fingerprints"], feed=feed, **asked)]

    async def entries(self, ids: Sequence[EntryId]) -> list[Entry]:
        found = dict(await self._rows(SQL["entries"], ids=[*ids]))
        return [codec.entry.decode(found[entry]) for entry in ids if entry in found]

    async def entries_since(self, since: datetime) -> list[Entry]:
        found = await self._rows(SQL["entries_since"], since=since)
        return await codec.decode_all(codec.entry, [body for (body,) in found])

    async def entries_by_link(self, link: str) -> list[Entry]:
        if not link:
            return []
        return [codec.entry.decode(body) for (body,) in await self._rows(SQL["entries_by_link"], link=link)]

    async def stories(self, ids: Sequence[StoryId]) -> list[Story]:
        found = dict(await self._rows(SQL["stories"], ids=[*ids]))
        return [codec.story.decode(found[story]) for story in ids if story in found]

    async def open_stories(self, since: datetime) -> list[Story]:
        found = await self._rows(SQL["open_stories"], since=since)
        return await codec.decode_all(codec.story, [body for (body,) in found])

    async def commit(self, commit: PollCommit) -> None:
        async def work(connection: Connection) -> None:
            if self.turnstile is not None:
                await self.turnstile.check(connection)
            await self._save_state(connection, commit.state, commit.epoch)
            await put_entries(connection, {entry.id: entry for entry in commit.entries})
            await put_fingerprints(connection, {known.entry: known for known in commit.fingerprints})
            await put_stories(connection, {story.id: story for story in commit.stories})
            await self.put_deliveries(connection, commit.deliveries)

        await self.run(work)


async def put_entries(connection: Connection, entries: dict[EntryId, Entry]) -> None:
    """Replaces by id."""
    if entries:
        given = entries.values()
        await do(
            connection,
            SQL["put_entries"],
            id=[*entries],
            link=[entry.link for entry in given],
            seen=[entry.seen for entry in given],
            body=[codec.entry.encode(entry).decode() for entry in given],
        )


async def put_fingerprints(connection: Connection, fingerprints: dict[EntryId, Fingerprint]) -> None:
    """Replaces by entry."""
    if fingerprints:
        names = ("entry", "feed", "guid", "link", "title", "last_seen")
        values = {name: [getattr(known, name) for known in fingerprints.values()] for name in names}
        await do(connection, SQL["put_fingerprints"], **values)


async def put_stories(connection: Connection, stories: dict[StoryId, Story]) -> None:
    """Replaces by id."""
    if stories:
        given = stories.values()
        await do(
            connection,
            SQL["put_stories"],
            id=[*stories],
            first_seen=[story.first_seen for story in given],
            last_seen=[story.last_seen for story in given],
            merged=[bool(story.merged_into) for story in given],
            body=[codec.story.encode(story).decode() for story in given],
        )
