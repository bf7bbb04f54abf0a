"""People's doings in, answers out: rights, presses, and the patience an answer is worth."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, assert_never

from telegram.error import BadRequest

from bot.chats import telegram_outcome as outcomes
from bot.chats.lanes import Rights, Seen
from bot.chats.patience import Patience
from bot.chats.plain import clean, cut
from bot.chats.telegram_send import Sender, address
from bot.chats.telegram_updates import PLATFORM, Back, Gone, Line, Moved, Press
from bot.i18n import N_, _, speaking
from bot.model import (
    Chat,
    ChatGone,
    ChatId,
    ChatMoved,
    File,
    Incoming,
    Limits,
    Message,
    Refused,
    Reply,
    RetryLater,
    Sent,
    Span,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.chats.telegram_updates import Heard
    from bot.model import SendOutcome
    from bot.ports import Clock, CommandHandler, Pace

log = logging.getLogger(__name__)

#: core.telegram.org/bots/faq#my-bot-is-hitting-limits: 30 a second, 1 a second in a chat with short bursts, 20 a minute in a
#: group; a little less, because sends jitter on their way. Room is left in a message for the marks that isolate directions
LIMITS = Limits(length=4000, platform_rate=30.0, chat_rate=1.0, chat_burst=2, group_rate=18.0)
#: characters that fit into the note over a pressed button
_TOAST = 200

#: everything this adapter itself says to people, translated where it is said
SLOW_DOWN = N_("That is faster than I can answer. I left out your last messages; please send them again in a minute.")
CANT_CHECK = N_("I could not check whether you are an admin here. Please try again in a moment.")


class Answers:
    """Answers what was heard with what the handler says."""

    def __init__(
        self,
        sender: Sender,
        clock: Clock,
        pace: Pace,
        *,
        on_moved: Callable[[ChatId, ChatId], Awaitable[None]] | None,
        on_gone: Callable[[ChatId, str], Awaitable[None]] | None,
        on_back: Callable[[ChatId], Awaitable[None]] | None,
    ) -> None:
        self._sender, self._patience = sender, Patience(clock, pace, LIMITS)
        self._on_moved, self._on_gone, self._on_back = on_moved, on_gone, on_back
        self._moves, self._rights = Seen(), Rights(clock.monotonic)

    async def handle(self, heard: Heard, handler: CommandHandler) -> None:
        """Does what was heard; returns when the answer is out."""
        match heard:
            case Line():
                incoming = heard.incoming
                if heard.file is not None:
                    incoming = replace(incoming, file=self._file(*heard.file))
                reply = await self._ask(handler, incoming, heard.admin)
                if reply is None and heard.called:  # whoever calls the bot by name gets an answer
                    reply = await handler.answer(replace(heard.incoming, text="/help", id=""))
                if reply is not None:
                    await self._reply(heard.incoming.chat, reply.message, heard.under)
            case Press():
                await self._press(heard, handler)
            case Moved():
                await self._moved(heard.old, heard.new)
            case Gone():
                if self._on_gone is not None:
                    await self._on_gone(heard.chat, heard.reason)
            case Back():
                if self._on_back is not None:
                    await self._on_back(heard.chat)
                if heard.by is not None and (
                    told := await handler.added(heard.by, Chat(heard.chat, title=heard.title))
                ):
                    # somebody who never wrote to the bot can't be written to: then the channel's own line remains
                    await self._sender.send(heard.by.chat, told.message)
            case _:
                assert_never(heard)

    async def slow_down(self, heard: Heard) -> None:
        """Says once that a flood was cut off."""
        if not isinstance(heard, Line | Press):
            return
        with speaking(heard.incoming.language):
            words = _(SLOW_DOWN)
        if isinstance(heard, Line):
            await self._reply(heard.incoming.chat, Message((Span(words),)), heard.under)
        else:
            await self._answer_query(heard.query, words)

    async def _ask(self, handler: CommandHandler, incoming: Incoming, admin: bool | None) -> Reply | None:
        """The handler's answer; rights are asked for only where they matter."""
        if admin is None:
            admin = await self._is_admin(incoming) if handler.changes(incoming) else False
        if admin is None:
            with speaking(incoming.language):
                return Reply(Message((Span(_(CANT_CHECK)),)), private=True)
        return await handler.answer(replace(incoming, admin=admin))

    def _file(self, file_id: str, name: str) -> File:
        async def read() -> bytes | None:
            try:
                return await self._sender.bot.file(file_id)
            except Exception as error:  # noqa: BLE001 -- as in _post
                log.warning("a file could not be had: %s", type(error).__name__)
                return None

        return File(name, read)

    async def managed(self, user: str, name: str) -> Chat | None:
        """The channel or group of that id or @name, where this person is an admin; None where not, or unknown."""
        where = address(ChatId(PLATFORM, name))
        try:
            found = await self._sender.bot.described("getChat", chat_id=where)
        except Exception as error:  # noqa: BLE001 -- as in _post
            log.info("a chat could not be looked up: %s", outcomes.describe(error))
            found = {}
        # a server that knows fewer methods can still say who is an admin where
        chat = ChatId(PLATFORM, str(found.get("id") or where))
        admin = found.get("type") != "private" and await self._is_admin(Incoming(chat, user))
        return Chat(chat, title=str(found.get("title") or "")) if admin else None

    async def _is_admin(self, incoming: Incoming) -> bool | None:
        """None: Telegram would not say."""
        key = (incoming.chat.address, incoming.user)
        known = self._rights.get(key)
        if known is None:
            try:
                status = await self._sender.bot.member_status(address(incoming.chat), int(incoming.user))
            except BadRequest:  # not a member of the chat, or none that the bot may see
                known = False
            except Exception as error:  # noqa: BLE001 -- as in _post
                self._sender.note(error)
                log.warning("rights could not be checked: %s", outcomes.describe(error))
                return None
            else:
                known = status in {"creator", "administrator"}
            self._rights.put(key, known)
        return known

    async def _press(self, press: Press, handler: CommandHandler) -> None:
        toast, reply = "", None
        try:
            reply = await self._ask(handler, press.incoming, press.admin)
            if reply and reply.private and not reply.message.buttons and len(reply.message.text) <= _TOAST:
                toast, reply = reply.message.text, None
        finally:  # a press that is never answered leaves the button spinning
            await self._answer_query(press.query, toast)
        if reply is None:
            return
        chat, under = press.incoming.chat, press.incoming.message
        if not reply.replace or not await self._reply(chat, reply.message, under, edit=True):
            await self._reply(chat, reply.message, under)

    async def _answer_query(self, query: str, toast: str) -> None:
        try:
            note: dict[str, Any] = {"text": cut(clean(toast), _TOAST), "show_alert": True} if toast else {}
            await self._sender.bot.ask("answerCallbackQuery", callback_query_id=query, **note)
        except Exception as error:  # noqa: BLE001 -- too late or not reachable: the answer itself still follows
            log.info("a press could not be confirmed: %s", outcomes.describe(error))

    async def _reply(self, chat: ChatId, message: Message, under: str, *, edit: bool = False) -> bool:
        """Answers a person; whether nothing more is to be tried."""

        async def step() -> SendOutcome:
            return await (self._sender.edit(chat, under, message) if edit else self._sender.send(chat, message, under))

        outcome = await self._patience.send(chat, step)
        if isinstance(outcome, ChatMoved):
            await self._moved(chat, outcome.to)
            chat, edit = outcome.to, False
            outcome = await self._patience.send(chat, step)
        match outcome:
            case Sent():
                return True
            case ChatGone(reason=reason):
                if self._on_gone is not None:
                    await self._on_gone(chat, reason)
            case Refused(reason=reason):
                log.warning("an answer was refused: %s", reason)
                return False
            case RetryLater(reason=reason) | ChatMoved(to=ChatId(address=reason)):
                log.warning("an answer could not be sent: %s", reason)
            case _:
                assert_never(outcome)
        return True

    async def _moved(self, old: ChatId, new: ChatId) -> None:
        """Both service messages and refused sends tell of one move; it is passed on once."""
        if self._on_moved is not None and self._moves.first((old, new)):
            await self._on_moved(old, new)
