"""One rig a platform: a Messenger, the person on its other side, and the platform's failures.

A new adapter joins the contract by a class here and a line in RIGS.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Protocol, Self

from bot.chats.console import LOCAL, ConsoleMessenger
from bot.chats.slack import SlackMessenger
from bot.chats.telegram import TelegramMessenger
from bot.clock import SystemClock
from bot.model import ChatId
from bot.ports import Messenger
from tests.emulators import slack_api, telegram_api
from tests.emulators.slack_blocks import controls, read, texts_of


class Rig(Protocol):
    """What the contract needs of a platform."""

    messenger: Messenger
    #: two private chats
    chat: ChatId
    other: ChatId
    #: printed once and for ever: edits add lines, and nothing is ever "no longer there"
    append_only: bool

    def reads(self) -> list[str]:
        """The bot's messages in `chat` as a person reads them now, oldest first."""
        ...

    def links(self) -> list[str]:
        """Everything in `chat` that opens something when it is touched."""
        ...

    def says(self, text: str) -> None:
        """The person types a line in `chat`."""
        ...

    def presses(self, message: str, label: str) -> None:
        """The person presses a button of a message."""
        ...

    def breaks(self, how: str) -> bool:
        """The next send to `chat` meets "gone", "limited" (for 7 s) or "odd"; all sends "down". False: can't happen."""
        ...


class TelegramRig(AsyncExitStack):
    append_only = False
    chat, other = ChatId("telegram", "7"), ChatId("telegram", "8")

    async def __aenter__(self) -> Self:
        self.api = await self.enter_async_context(telegram_api.TelegramApi(limits=False))
        self.api.person(7)
        self.api.person(8)
        self.messenger = TelegramMessenger(telegram_api.TOKEN, clock=SystemClock(), base_url=self.api.base_url)
        self.push_async_callback(self.messenger.close)
        return self

    def reads(self) -> list[str]:
        return [message["text"] for message in self.api.shown(7)]

    def links(self) -> list[str]:
        entities = [e for message in self.api.shown(7) for e in message.get("entities", [])]
        return [e.get("url") or e["type"] for e in entities if e["type"] in {"text_link", "text_mention"}]

    def says(self, text: str) -> None:
        self.api.say(7, text)

    def presses(self, message: str, label: str) -> None:
        self.api.press(7, int(message), label=label)

    def breaks(self, how: str) -> bool:
        rules: dict[str, dict[str, Any]] = {
            "gone": {"status": 403, "description": "Forbidden: bot was blocked by the user"},
            "limited": {"status": 429, "description": "Too Many Requests", "parameters": {"retry_after": 7}},
            "odd": {"html": True},
            "down": {"drop": "before", "times": 0},
        }
        self.api.fault(method="sendMessage", **rules[how])
        return True


class SlackRig(AsyncExitStack):
    append_only = False
    chat, other = ChatId("slack", "D1"), ChatId("slack", "D2")

    async def __aenter__(self) -> Self:
        self.api = await self.enter_async_context(slack_api.SlackApi(limits=False))
        for user in "12":
            self.api.person(f"U{user}")
            self.api.im(f"U{user}", f"D{user}")
        self.messenger = SlackMessenger(
            slack_api.BOT_TOKEN, clock=SystemClock(), app_token=slack_api.APP_TOKEN, base_url=self.api.base_url
        )
        self.push_async_callback(self.messenger.close)
        return self

    def reads(self) -> list[str]:
        return [read(message) for message in self.api.shown("D1")]

    def links(self) -> list[str]:
        return [control for message in self.api.shown("D1") for text in texts_of(message) for control in controls(text)]

    def says(self, text: str) -> None:
        self.api.dm(text, "U1")

    def presses(self, message: str, label: str) -> None:
        self.api.press("D1", message, "U1", label=label)

    def breaks(self, how: str) -> bool:
        rules: dict[str, dict[str, Any]] = {
            "gone": {"error": "channel_not_found"},
            "limited": {"error": "ratelimited", "retry_after": 7},
            "odd": {"html": True},
            "down": {"drop": "before", "times": 0},
        }
        self.api.fault(method="chat.postMessage", **rules[how])
        return True


class ConsoleRig(AsyncExitStack):
    append_only = True
    chat = other = LOCAL

    async def __aenter__(self) -> Self:
        reading, self._writing = os.pipe()
        self.out = io.StringIO()
        stdin = self.enter_context(os.fdopen(reading))
        self.messenger = ConsoleMessenger(SystemClock(), stdin, self.out)
        self.callback(os.close, self._writing)
        return self

    def reads(self) -> list[str]:
        return [self.out.getvalue()] if self.out.getvalue() else []

    def links(self) -> list[str]:
        return [line.strip() for line in self.out.getvalue().splitlines() if line.startswith("  ")]

    def says(self, text: str) -> None:
        os.write(self._writing, f"{text}\n".encode())

    def presses(self, message: str, label: str) -> None:
        self.says(f"{label.lower()} {message.rpartition('-')[2]}")

    def breaks(self, how: str) -> bool:
        if how == "down":
            self.out.close()
        return how == "down"


#: by platform
RIGS: dict[str, Callable[[], AbstractAsyncContextManager[Any]]] = {
    "telegram": TelegramRig,
    "slack": SlackRig,
    "console": ConsoleRig,
}
