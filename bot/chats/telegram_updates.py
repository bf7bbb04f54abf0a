"""Updates of the Bot API to what flows understand. Pure; core.telegram.org/bots/api#update.

In groups the bot takes only what is meant for it: commands without another bot's name, mentions, and replies to itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telegram import Message
from telegram.constants import ChatType

from bot.model import ChatId, Incoming

if TYPE_CHECKING:
    from telegram import CallbackQuery, Chat, Update, User

PLATFORM = "telegram"
#: `allowed_updates`: exactly what `read` understands
UPDATES = ("message", "channel_post", "callback_query", "my_chat_member")
_COMMAND = re.compile(r"^/(\w+)(?:@(\w+))?")


@dataclass(frozen=True, slots=True)
class Line:
    """A line meant for the bot; `incoming.admin` is to be found out when `admin` is None."""

    incoming: Incoming
    admin: bool | None
    #: the message to answer under, "" where an answer needs no pointing
    under: str = ""
    #: the bot was called by its name, without a command
    called: bool = False


@dataclass(frozen=True, slots=True)
class Press:
    """A pressed button; the query id must always be answered."""

    incoming: Incoming
    admin: bool | None
    query: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A group became a supergroup."""

    old: ChatId
    new: ChatId


@dataclass(frozen=True, slots=True)
class Gone:
    """The bot can't write here any more."""

    chat: ChatId
    reason: str


@dataclass(frozen=True, slots=True)
class Back:
    """The bot may write here (again)."""

    chat: ChatId


Heard = Line | Press | Moved | Gone | Back


def read(update: Update, me: User) -> Heard | None:
    """What happened, or None when it does not concern the bot."""
    if update.callback_query is not None:
        return _press(update.callback_query, str(update.update_id))
    message = update.message or update.channel_post
    if message is None:
        return None
    return _service(message) or _line(message, me, str(update.update_id))


def chat_of(message: Message) -> ChatId:
    """Chat and forum topic of a message; reply threads of ordinary groups are no topics."""
    topic = message.message_thread_id if message.is_topic_message else None
    return ChatId(PLATFORM, str(message.chat.id), str(topic) if topic else "")


def _service(message: Message) -> Heard | None:
    here = str(message.chat.id)
    if message.migrate_to_chat_id:
        return Moved(ChatId(PLATFORM, here), ChatId(PLATFORM, str(message.migrate_to_chat_id)))
    if message.migrate_from_chat_id:
        return Moved(ChatId(PLATFORM, str(message.migrate_from_chat_id)), ChatId(PLATFORM, here))
    if message.forum_topic_closed is not None:
        return Gone(chat_of(message), "the topic was closed")
    if message.forum_topic_reopened is not None:
        return Back(chat_of(message))
    return None


def _line(message: Message, me: User, update_id: str) -> Line | None:
    chat, sender = message.chat, message.sender_chat
    # people, anonymous admins and channels speak; bots and copies of channel posts do not
    speaks = sender is not None or (message.from_user is not None and not message.from_user.is_bot)
    text = _addressed(message, me) if speaks and not message.is_automatic_forward else None
    if text is None:
        return None
    private = chat.type == ChatType.PRIVATE
    admin: bool | None = None
    if private:
        admin = True
    elif sender is not None:  # an anonymous admin or the channel itself speaks as the chat; other channels as guests
        admin = sender.id == chat.id
    person = None if sender is not None else message.from_user
    incoming = Incoming(
        chat=chat_of(message),
        user=str(person.id if person else sender.id if sender else ""),
        text=text,
        message=_replied(message),
        admin=admin is True,
        private=private,
        language=(person.language_code or "") if person else "",
        id=update_id,
        title=_title(chat),
    )
    called = not private and not text.startswith("/") and not incoming.message
    return Line(incoming, admin, under="" if private else str(message.message_id), called=called)


def _addressed(message: Message, me: User) -> str | None:
    """The text as the bot should read it; None when it is not for the bot."""
    text = (message.text or message.caption or "").strip()
    command = _COMMAND.match(text)
    if command:
        name = command[2]
        if name and name.casefold() != (me.username or "").casefold():
            return None
        return f"/{command[1]}{text[command.end() :]}"
    if not text or message.chat.type == ChatType.CHANNEL:
        return None
    if message.chat.type == ChatType.PRIVATE:
        return text
    mention = re.compile(rf"@{re.escape(me.username or '')}\b", re.IGNORECASE)
    if me.username and mention.search(text):
        text = " ".join(mention.sub(" ", text).split())
        return text or "/help"
    replied = message.reply_to_message
    to_me = replied is not None and replied.from_user is not None and replied.from_user.id == me.id
    return text if to_me and _replied(message) else None


def _replied(message: Message) -> str:
    replied = message.reply_to_message
    # in a topic, every message without another target "replies" to the one that opened the topic
    if replied is None or (message.is_topic_message and replied.message_id == message.message_thread_id):
        return ""
    return str(replied.message_id)


def _press(query: CallbackQuery, update_id: str) -> Press | None:
    message = query.message
    if message is None or not query.data:
        return None
    private = message.chat.type == ChatType.PRIVATE
    incoming = Incoming(
        chat=chat_of(message) if isinstance(message, Message) else ChatId(PLATFORM, str(message.chat.id)),
        user=str(query.from_user.id),
        action=query.data,
        message=str(message.message_id),
        admin=private,
        private=private,
        language=query.from_user.language_code or "",
        id=update_id,
        title=_title(message.chat),
    )
    # an anonymous admin presses under the own name, so membership is always asked for
    return Press(incoming, True if private else None, query.id)


def read_member(raw: dict[str, Any]) -> Gone | Back | None:
    """A `my_chat_member` update as JSON: what became of the bot's own membership. None for other updates."""
    change = raw.get("my_chat_member")
    if change is None:
        return None
    where, now = change["chat"], change["new_chat_member"]
    chat, status = ChatId(PLATFORM, str(where["id"])), now["status"]
    if status == "kicked":
        return Gone(chat, "blocked" if where["type"] == "private" else "kicked")
    if status == "left":
        return Gone(chat, "removed from the chat")
    if status == "restricted" and not (now.get("is_member", True) and now.get("can_send_messages")):
        return Gone(chat, "not allowed to write")
    if where["type"] == "channel" and not (status == "administrator" and now.get("can_post_messages", True)):
        return Gone(chat, "not allowed to post")
    return Back(chat)


def _title(chat: Chat) -> str:
    return chat.title or chat.full_name or chat.username or ""
