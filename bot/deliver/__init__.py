"""Due deliveries in, sent messages out.

    claim → plan (hold, fold, render) → pace → send or edit → settle

At-least-once: a claim counts the attempt before anything is sent, and every send is settled on its own, so that a
crash or a lost answer costs at most that one message a second time. One chat's rows are handled in order by one task;
chats never wait for one another.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import structlog

from bot.deliver.lane import LEASE, Lanes
from bot.errors import StoreError
from bot.meter import Meter
from bot.model import later

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from random import Random

    from bot.model import ChatId
    from bot.ports import Clock, Messenger, Pace, Store
    from bot.stories.summary import Habits

log = structlog.get_logger()

#: chats served at the same time
LANES = 64
#: seconds to wait when the store can't be written (disk full): nothing may be sent that could not be recorded
_STORE_TROUBLE = 5.0
#: the store is asked at least this often: another process may write to it, and the wall clock may be stepped under us
_LOOK = 60.0
_ALL = 1_000_000
#: seconds; no back-off is longer
_LONGEST_WAIT = 1200.0


class Deliverer:
    """Drains the outbox. Holds the tasks in hand; everything else is in the store."""

    def __init__(
        self,
        *,
        store: Store,
        messengers: Mapping[str, Messenger],
        clock: Clock,
        rng: Random,
        habits: Habits,
        away: tuple[datetime, datetime] | None,
        pace: Pace,
        fault: Callable[[str], None],
        at_once: int = LANES,
        meter: Meter | None = None,
        unrecorded: set[ChatId] | None = None,
    ) -> None:
        """`at_once`: chats served at the same time. `unrecorded`: shared by all deliverers of a process."""
        self._store = store
        self._clock = clock
        self._fault = fault
        self._at_once = at_once
        self._lanes = Lanes(
            store=store,
            messengers=messengers,
            clock=clock,
            rng=rng,
            habits=habits,
            away=away,
            pace=pace,
            fault=fault,
            meter=meter or Meter(),
            unrecorded=set() if unrecorded is None else unrecorded,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._work = asyncio.Event()
        #: wall clock minus monotonic clock, when last looked at
        self._skew = clock.now().timestamp() - clock.monotonic()

    def wake(self) -> None:
        """Something may be due: look now."""
        self._work.set()

    def caught_up(self) -> None:
        """Every source was read since the start: what was missed need not be held any longer."""
        self._lanes.caught_up = True

    async def run(self) -> None:
        """Serves due chats until `stop`; sleeps until the next row is due or `wake` is called."""
        while not self._lanes.stopping:
            self._work.clear()
            try:
                await self._start_lanes()
                due = await self._store.next_due(self._clock.now()) if len(self._tasks) < self._at_once else None
            except StoreError as error:
                log.warning("outbox unavailable", reason=str(error))
                due = later(self._clock.now(), _STORE_TROUBLE)
            await self._wait(due)

    async def drain(self, seconds: float = math.inf) -> None:
        """Delivers everything that is due now, and returns when nothing is; takes no new work after `seconds`."""
        until = self._clock.monotonic() + seconds
        while True:
            if self._clock.monotonic() < until and not self._lanes.stopping:
                await self._start_lanes()
            if not self._tasks:
                return
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self, deadline: float) -> None:
        """Takes no new work, finishes the messages in hand within `deadline` seconds, gives the rest back."""
        self._lanes.stopping = True
        self._work.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=deadline)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _start_lanes(self) -> None:
        free = self._at_once - len(self._tasks)
        if free <= 0:
            return
        await self._follow_clock()
        for claim in await self._store.claim_deliveries(self._clock.now(), LEASE, free):
            self._fault("claimed")
            task = asyncio.create_task(self._lanes.serve(claim), name=f"deliver {claim.chat.id}")
            self._tasks.add(task)
            task.add_done_callback(self._lane_done)

    async def _follow_clock(self) -> None:
        """A clock that was set back by a day must not delay by a day what waits for seconds: all is looked at anew."""
        now = self._clock.now()
        skew = now.timestamp() - self._clock.monotonic()
        back = self._skew - skew
        if back > _LOOK and self._tasks:
            return  # their claims must not be taken from them: as soon as none is in hand
        if back > _LOOK:
            log.warning("clock was set back", seconds=round(back))
            ahead = back + _LONGEST_WAIT
            for claim in await self._store.claim_deliveries(later(now, ahead), LEASE - ahead, _ALL):
                await self._lanes.give_back(claim, list(claim.deliveries), now)
        self._skew = skew

    def _lane_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("delivery lane failed", lane=task.get_name(), exc_info=error)
        self._work.set()

    async def _wait(self, due: datetime | None) -> None:
        seconds = _LOOK if due is None else max(0.0, (due - self._clock.now()).total_seconds())
        waits: list[asyncio.Task[object]] = [
            asyncio.create_task(self._work.wait()),
            asyncio.create_task(self._nap(min(seconds, _LOOK))),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _nap(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
