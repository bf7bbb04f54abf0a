"""Runs the bot, or the given roles of it: signals, and an end in order whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING

from bot.app.bot import App
from bot.app.parts import open_store_for
from bot.app.roles import ROLES, check_roles
from bot.heap import watch_collections

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bot.config import Config


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

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, on_signal)
    async with running(config, roles=roles, fault=fault) as app:
        await app.welcome()
        if once:
            work = asyncio.create_task(app.run_once())
            await asyncio.wait({work, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
        else:
            await app.run_until(stop)
    return 0
