"""Updates of the Bot API to what flows understand. Pure; core.telegram.org/bots/api#update.

Read as JSON, part by part: a part that is missing or of an unknown shape costs only what it would have said. In groups
the bot takes only what is meant for it: commands without another bot's name, mentions, and replies to itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bot.model import ChatId, Incoming

PLATFORM = "telegram"
#: `allowed_updates`: exactly what `read` understands
UPDATES = ("message", "channel_post", "callback_query", "my_chat_member")
_COMMAND = re.compile(r"^/(\w+)(?:@(\w+))?")
#: names and kinds of files that are read without being asked to; others only where they are meant for the bot
_LIST = re.compile(r"\.(?:opml|xml)$", re.IGNORECASE)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Me:
    """Who the bot is."""

    id: int
    #: without "@"; "" while Telegram has not said
    username: str = ""

    @property
    def link(self) -> str:
        """Opens a private chat with the bot (core.telegram.org/api/links#bot-links)."""
        return f"https://t.me/{self.username}" if self.username else ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line meant for the bot; `incoming.admin` is to be found out when `admin` is None."""

    incoming: Incoming
    admin: bool | None
    #: the message to answer under, "" where an answer needs no pointing
    under: str = ""
    #: the bot was called by its name, without a command
    called: bool = False
    #: (id, name) of the file that came with it
    file: tuple[str, str] | None = None


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
    #: of a channel: who let the bot in, as a line of their private chat; None elsewhere
    by: Incoming | None = None
    title: str = ""


Heard = Line | Press | Moved | Gone | Back


def read(raw: Json, me: Me) -> Heard | None:
    """What happened, or None when it does not concern the bot. May raise for what is no update at all."""
    update_id = str(raw["update_id"])
    if member := _object(raw.get("my_chat_member")):
        return _member(member, me)
    if query := _object(raw.get("callback_query")):
        return _press(query, me, update_id)
    message = _object(raw.get("message")) or _object(raw.get("channel_post"))
    if not message or "chat" not in message:
        return None
    return _service(message) or _line(message, me, update_id, post="channel_post" in raw)


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _kind(chat: Json) -> str:
    """Private, group, supergroup or channel; told from the id where it is missing."""
    return _text(chat.get("type")) or ("private" if int(chat["id"]) > 0 else "supergroup")


def _chat_of(message: Json) -> ChatId:
    """Chat and forum topic of a message; reply threads of ordinary groups are no topics."""
    chat, thread = message["chat"], message.get("message_thread_id")
    topic = thread if message.get("is_topic_message") or chat.get("is_forum") else None
    return ChatId(PLATFORM, str(chat["id"]), str(topic) if topic else "")


def _service(message: Json) -> Heard | None:
    here = str(message["chat"]["id"])
    if to := message.get("migrate_to_chat_id"):
        return Moved(ChatId(PLATFORM, here), ChatId(PLATFORM, str(to)))
    if came := message.get("migrate_from_chat_id"):
        return Moved(ChatId(PLATFORM, str(came)), ChatId(PLATFORM, here))
    if message.get("forum_topic_closed") is not None:
        return Gone(_chat_of(message), "the topic was closed")
    if message.get("forum_topic_reopened") is not None:
        return Back(_chat_of(message))
    return None


def _line(message: Json, me: Me, update_id: str, *, post: bool) -> Line | None:
    chat, sender, person = message["chat"], _object(message.get("sender_chat")), _object(message.get("from"))
    kind = _kind(chat)
    if post and not sender:
        sender = chat
    # people, anonymous admins and channels speak; bots and copies of channel posts do not
    speaks = bool(sender) or (bool(person) and not person.get("is_bot"))
    file = _file(message)
    text = _addressed(message, me, kind, listed=file is not None and bool(_LIST.search(file[1])))
    if not speaks or message.get("is_automatic_forward") or text is None:
        return None
    private = kind == "private"
    admin: bool | None = None
    if private:
        admin = True
    elif sender:  # an anonymous admin or the channel itself speaks as the chat; other channels as guests
        admin = sender.get("id") == chat["id"]
        person = {}
    incoming = Incoming(
        chat=_chat_of(message),
        user=str(person.get("id") or sender.get("id") or ""),
        text=text,
        message=_replied(message),
        admin=admin is True,
        private=private,
        language=_text(person.get("language_code")),
        id=update_id,
        title=_title(chat),
        bot_link=me.link,
    )
    called = not private and bool(text) and not text.startswith("/") and not incoming.message
    return Line(incoming, admin, under="" if private else str(message["message_id"]), called=called, file=file)


def _file(message: Json) -> tuple[str, str] | None:
    document = _object(message.get("document"))
    if not document.get("file_id"):
        return None
    name = _text(document.get("file_name"))
    if not name and "opml" in _text(document.get("mime_type")):
        name = "list.opml"
    return str(document["file_id"]), name


def _addressed(message: Json, me: Me, kind: str, *, listed: bool) -> str | None:
    """The text as the bot should read it; None when it is not for the bot. A list of feeds is always for it."""
    text = (_text(message.get("text")) or _text(message.get("caption"))).strip()
    nothing = "" if listed else None
    command = _COMMAND.match(text)
    if command:
        name = command[2]
        if name and me.username and name.casefold() != me.username.casefold():
            return None
        return f"/{command[1]}{text[command.end() :]}"
    if kind == "private":
        return text or ("" if message.get("document") else None)
    if not text or kind == "channel":
        return nothing
    mention = re.compile(rf"@{re.escape(me.username)}\b", re.IGNORECASE)
    if me.username and mention.search(text):
        return " ".join(mention.sub(" ", text).split()) or "/help"
    replied = _object(_object(message.get("reply_to_message")).get("from"))
    return text if replied.get("id") == me.id and _replied(message) else nothing


def _replied(message: Json) -> str:
    replied = _object(message.get("reply_to_message")).get("message_id")
    # in a topic, every message without another target "replies" to the one that opened the topic
    opener = message.get("is_topic_message") and replied == message.get("message_thread_id")
    return "" if replied is None or opener else str(replied)


def _press(query: Json, me: Me, update_id: str) -> Press | None:
    message, person = _object(query.get("message")), _object(query.get("from"))
    if "chat" not in message or not query.get("data"):
        return None
    private = _kind(message["chat"]) == "private"
    incoming = Incoming(
        chat=_chat_of(message),
        user=str(person.get("id") or ""),
        action=str(query["data"]),
        message=str(message.get("message_id", "")),
        admin=private,
        private=private,
        language=_text(person.get("language_code")),
        id=update_id,
        title=_title(message["chat"]),
        bot_link=me.link,
    )
    # an anonymous admin presses under the own name, so membership is always asked for
    return Press(incoming, True if private else None, str(query["id"]))


def _member(change: Json, me: Me) -> Gone | Back:
    """What became of the bot's own membership."""
    where, now = change["chat"], change["new_chat_member"]
    chat, status, kind = ChatId(PLATFORM, str(where["id"])), now["status"], _kind(where)
    if status == "kicked":
        return Gone(chat, "blocked" if kind == "private" else "kicked")
    if status == "left":
        return Gone(chat, "removed from the chat")
    if status == "restricted" and not (now.get("is_member", True) and now.get("can_send_messages")):
        return Gone(chat, "not allowed to write")
    if kind != "channel":
        return Back(chat)
    if not (status == "administrator" and now.get("can_post_messages", True)):
        return Gone(chat, "not allowed to post")
    person = _object(change.get("from"))
    user = str(person.get("id") or "")
    by = Incoming(ChatId(PLATFORM, user), user, language=_text(person.get("language_code")), bot_link=me.link)
    return Back(chat, by if user and not person.get("is_bot") else None, _title(where))


def _title(chat: Json) -> str:
    names = (_text(chat.get("first_name")), _text(chat.get("last_name")))
    return _text(chat.get("title")) or " ".join(filter(None, names)) or _text(chat.get("username"))
