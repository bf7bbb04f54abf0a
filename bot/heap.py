"""Keeps the garbage collector from holding the event loop.

A full collection looks at every object there is. A bot with a hundred thousand subscriptions has millions that live as
long as it does, and looking at them in vain takes hundreds of milliseconds. So whenever a full collection took long,
what survived it is set aside for good (`gc.freeze`): the next one looks at newer objects only. What is set aside is
still freed by its reference count; only cycles that die later stay, and collections that take long are rare.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: seconds that a full collection may take
LONG = 0.04
_OLDEST = 2


def watch_collections(monotonic: Callable[[], float]) -> Callable[[], None]:
    """From now on; call what it returns to end it."""
    began = 0.0

    def watch(phase: str, info: dict[str, int]) -> None:
        nonlocal began
        if info["generation"] != _OLDEST:
            return
        if phase == "start":
            began = monotonic()
        elif monotonic() - began > LONG:
            gc.freeze()

    def end() -> None:
        if watch in gc.callbacks:
            gc.callbacks.remove(watch)
            gc.unfreeze()

    gc.callbacks.append(watch)
    return end
