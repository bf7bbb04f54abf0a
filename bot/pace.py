"""Pace within one process: the buckets of `bot.alerts.pace` on a clock, drawn from at the moment of each send.

Nothing is booked ahead. A process that was frozen, or a laptop that slept, therefore wakes to buckets that say when the
last message really went: its sends follow one another as always, and do not all catch up at once. What outlives a
restart (a group's minute, a burst, a wait that a platform asked for) is in the store before the send.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.alerts.pace import Pacer
from bot.errors import StoreError
from bot.model import Wait, later

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.model import ChatId, Limits
    from bot.ports import Clock, PaceStore

log = structlog.get_logger()

#: seconds by which a send may be early against the distance to the one before, so that timers which are late by as much
#: cost no rate; small enough that no second ever sees more than the rate
_EARLY = 0.015
#: a bucket that is full again after so many seconds is not written down: a restart takes longer
_WORTH = 1.5
#: seconds that are no wait: what adding and subtracting times leaves over
_NONE = 1e-6


class LocalPace:
    """The Pace port where one process does all the sending."""

    def __init__(self, clock: Clock, store: PaceStore | None = None) -> None:
        """`store` keeps what must survive a restart."""
        self._clock = clock
        self._store = store
        self._pacer = Pacer()
        #: by platform: one send at a time passes, in order of arrival; alerts queue before it, so that a person who
        #: waits for an answer has at most one of them ahead
        self._doors: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._queues: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def load(self) -> None:
        """What a process before this one used up, and was told to wait for, counts on. Raises StoreError."""
        if self._store is None:
            return
        now, wall = self._clock.monotonic(), self._clock.now()
        for wait in await self._store.waits():
            # a clock that was set back in between must not make a wait longer than it was
            left = (wait.until - max(wall, wait.since)) / timedelta(seconds=1)
            if left > 0:
                self._pacer.state[wait.kind, wait.name] = now + left

    async def turn(self, chat: ChatId, *, limits: Limits, group: bool, patience: float | None = None) -> float:
        while True:
            wait = self._own_wait(chat, limits, group=group)
            if patience is not None and wait > patience:
                return wait
            if wait > 0:
                await self._clock.sleep(wait)
                continue
            now = self._clock.monotonic()
            await self._keep(self._pacer.after(chat, limits=limits, group=group, now=now))
            if patience is None:
                passed = await self._pass(chat, limits, group=group)
            else:
                async with self._queues[chat.platform]:
                    passed = await self._pass(chat, limits, group=group)
            if passed:
                return 0.0

    async def block(self, platform: str, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        self._pacer.block(platform, until)
        await self._keep({("blocked", platform): until})

    def _own_wait(self, chat: ChatId, limits: Limits, *, group: bool) -> float:
        now = self._clock.monotonic()
        own = self._pacer.chat_wait(chat, limits=limits, group=group, now=now)
        wait = max(own, self._pacer.blocked(chat.platform, now))
        return wait if wait > _NONE else 0.0

    def _platform_wait(self, chat: ChatId, limits: Limits) -> float:
        wait = self._pacer.platform_wait(chat.platform, limits=limits, now=self._clock.monotonic()) - _EARLY
        return wait if wait > _NONE else 0.0

    async def _pass(self, chat: ChatId, limits: Limits, *, group: bool) -> bool:
        """Waits for the platform, and draws; False when the chat or the platform has to wait again by then."""
        async with self._doors[chat.platform]:
            await self._clock.sleep(self._platform_wait(chat, limits))
            if self._platform_wait(chat, limits) or self._own_wait(chat, limits, group=group):
                return False
            self._pacer.take(chat, limits=limits, group=group, now=self._clock.monotonic())
            return True

    async def _keep(self, ends: Mapping[tuple[str, str], float]) -> None:
        now, wall = self._clock.monotonic(), self._clock.now()
        waits = [
            Wait(kind, name, wall, later(wall, end - now)) for (kind, name), end in ends.items() if end - now > _WORTH
        ]
        if not waits or self._store is None:
            return
        try:
            await self._store.put_waits(waits)
        except StoreError as error:  # at worst a platform says "wait" once more; an answer need not wait for a disk
            log.info("pace not kept", reason=str(error))
