"""The last look at the clock before a message goes out.

The outbox paces sends, but a busy moment can hold several back and let them go at once; platforms count what arrives.
A call arrives between its start and its answer. So a place is free again `seconds` after the answer, and never are
more than `count` arrivals within `seconds`, however the machine or the network stutters.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.ports import Clock

#: seconds after which a call without an answer is taken to have arrived: slow answers must not slow the sending down
LATEST_ARRIVAL = 1.0
#: keys that are held before those at rest are forgotten
_SWEEP_AT = 1000


@dataclass(slots=True)
class _Call:
    start: float
    done: float | None = None


class Gate:
    """At most `count` calls of a key arrive in any `seconds`; who must wait passes in order of coming."""

    def __init__(self, clock: Clock, count: int, seconds: float) -> None:
        self._clock, self._count, self._seconds = clock, count, seconds
        self._keys: dict[str, tuple[asyncio.Lock, deque[_Call]]] = {}

    @asynccontextmanager
    async def passing(self, key: str = "") -> AsyncIterator[None]:
        """The block is one call; it begins when one more may."""
        lock, calls = self._keys.setdefault(key, (asyncio.Lock(), deque()))
        async with lock:
            while len(calls) >= self._count and (wait := self._free_at(calls[0]) - self._clock.monotonic()) > 0:
                await self._clock.sleep(wait)
            if len(calls) >= self._count:
                calls.popleft()
            call = _Call(self._clock.monotonic())
            calls.append(call)
        if len(self._keys) > _SWEEP_AT:
            self._sweep()
        try:
            yield
        finally:
            call.done = self._clock.monotonic()

    def _free_at(self, call: _Call) -> float:
        """When the place of this call is free; for a call still out, the earliest that it can be."""
        latest = call.start + LATEST_ARRIVAL
        arrived = min(self._clock.monotonic() if call.done is None else call.done, latest)
        return arrived + self._seconds

    def _sweep(self) -> None:
        now = self._clock.monotonic()
        self._keys = {
            key: (lock, calls)
            for key, (lock, calls) in self._keys.items()
            if lock.locked() or any(self._free_at(call) > now for call in calls)
        }


class Quota:
    """At most `count` of a key in any `seconds`, for spans too long to wait in place."""

    def __init__(self, clock: Clock, count: int, seconds: float) -> None:
        self._clock, self._count, self._seconds = clock, count, seconds
        self._taken: dict[str, deque[float]] = {}

    def take(self, key: str) -> float:
        """Takes one and returns 0.0, or takes none and returns the seconds until there is one."""
        now = self._clock.monotonic()
        taken = self._taken.setdefault(key, deque())
        while taken and taken[0] + self._seconds <= now:
            taken.popleft()
        if len(taken) >= self._count:
            return taken[0] + self._seconds - now
        taken.append(now)
        if len(self._taken) > _SWEEP_AT:
            self._taken = {k: times for k, times in self._taken.items() if times[-1] + self._seconds > now}
        return 0.0
