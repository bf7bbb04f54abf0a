"""Pace within one process: the buckets of `bot.alerts.pace` on a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.alerts.pace import Pacer

if TYPE_CHECKING:
    from bot.model import ChatId, Limits
    from bot.ports import Clock


class LocalPace:
    """The Pace port where one process does all the sending."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pacer = Pacer()

    async def turn(self, chat: ChatId, *, limits: Limits, group: bool, patience: float | None = None) -> float:
        now = self._clock.monotonic()
        if patience is not None:
            own = self._pacer.chat_wait(chat, limits=limits, group=group, now=now)
            wait = max(own, self._pacer.blocked(chat.platform, now))
            if wait > patience:
                return wait
        await self._clock.sleep(self._pacer.reserve(chat, limits=limits, group=group, now=now))
        return 0.0

    async def block(self, platform: str, seconds: float) -> None:
        self._pacer.block(platform, self._clock.monotonic() + seconds)
