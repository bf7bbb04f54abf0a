"""A whole bot without network: a real store on disk, the real flows, a fake clock, a chat that remembers."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from bot.commands import Commands
from bot.deliver import Deliverer
from bot.ingest import Ingest
from bot.meter import Meter
from bot.model import ChatId, Feed, FeedId, Incoming, ParsedEntry, ParsedFeed, Reply
from bot.pace import LocalPace
from bot.ports import Store
from bot.store import open_store
from bot.stories.summary import Habits
from tests.fakes import FakeClock, RecordingMessenger

HERE = ChatId("telegram", "1")
OUTLETS = ("North Wire", "Harbour Post", "Levant Daily", "Coast Radio", "Plain Facts")


def item(title: str, summary: str = "", *, link: str = "", guid: str = "", **more: object) -> ParsedEntry:
    """An item with an address of its own."""
    link = link or "https://n.example/" + "-".join(title.split()[:8])
    return ParsedEntry(title=title, summary=summary, link=link, guid=guid or link, language="en", **more)  # type: ignore[arg-type]


class World:
    """Feeds come in by `poll`, alerts go out by `deliver`, people speak by `say`."""

    def __init__(
        self,
        folder: Path,
        clock: FakeClock | None = None,
        *,
        away: tuple[datetime, datetime] | None = None,
        url: str = "",
    ) -> None:
        self.url = url or f"tinydb:///{folder / 'store.json'}"
        self.clock = clock or FakeClock()
        self.away = away
        self.chat = RecordingMessenger("telegram", self.clock)
        self.store: Store

    async def open(self) -> "World":
        self.store = await open_store(self.url)
        habits = Habits()
        self.meter = Meter()
        self.deliverer = Deliverer(
            store=self.store,
            messengers={"telegram": self.chat},
            clock=self.clock,
            rng=Random(1),
            habits=habits,
            away=self.away,
            pace=LocalPace(self.clock),
            fault=lambda _: None,
            meter=self.meter,
        )
        self.ingest = Ingest(
            store=self.store,
            clock=self.clock,
            wake=self.deliverer.wake,
            owners={},
            habits=habits,
            fault=lambda _: None,
            meter=self.meter,
        )
        self.commands = Commands(
            store=self.store, clock=self.clock, managed=lambda _platform, user, name: self.chat.managed(user, name)
        )
        feeds = [Feed(FeedId(f"https://{n.split()[0].lower()}.example/rss"), name=n) for n in OUTLETS]
        await self.store.sync_feeds(feeds, self.clock.now())
        return self

    async def restart(self) -> None:
        """Stops and starts again on the same file; the chat keeps what it shows."""
        await self.store.close()
        await self.open()

    async def poll(self, outlet: str, *items: ParsedEntry) -> int:
        """One poll of one outlet's feed with this document; the first of each outlet is its baseline."""
        now, new = self.clock.now(), 0
        for leased in await self.store.claim_feeds(self.clock.now() + timedelta(days=36_500), 60, 100):
            if leased.feed.name == outlet:
                from dataclasses import replace

                state = replace(leased.state, last_parsed=now, last_ok=now, next_poll=now)
                new = await self.ingest(leased, state, ParsedFeed(outlet, items))
            else:
                await self.store.save_feed(leased.state, leased.epoch)
        return new

    async def baseline(self) -> None:
        """Every outlet was read once."""
        for outlet in OUTLETS:
            await self.poll(outlet)

    async def deliver(self) -> None:
        await asyncio.wait_for(self.deliverer.drain(), 10)

    async def say(
        self, text: str, *, chat: ChatId = HERE, admin: bool = True, action: str = "", message: str = "", **more: Any
    ) -> Reply:
        text = "" if action else text
        reply = await self.commands.answer(
            Incoming(chat, "u1", text, action=action, message=message, admin=admin, **more)
        )
        assert reply is not None
        return reply

    def sends(self) -> list[str]:
        """First lines of what was newly sent, in order."""
        return [text.split("\n")[0] for _, what, *_, text in self.chat.log if what == "send"]

    def edits(self) -> list[str]:
        return [text for _, what, *_, text in self.chat.log if what == "edit"]
