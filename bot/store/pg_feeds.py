"""Feeds in PostgreSQL: a lease is a row that its epoch must match, so any number of machines may poll."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.errors import LeaseLost
from bot.model import FeedState, LeasedFeed, later
from bot.store import codec
from bot.store.pg_base import PgBase, do, rows
from bot.store.statements import statements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.model import Feed, FeedId, HubLease
    from bot.store.pg_base import Connection

SQL = statements("feeds")


class PgFeeds(PgBase):
    """FeedStore."""

    async def sync_feeds(self, feeds: Sequence[Feed], now: datetime) -> None:
        wanted = {feed.id: feed for feed in feeds}

        async def work(connection: Connection) -> None:
            for feed, added, body in await rows(connection, SQL["feeds_for_sync"]):
                if feed in wanted:
                    wanted[feed] = replace(wanted[feed], paused=codec.feed.decode(body).paused)
                elif not added:
                    await do(connection, SQL["delete_feed"], id=feed)
            for position, feed in enumerate(wanted.values()):
                added = feed.origin == "added"
                await do(connection, SQL["put_feed"], id=feed.id, added=added, position=position, body=_text(feed))
                await _add_poll(connection, feed.id, now)

        await self.run(work)

    async def add_feed(self, feed: Feed, now: datetime) -> bool:
        async def work(connection: Connection) -> bool:
            added = feed.origin == "added"
            if not await do(connection, SQL["add_feed"], id=feed.id, added=added, body=_text(feed)):
                return False
            await _add_poll(connection, feed.id, now)
            return True

        return await self.run(work)

    async def remove_feed(self, feed: FeedId) -> bool:
        return bool(await self._do(SQL["delete_feed"], id=feed))

    async def feeds(self) -> list[tuple[Feed, FeedState]]:
        found = await self._rows(SQL["all_feeds"])
        return [(codec.feed.decode(feed), codec.feed_state.decode(state)) for feed, state in found]

    async def feed(self, feed: FeedId) -> tuple[Feed, FeedState] | None:
        for listed, state in await self._rows(SQL["feed"], id=feed):
            return codec.feed.decode(listed), codec.feed_state.decode(state)
        return None

    async def claim_feeds(self, now: datetime, lease: float, limit: int, *, force: bool = False) -> list[LeasedFeed]:
        async def work(connection: Connection) -> list[tuple[Any, ...]]:
            if force:
                return await rows(connection, SQL["claim_all_feeds"], until=later(now, lease), limit=limit)
            return await rows(connection, SQL["claim_feeds"], now=now, until=later(now, lease), limit=limit)

        found = await self.run(work)
        found.sort(key=lambda row: row[3])
        return [_leased(row) for row in found]

    async def claim_feed(self, feed: FeedId, now: datetime, lease: float) -> LeasedFeed | None:
        async def work(connection: Connection) -> list[tuple[Any, ...]]:
            return await rows(connection, SQL["claim_feed"], feed=feed, until=later(now, lease))

        return next(map(_leased, await self.run(work)), None)

    async def save_feed(self, state: FeedState, epoch: int) -> None:
        async def work(connection: Connection) -> None:
            await self._save_state(connection, state, epoch)

        await self.run(work)

    async def _save_state(self, connection: Connection, state: FeedState, epoch: int | None) -> None:
        body = codec.feed_state.encode(state).decode()
        sql = SQL["save_unleased" if epoch is None else "save_leased"]
        values = {"feed": state.feed, "next_poll": state.next_poll, "gone": state.gone, "body": body, "epoch": epoch}
        if not await do(connection, sql, **values) and epoch is not None:
            raise LeaseLost(f"the lease on {state.feed} was taken over or has ended")

    async def pause_feed(self, feed: FeedId, *, paused: bool) -> bool:
        async def work(connection: Connection) -> bool:
            for (body,) in await rows(connection, SQL["feed_for_pause"], id=feed):
                changed = replace(codec.feed.decode(body), paused=paused)
                await do(connection, SQL["update_feed"], id=feed, body=_text(changed))
                return True
            return False

        return await self.run(work)

    async def next_poll(self, now: datetime) -> datetime | None:  # noqa: ARG002  # the answer does not depend on it
        moment: datetime | None = await self._value(SQL["next_poll"])
        return moment

    async def hub_leases(self, *, due: datetime | None = None, feed: FeedId | None = None) -> list[HubLease]:
        found = await self._rows(SQL["hub_leases"], due=due, feed=feed)
        return [codec.hub_lease.decode(body) for (body,) in found]

    async def hub_lease(self, key: str) -> HubLease | None:
        for (body,) in await self._rows(SQL["hub_lease"], key=key):
            return codec.hub_lease.decode(body)
        return None

    async def put_hub_lease(self, lease: HubLease) -> None:
        body = codec.hub_lease.encode(lease).decode()
        await self._do(SQL["put_hub_lease"], key=lease.key, feed=lease.feed, due=lease.due, body=body)

    async def drop_hub_lease(self, key: str) -> None:
        await self._do(SQL["drop_hub_lease"], key=key)


def _leased(row: tuple[Any, ...]) -> LeasedFeed:
    return LeasedFeed(codec.feed.decode(row[0]), codec.feed_state.decode(row[1]), row[2])


def _text(feed: Feed) -> str:
    return codec.feed.encode(feed).decode()


async def _add_poll(connection: Connection, feed: FeedId, now: datetime) -> None:
    body = codec.feed_state.encode(FeedState(feed, now)).decode()
    await do(connection, SQL["add_poll"], feed=feed, next_poll=now, body=body)
