"""What is built where several processes work on one PostgreSQL store, instead of what serves a single one.

Polling hands parsed documents over; one elected process takes them in, others stand by; deliveries are drained in
lanes; pace, leases and what people did are rows that all share (docs/decisions/0010-more-than-one-machine.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import TYPE_CHECKING

from bot.errors import StoreError
from bot.jobs import LaneJobs, prepare
from bot.store.pg_inbox import Inbox
from bot.store.pg_lanes import Lanes
from bot.store.pg_lease import Lease
from bot.store.pg_pace import SharedPace
from bot.store.pg_seen import OnceOnly
from bot.store.postgres import set_up, watched

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.deliver import Deliverer
    from bot.ingest import Ingest
    from bot.ports import Clock, CommandHandler, Messenger, Store
    from bot.store.postgres import PostgresStore

#: seconds for which a lane keeps its worker while other lanes wait
SLICE = 5.0
#: chats of one lane served at the same time
PER_LANE = 2


class Together:
    """The shared parts, and what runs on them."""

    def __init__(self, url: str, store: PostgresStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._url = url
        holder = f"{socket.gethostname()}:{os.getpid()}"
        self.pace = SharedPace(store.pool, clock)
        self.inbox = Inbox(store, clock)
        self._lanes = Lanes(store.pool)
        self._jobs = LaneJobs(watched(url), clock=clock, drain=self._drain, session=store.session, set_up=set_up)
        self._deliverers: dict[int, Deliverer] = {}
        self._stopping = False
        self._make_deliverer: Callable[[Store, int], Deliverer]
        self._turnstile = Lease(store.pool, "ingest", holder, clock)
        self._ears = Lease(store.pool, "telegram", holder, clock)
        self._chores = Lease(store.pool, "chores", holder, clock)
        store.turnstile = self._turnstile
        store.wake = self._jobs.wake

    async def prepare(self) -> None:
        """What the jobs need in the database."""
        await prepare(self._url)

    def once_only(self, handler: CommandHandler) -> OnceOnly:
        """The handler, to which all processes hand each update once."""
        return OnceOnly(self._store.pool, handler, self._clock)

    # ------------------------------------------------------------ ingest

    async def take_in(self, ingest: Ingest) -> None:
        """Until cancelled: takes in what is handed over while elected, and follows the one who is while not."""

        async def work() -> None:
            await ingest.follow()
            await self.inbox.take(ingest)

        with contextlib.suppress(StoreError):
            await ingest.follow()  # who has read nothing yet stands for election last
        await self._turnstile.hold(work, standby=ingest.follow)

    async def take_in_once(self, ingest: Ingest) -> None:
        """Until nothing handed over is left, whoever takes it."""
        empty = asyncio.Event()

        async def work() -> None:
            await ingest.follow()
            while await self.inbox.take_all(ingest):
                pass
            empty.set()
            await asyncio.Event().wait()

        async def look() -> None:
            if await self.inbox.is_empty():
                empty.set()

        task = asyncio.create_task(self._turnstile.hold(work, standby=look))
        try:
            await empty.wait()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    # ------------------------------------------------------------ deliver

    async def deliver(self, make: Callable[[Store, int], Deliverer]) -> None:
        """Until `stop`: drains lanes, as many as this process is given. `make`: a deliverer of a store, so many at once."""
        self._make_deliverer = make
        await self._jobs.run(lambda: self._lanes.wake_due(self._clock.now(), self._jobs.wake))

    async def _drain(self, lane: int) -> None:
        await self._lanes.begin(lane)
        if self._stopping:  # a deliverer that is made now would be told by nobody
            return
        if lane not in self._deliverers:
            self._deliverers[lane] = self._make_deliverer(self._store.of_lane(lane), PER_LANE)
        await self._deliverers[lane].drain(SLICE)

    async def stop(self, deadline: float) -> None:
        """Finishes the messages in hand within `deadline` seconds, gives the rest back."""
        self._stopping = True
        self._jobs.stop()
        await asyncio.gather(*(deliverer.stop(deadline) for deliverer in self._deliverers.values()))

    # ------------------------------------------------------------ chat, and what one process does for all

    async def hear(self, messenger: Messenger, listen: Callable[[], Awaitable[None]]) -> None:
        """Listens to the platform; where it suffers one listener only, while elected."""
        if messenger.platform == "telegram":
            await self._ears.hold(listen)
        else:
            await listen()

    async def do_chores(self) -> None:
        """Until cancelled: stands for election."""
        await self._chores.hold(asyncio.Event().wait)  # type: ignore[arg-type]

    @property
    def has_chores(self) -> bool:
        """Whether this process is the one that does what is to be done once for all."""
        return self._chores.epoch is not None
