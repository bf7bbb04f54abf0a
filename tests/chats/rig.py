"""What the tests of chat adapters share: a command handler that writes down what it hears, and ways to wait."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bot.model import Chat, ChatId, Incoming, Message, Reply, Span, Subscription
from bot.ports import Messenger

T = TypeVar("T")


def text(words: str) -> Message:
    return Message((Span(words),))


@dataclass
class Desk:
    """A CommandHandler: remembers everything, and answers with what `reply` makes of it (an echo by default)."""

    reply: Callable[[Incoming], Reply | None] = lambda incoming: Reply(
        text(f"heard {incoming.text or incoming.action}")
    )
    changing: tuple[str, ...] = ("/subscribe", "change")
    delay: float = 0.0
    heard: list[Incoming] = field(default_factory=list)
    rooms: list[tuple[Incoming, Chat]] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)

    def changes(self, incoming: Incoming) -> bool:
        return (incoming.text or incoming.action).startswith(self.changing)

    async def answer(self, incoming: Incoming) -> Reply | None:
        self.heard.append(incoming)
        if self.delay:
            await asyncio.sleep(self.delay)
        return self.reply(incoming)

    async def added(self, incoming: Incoming, room: Chat) -> Reply | None:
        self.rooms.append((incoming, room))
        return Reply(text(f"added to {room.title}"))

    async def listed(self, chat: ChatId) -> tuple[Chat | None, Sequence[Subscription]]:
        return Chat(chat), [s for s in self.subscriptions if s.chat == chat]


async def eventually(condition: Callable[[], T | Awaitable[T]], seconds: float = 5.0) -> T:
    """Waits until the condition is true, and gives its value; fails loudly when time is up."""
    until = time.monotonic() + seconds
    while True:
        found = condition()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found
        assert time.monotonic() < until, "it never came true"
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def hearing(messenger: Messenger, desk: Desk) -> AsyncIterator[asyncio.Task[None]]:
    """The messenger listens while the block runs; then it is cancelled and closed."""
    task = asyncio.create_task(messenger.run(desk))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await messenger.close()
