"""How late the event loop is: a task that sleeps, and looks at how much later than that it wakes up."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.ports import Clock

#: seconds between two looks, and for how many of them the longest delay is remembered
_STEP = 0.25
_REMEMBERED = 240


class LoopLag:
    """Runs until cancelled."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late: deque[float] = deque(maxlen=_REMEMBERED)

    async def run(self) -> None:
        """Watches."""
        while True:
            began = self._clock.monotonic()
            await self._clock.sleep(_STEP)
            self._late.append(max(0.0, self._clock.monotonic() - began - _STEP))

    def longest(self) -> float:
        """Seconds, of the last minute."""
        return max(self._late, default=0.0)
