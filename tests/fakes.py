"""The few fakes that tests share: a clock that the test owns, and a chat that remembers what it was sent."""

import asyncio
from datetime import UTC, datetime, timedelta

from bot.model import Chat, ChatGone, ChatId, Limits, Message, SendOutcome, Sent
from bot.ports import CommandHandler


class FakeClock:
    """Time stands still until the test moves it, or somebody sleeps: sleeping takes no time but moves the clock."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 12, tzinfo=UTC)) -> None:
        self.time = now
        self.elapsed = 0.0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.advance(max(0.0, seconds))
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self.elapsed += seconds
        self.time += timedelta(seconds=seconds)


class RecordingMessenger:
    """A `Messenger` that takes everything, or answers with the outcomes that the test puts into `outcomes`."""

    def __init__(self, platform: str, clock: FakeClock, limits: Limits | None = None) -> None:
        self.platform = platform
        self.limits = limits or Limits(length=4096)
        self.clock = clock
        #: what the chat shows, by message id
        self.shown: dict[str, tuple[ChatId, Message]] = {}
        #: (time, "send"/"edit", chat, message id or "", reply_to, text)
        self.log: list[tuple[datetime, str, ChatId, str, str, str]] = []
        self.outcomes: list[SendOutcome] = []
        #: chats that can't be written to, and why
        self.gone: dict[ChatId, str] = {}
        #: who is an admin where
        self.rooms: dict[tuple[str, str], Chat] = {}

    def is_group(self, chat: ChatId) -> bool:
        return chat.address.startswith("-")

    async def send(self, chat: ChatId, message: Message, reply_to: str = "") -> SendOutcome:
        outcome = self.outcomes.pop(0) if self.outcomes else Sent(str(len(self.shown) + 1))
        if chat in self.gone:
            outcome = ChatGone(self.gone[chat])
        if isinstance(outcome, Sent):
            self.shown[outcome.message] = (chat, message)
            self.log.append((self.clock.now(), "send", chat, outcome.message, reply_to, message.text))
        return outcome

    async def edit(self, chat: ChatId, message_id: str, message: Message) -> SendOutcome:
        outcome = self.outcomes.pop(0) if self.outcomes else Sent(message_id)
        if isinstance(outcome, Sent):
            self.shown[message_id] = (chat, message)
            self.log.append((self.clock.now(), "edit", chat, message_id, "", message.text))
        return outcome

    async def direct(self, user: str) -> ChatId | None:
        return ChatId(self.platform, user)

    async def managed(self, user: str, name: str) -> Chat | None:
        return self.rooms.get((user, name))

    async def run(self, handler: CommandHandler) -> None:
        """Nobody types here."""

    async def close(self) -> None:
        """Nothing is held."""
