"""Runs the bot, or the given roles of it: signals, and an end in order whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot.app.bot import App
from bot.app.parts import open_store_for
from bot.app.roles import ROLES, check_roles
from bot.heap import watch_collections

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.config import Config

T = TypeVar("T")

log = structlog.get_logger()

#: seconds after a signal at which the process ends, whatever is still open; ten are promised
_END_AT_LATEST = 9.0


def _no_fault(_point: str) -> None:
    """Flows name the points at which a crash would matter most; only crash tests do something there."""


@contextlib.asynccontextmanager
async def running(
    config: Config, *, roles: frozenset[str] = frozenset(ROLES), fault: Callable[[str], None] = _no_fault
) -> AsyncIterator[App]:
    """An app that is prepared, and closed afterwards whatever happens."""
    check_roles(config, roles)
    app = App(config, await open_store_for(config), roles=roles, fault=fault)
    end_watch = watch_collections(app.clock.monotonic)
    try:
        await app.prepare()
        yield app
    finally:
        end_watch()
        await app.close()


async def run(
    config: Config,
    *,
    once: bool = False,
    roles: frozenset[str] = frozenset(ROLES),
    fault: Callable[[str], None] = _no_fault,
) -> int:
    """Runs until SIGTERM or SIGINT, or `once`; returns the exit code. A second signal exits at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()
        late = threading.Timer(_END_AT_LATEST, _end_now, (loop,))
        late.daemon = True
        late.start()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, on_signal)
    async with contextlib.AsyncExitStack() as stack:
        started = stack.enter_async_context(running(config, roles=roles, fault=fault))
        app = await _unless(stop, started)
        if app is not None:
            await app.welcome()
            await (_unless(stop, app.run_once()) if once else app.run_until(stop))
    return 0


async def _unless(stop: asyncio.Event, work: Awaitable[T]) -> T | None:
    """What `work` gives; None when `stop` was set before, which cancels it."""
    task, stopped = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    stopped.cancel()
    return None if task.cancelled() else task.result()


def _end_now(loop: asyncio.AbstractEventLoop) -> None:
    """A server that does not answer must not hold up the end. As after a kill, what was in hand is taken up again."""
    with contextlib.suppress(RuntimeError):  # tasks come and go meanwhile
        names = sorted({task.get_name() for task in asyncio.all_tasks(loop)})
        log.error("not ended in order in time", open=", ".join(names))
    os._exit(1)
