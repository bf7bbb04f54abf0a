"""What the page shows of a PostgreSQL store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import RHYTHM_STEP, DeliveryState, Sizes, Volume
from bot.store import codec
from bot.store.codec import EPOCH, chat_key
from bot.store.pg_base import do, rows
from bot.store.pg_chats import OUTBOX
from bot.store.pg_entries import PgEntries
from bot.store.pg_outbox import delivery_columns, delivery_of
from bot.store.statements import statements

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from bot.model import Delivery, FeedId, Story, Subscription, SubscriptionId
    from bot.store.pg_base import Connection

SQL = statements("overview")


class PgOverview(PgEntries):
    """Overview."""

    async def latest_stories(self, offset: int, limit: int) -> list[Story]:
        found = await self._rows(SQL["latest_stories"], offset=offset, limit=limit)
        return [codec.story.decode(body) for (body,) in found]

    async def latest_rings(self, offset: int, limit: int) -> list[Delivery]:
        return [delivery_of(row) for row in await self._rows(SQL["latest_rings"], offset=offset, limit=limit)]

    async def outbox(self, states: Collection[DeliveryState], offset: int, limit: int) -> list[Delivery]:
        values = {"states": [state.value for state in states], "offset": offset, "limit": limit}
        return [delivery_of(row) for row in await self._rows(SQL["outbox"], **values)]

    async def latest_subscriptions(self, offset: int, limit: int) -> list[Subscription]:
        found = await self._rows(SQL["latest_subscriptions"], offset=offset, limit=limit)
        return [codec.subscription.decode(body) for (body,) in found]

    async def volumes(self, subscriptions: Sequence[Subscription], since: datetime) -> dict[SubscriptionId, Volume]:
        chats = sorted({chat_key(s.chat) for s in subscriptions})
        found = await self._rows(SQL["volumes"], chats=chats, ids=[s.id for s in subscriptions], since=since)
        volumes = {name: Volume(matched, rung) for name, matched, rung in found}
        return {s.id: volumes.get(s.id, Volume(0, 0)) for s in subscriptions}

    async def rhythm(self, feeds: Sequence[FeedId], since: datetime, steps: int) -> dict[FeedId, list[int]]:
        step = RHYTHM_STEP.total_seconds()
        first = int((since - EPOCH).total_seconds() // step)
        counts = {feed: [0] * steps for feed in feeds}
        for feed, at, count in await self._rows(SQL["rhythm"], since=since, step=step):
            if feed in counts and 0 <= at - first < steps:
                counts[feed][at - first] = count
        return counts

    async def sizes(self) -> Sizes:
        return Sizes(*(await self._rows(SQL["sizes"]))[0])

    async def revive(self, delivery: Delivery) -> bool:
        async def work(connection: Connection) -> bool:
            chats = [chat_key(delivery.chat)]
            await do(connection, OUTBOX["make_claims"], chats=chats)
            await do(connection, OUTBOX["lock_claims"], chats=chats)
            if await rows(connection, SQL["lock_delivery"], id=delivery.id) != [(DeliveryState.DEAD,)]:
                return False
            await do(connection, OUTBOX["settle_deliveries"], **delivery_columns([delivery]))
            await do(connection, OUTBOX["refresh_claims"], chats=chats)
            return True

        return await self.run(work)

    async def check_writable(self) -> None:
        await self._do(SQL["check_writable"])
