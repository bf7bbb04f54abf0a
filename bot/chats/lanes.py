"""People are served side by side: one person's work in order, nobody waiting behind another's flood."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

log = logging.getLogger(__name__)

#: things one person may have waiting; what comes beyond is dropped, and said once
PENDING = 20
#: update ids remembered, so that a repeated one has no second effect
REMEMBERED = 10_000


class Lanes:
    """A queue a person, served by a task that lives while there is work."""

    def __init__(self, pending: int = PENDING) -> None:
        self._pending = pending
        self._queues: dict[Hashable, deque[Callable[[], Awaitable[None]]]] = {}
        self._warned: set[Hashable] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(
        self,
        key: Hashable,
        work: Callable[[], Awaitable[None]],
        overflow: Callable[[], Awaitable[None]] | None = None,
    ) -> bool:
        """Does `work` after what `key` has waiting; False when that is too much: then `overflow` is done, once a flood."""
        queue = self._queues.get(key)
        if queue is None:
            self._queues[key] = deque([work])
            task = asyncio.create_task(self._serve(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return True
        if len(queue) < self._pending:
            queue.append(work)
            return True
        if key not in self._warned and overflow is not None:
            self._warned.add(key)
            queue.append(overflow)
        return False

    async def _serve(self, key: Hashable) -> None:
        queue = self._queues[key]
        try:
            while queue:
                try:
                    await queue[0]()
                except Exception:
                    log.exception("an update could not be handled")
                queue.popleft()
        finally:
            del self._queues[key]
            self._warned.discard(key)

    def busy(self, key: Hashable) -> bool:
        """Whether new work of `key` would have to wait."""
        return key in self._queues

    async def idle(self, seconds: float) -> bool:
        """Waits until nothing is left to do, at most that long; whether nothing is left."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        return not self._tasks

    async def close(self) -> None:
        """Drops what waits, and ends what runs."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Seen:
    """Ids already handled; the oldest are forgotten first."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._ids: OrderedDict[Hashable, None] = OrderedDict()

    def first(self, key: Hashable) -> bool:
        """Whether this id is met for the first time; remembers it."""
        if key in self._ids:
            return False
        self._ids[key] = None
        if len(self._ids) > self._size:
            self._ids.popitem(last=False)
        return True


class Rights:
    """Who was found to be an admin where, believed for at most a minute."""

    SECONDS = 60.0

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._known: OrderedDict[Hashable, tuple[float, bool]] = OrderedDict()

    def get(self, key: Hashable) -> bool | None:
        """The answer of the last minute; None when it must be asked for."""
        until, admin = self._known.get(key, (0.0, False))
        return admin if until > self._monotonic() else None

    def put(self, key: Hashable, admin: bool) -> None:
        """Remembers an answer just given by the platform."""
        self._known[key] = (self._monotonic() + self.SECONDS, admin)
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        """The platform told of a change."""
        self._known.pop(key, None)
