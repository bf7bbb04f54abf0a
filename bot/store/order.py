"""Two orders kept in memory: rows by a time, and things by when each may next be taken."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

K = TypeVar("K")


class Ordered:
    """Row ids by a number (microseconds, a version): 16 bytes a row. Appending at the end, the usual case, is free."""

    def __init__(self) -> None:
        self._values = array("q")
        self._ids = array("q")

    def add(self, value: int, row: int) -> None:
        if not self._values or value >= self._values[-1]:
            self._values.append(value)
            self._ids.append(row)
            return
        at = bisect_right(self._values, value)
        self._values.insert(at, value)
        self._ids.insert(at, row)

    def remove(self, value: int, row: int) -> None:
        at = bisect_left(self._values, value)
        while self._ids[at] != row:
            at += 1
        del self._values[at]
        del self._ids[at]

    def since(self, value: int) -> list[int]:
        """Rows with this value or more, ascending."""
        return self._ids[bisect_left(self._values, value) :].tolist()

    def before(self, value: int) -> list[int]:
        """Rows with less, ascending."""
        return self._ids[: bisect_left(self._values, value)].tolist()

    def newest(self) -> Iterator[int]:
        """Rows from the highest value down; nothing may change meanwhile."""
        return reversed(self._ids)

    def last(self) -> int:
        """The highest value, 0 when empty."""
        return self._values[-1] if self._values else 0

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids.tolist())


class DueRows:
    """Rows of one chat by when they are due, the earliest at hand."""

    __slots__ = ("_heap", "due")

    def __init__(self) -> None:
        self.due: dict[int, datetime] = {}
        self._heap: list[tuple[datetime, int]] = []

    def put(self, row: int, due: datetime) -> None:
        self.due[row] = due
        heapq.heappush(self._heap, (due, row))

    def drop(self, row: int) -> None:
        self.due.pop(row, None)

    def first(self) -> datetime | None:
        while self._heap and self.due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None


class DueHeap(Generic[K]):
    """Keys by when each may next be taken. `when` tells the truth (None: not at all); the heap remembers guesses that
    are never late, because every change that makes a key free earlier is followed by `touch` with the new time or any
    earlier one.
    """

    def __init__(self, when: Callable[[K], datetime | None]) -> None:
        self._when = when
        self._heap: list[tuple[datetime, K]] = []
        #: the guess that counts; other entries of the heap are leftovers
        self._guess: dict[K, datetime] = {}

    def touch(self, key: K, at: datetime) -> None:
        """The key may be free from then on."""
        guess = self._guess.get(key)
        if guess is None or at < guess:
            self._guess[key] = at
            heapq.heappush(self._heap, (at, key))

    def first(self) -> tuple[datetime, K] | None:
        """The key that is free next, and when."""
        while self._heap:
            at, key = self._heap[0]
            if self._guess.get(key) != at:
                heapq.heappop(self._heap)
                continue
            true = self._when(key)
            if true == at:
                return at, key
            heapq.heappop(self._heap)
            del self._guess[key]
            if true is not None:
                self._guess[key] = true
                heapq.heappush(self._heap, (true, key))
        return None

    def take(self, now: datetime, limit: int) -> list[K]:
        """Up to `limit` keys that are free, longest free first. They leave the heap: `touch` them afterwards."""
        taken: list[K] = []
        while len(taken) < limit and (found := self.first()) is not None and found[0] <= now:
            _, key = heapq.heappop(self._heap)
            del self._guess[key]
            taken.append(key)
        return taken
