"""What the pace of the one process that sends must still know after a restart, in TinyDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bot.store import codec
from bot.store.tiny_base import drop, put
from bot.store.tiny_move import Moves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.model import ChatId, Wait
    from bot.store.journal import JournalDB


class Waits(Moves):
    """PaceStore."""

    def __init__(self, db: JournalDB, opened: int) -> None:
        super().__init__(db, opened)
        self._waits = self._table("waits", ("kind", "name"), "name")

    async def waits(self) -> list[Wait]:
        found = []
        for raw in self._waits.rows.values():
            try:
                found.append(codec.wait.decode(raw))
            except msgspec.MsgspecError:  # pace is worth no refusal to start
                continue
        return found

    async def put_waits(self, waits: Sequence[Wait]) -> None:
        async with self._transaction():
            for wait in waits:
                put(self._waits, codec.wait, wait, kind=wait.kind, name=wait.name)
        await self._durable()

    def _drop_chat(self, chat: ChatId) -> None:
        super()._drop_chat(chat)
        if not chat.thread:
            drop(self._waits, name=f"{chat.platform}:{chat.address}")

    def _move_chat(self, old: ChatId, new: ChatId) -> None:
        super()._move_chat(old, new)
        drop(self._waits, name=f"{old.platform}:{old.address}")  # another chat to the platform, with its own limits
