"""What people did, remembered by all processes: an update that comes twice, or to two, has one effect."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bot.errors import StoreError
from bot.store.pg_base import PgBase, rows
from bot.store.pg_lease import SQL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.model import Chat, ChatId, Incoming, Reply, Subscription
    from bot.ports import Clock, CommandHandler
    from bot.store.pg_base import Connection, Pool

#: seconds after which whoever began and has not ended is taken to have died
_DEAD = 5.0
_LOOK = 0.25


class OnceOnly(PgBase):
    """A CommandHandler that hands each `Incoming.id` to another one once."""

    def __init__(self, pool: Pool, handler: CommandHandler, clock: Clock) -> None:
        super().__init__(pool)
        self._handler = handler
        self._clock = clock

    def changes(self, incoming: Incoming) -> bool:
        return self._handler.changes(incoming)

    async def added(self, incoming: Incoming, room: Chat) -> Reply | None:
        return await self._handler.added(incoming, room)

    async def listed(self, chat: ChatId) -> tuple[Chat | None, Sequence[Subscription]]:
        return await self._handler.listed(chat)

    async def answer(self, incoming: Incoming) -> Reply | None:
        key = f"{incoming.chat.platform} {incoming.id}"
        with contextlib.suppress(StoreError):  # the handler will meet the same, and has words for it
            if incoming.id and not await self._begin(key):
                return None
        reply = await self._handler.answer(incoming)
        if incoming.id:
            with contextlib.suppress(StoreError):
                await self._at_once(SQL["end_seen"], key=key)
        return reply

    async def _begin(self, key: str) -> bool:
        """Whether it is ours to do; waits while another process has it in hand, and may die of it."""

        async def work(connection: Connection) -> bool | None:
            if await rows(connection, SQL["begin_seen"], key=key, seconds=_DEAD):
                return True
            done = await rows(connection, SQL["is_done"], key=key)
            return False if done and done[0][0] else None

        while (mine := await self.run(work)) is None:
            await self._clock.sleep(_LOOK)
        return mine
