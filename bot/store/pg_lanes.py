"""The outbox in lanes: a job per lane drains the chats that fall into it, and jobs are woken with what they are to send."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from bot.store.pg_base import PgBase, do, rows
from bot.store.pg_lease import SQL
from bot.store.statements import statements

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from bot.store.pg_base import Connection

    #: queues a job for each lane, within the transaction of the connection
    Wake = Callable[[Connection, Sequence[int]], Awaitable[None]]

LANES = 64

OUTBOX = statements("outbox")


async def wake_lanes(connection: Connection, chats: Sequence[str], wake: Wake) -> None:
    """A job for each lane of these chats that has none waiting."""
    lanes = sorted([lane for (lane,) in await rows(connection, SQL["wake_lanes"], chats=chats)])
    if lanes:
        await wake(connection, lanes)


class Lanes(PgBase):
    """What a lane's job does with the store besides serving claims."""

    async def begin(self, lane: int) -> None:
        """This job will see whatever is due from now on; what a dead or stopped one had in hand is due again.

        Its claims get new epochs: should it run again, it can settle nothing any more.
        """
        await self._at_once(SQL["begin_lane"], lane=lane)

        async def work(connection: Connection) -> None:
            chats = [chat for (chat,) in await rows(connection, SQL["open_claims"], lane=lane)]
            if chats:
                await do(connection, SQL["release_claims"], chats=chats)
                await do(connection, SQL["end_claims"], chats=chats)
                await do(connection, OUTBOX["refresh_claims"], chats=chats)

        await self.run(work)

    async def wake_due(self, now: datetime, wake: Wake) -> float:
        """Jobs for lanes whose chats have waited long enough, and for those whose job was lost. Gives the seconds until
        the next chat has.
        """

        async def work(connection: Connection) -> float:
            lanes = [lane for (lane,) in await rows(connection, SQL["due_lanes"], now=now)]
            if lanes:
                await wake(connection, lanes)
            [(due,)] = await rows(connection, SQL["next_due_lane"], now=now)
            return (due - now).total_seconds() if due else inf

        return await self.run(work)
