"""The page of a real store, on loopback."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.commands import Commands
from bot.ports import Clock, Store
from bot.store import open_store
from bot.web.board import Board
from bot.web.door import Door
from bot.web.pages import Pages
from bot.web.server import WebServer
from tests.fakes import FakeClock


@dataclass
class Rig:
    """A page and what is behind it."""

    url: str
    store: Store
    clock: Clock
    woken: list[bool] = field(default_factory=list)
    #: what keeps the bot from working
    trouble: list[str] = field(default_factory=list)


@contextlib.asynccontextmanager
async def page_of(
    folder: Path,
    *,
    clock: Clock | None = None,
    token: str = "",
    host: str = "127.0.0.1",
    public: bool = False,
    fill: Callable[[Store], Awaitable[None]] | None = None,
) -> AsyncIterator[Rig]:
    """Serves until the end of the block. `host` is the one that is configured; loopback is listened at in any case."""
    store = await open_store(f"tinydb:///{folder / 'store.json'}")
    rig = Rig("", store, clock or FakeClock())

    async def ready() -> str:
        return "; ".join(rig.trouble)

    if fill is not None:
        await fill(store)
    door = Door(token, host=host, public=public, clock=rig.clock)
    pages = Pages(
        board=Board(store, rig.clock),
        door=door,
        store=store,
        clock=rig.clock,
        ready=ready,
        trial=Commands(store=store, clock=rig.clock).trial,
        wake=lambda: rig.woken.append(True),
    )
    server = WebServer("127.0.0.1", 0, ready=ready, routes=pages.routes())
    await server.start()
    rig.url = f"http://127.0.0.1:{server.port}"
    try:
        yield rig
    finally:
        await server.close()
        await store.close()
