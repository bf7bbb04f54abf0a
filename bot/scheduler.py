"""The few named jobs of the bot, on APScheduler: ticks that ask the store what is due, never one job per feed."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.ports import Clock

_EVENTS = {EVENT_JOB_MISSED: "missed", EVENT_JOB_ERROR: "error", EVENT_JOB_MAX_INSTANCES: "max_instances"}
#: seconds between looks at whether the wall clock was set back
_WATCH = 5.0


class Scheduler:
    """Runs coroutine functions at intervals, late rather than never, one run of each at a time.

    `counts[name]` has "missed", "error" and "max_instances" (a tick skipped because the last one still ran).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            # APScheduler drops a run that is a second late unless it is told not to
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._scheduler.add_listener(self._count, EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_MISSED)
        self._longest: dict[str, timedelta] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._watch: asyncio.Task[None] | None = None
        self.counts: dict[str, Counter[str]] = {}

    def add(self, name: str, seconds: float, job: Callable[[], Awaitable[object]], jitter: float = 0.0) -> None:
        """Runs `job` every `seconds`, moved by up to `jitter` seconds; a second job of the name replaces the first."""

        async def tracked() -> None:
            # the executor cancels what runs at shutdown; `stop` waits for these tasks before
            task = asyncio.current_task()
            assert task is not None
            self._running.add(task)
            try:
                await job()
            finally:
                self._running.discard(task)

        self.counts.setdefault(name, Counter())
        self._longest[name] = timedelta(seconds=seconds + jitter + 1)
        trigger = IntervalTrigger(seconds=max(seconds, 0.001), timezone=UTC, jitter=jitter or None)
        self._scheduler.add_job(tracked, trigger, id=name, name=name, replace_existing=True)

    def start(self) -> None:
        """Starts ticking; needs the running loop."""
        self._scheduler.start()
        self._watch = asyncio.get_running_loop().create_task(self._watch_clock(), name="scheduler clock watch")

    def pause(self) -> None:
        """No further run starts."""
        self._scheduler.pause()

    async def stop(self, grace: float = 5.0) -> None:
        """Starts nothing more, lets what runs end within `grace` seconds, then stops."""
        if not self._scheduler.running:
            return
        self.pause()
        if self._watch is not None:
            self._watch.cancel()
        if self._running:
            await asyncio.wait(set(self._running), timeout=grace)
        self._scheduler.shutdown(wait=False)

    def _count(self, event: Any) -> None:
        self.counts.setdefault(event.job_id, Counter())[_EVENTS[event.code]] += 1

    async def _watch_clock(self) -> None:
        """A wall clock set back by a day would otherwise silence every job for that day."""
        while True:
            await self._clock.sleep(_WATCH)
            now = self._clock.now()
            for job in self._scheduler.get_jobs():
                if job.next_run_time is not None and job.next_run_time - now > self._longest[job.id]:
                    job.modify(next_run_time=now)
