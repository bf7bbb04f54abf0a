"""A clock that stands still while a busy machine lets nobody run: who is late by it is late through no other's load."""

import asyncio
import os
import time
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

_EVERY = 0.1


class FairClock:
    """Fair time for moments of time.monotonic(). `watched`: the process whose threads and children count beside our own."""

    def __init__(self) -> None:
        self.watched: int | None = None
        self._moments, self._fair = [time.monotonic()], [0.0]
        self._waited: dict[Path, int] = {}

    async def run(self) -> None:
        """Until cancelled: looks how long threads were ready to run and had to wait for a processor."""
        while True:
            self.look()
            await asyncio.sleep(_EVERY)

    def look(self) -> None:
        """Takes in what was since the last look."""
        # who asks and who answers stand still by turns: the longer of both, or a busy machine would excuse everything
        stood = max(self._stood([os.getpid()]), self._stood([*self._processes()]))
        now = time.monotonic()
        self._fair.append(self._fair[-1] + max(now - self._moments[-1] - stood, 0.0))
        self._moments.append(now)

    def _stood(self, processes: list[int]) -> float:
        """Seconds for which threads of these waited for a processor since the last look."""
        seconds = 0.0
        for thread in (path for pid in processes for path in Path(f"/proc/{pid}/task").glob("*")):
            waited = _waited(thread)
            seconds += (waited - self._waited.get(thread, waited)) / 1e9
            self._waited[thread] = waited
        return seconds

    def _processes(self) -> Iterator[int]:
        """The watched one and its children."""
        if self.watched is not None:
            yield self.watched
            for path in Path(f"/proc/{self.watched}/task").glob("*/children"):
                yield from map(int, _read(path).split())

    def __call__(self, moment: float) -> float:
        """What this clock showed, or 0 before it ran."""
        after = bisect_right(self._moments, moment)
        if after == 0 or after == len(self._moments):
            return self._fair[after - 1] if after else 0.0
        (before, then), (fair, fair_then) = self._moments[after - 1 : after + 1], self._fair[after - 1 : after + 1]
        return fair + (fair_then - fair) * (moment - before) / (then - before)


def _waited(thread: Path) -> int:
    """Nanoseconds, of the second figure of schedstat (Linux, Documentation/scheduler/sched-stats)."""
    figures = _read(thread / "schedstat").split()
    return int(figures[1]) if len(figures) > 1 else 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended, or the system does not tell
        return ""
