"""/manage: a channel or group from the private chat with one of its admins.

While it lasts, the commands of the private chat are about that room, and every answer is headed with its name. The right
is asked for at each doing, so that who is no admin any more neither changes nor reads anything.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.commands.desk import code, managed_by, say
from bot.i18n import _, is_right_to_left, sentence
from bot.model import Chat, Message, Reply, Span

if TYPE_CHECKING:
    from bot.commands.desk import Asked
    from bot.model import Incoming

#: rooms that are offered by button
_SHOWN = 20
#: an address of a room as people write it
_NAME = re.compile(r"(?:https?://)?(?:t\.me/|@)?([A-Za-z]\w{3,31})/?|(-\d{1,20})")


async def manage(asked: Asked) -> Reply:
    """Begin, end, or offer what can be managed."""
    if not asked.incoming.private:
        return say(_("Write /manage to me in our private chat, and I do there what you would type here."))
    if not asked.args:
        return await _offer(asked)
    if asked.args.casefold() in {"off", "stop", "end", "done"}:
        return await end(asked)
    found = _NAME.fullmatch(asked.args.strip())
    room = await _room(asked, (f"@{found[1]}" if found[1] else found[2]) if found else "")
    if room is None:
        no = _("I can't see that you are an admin of {room}. I must be there too: in a channel as an admin.")
        return say(*sentence(no, room=code(asked.args[:60])))
    return await begin(asked, room)


async def begin(asked: Asked, room: Chat) -> Reply:
    """From now on the commands of this private chat are about the room."""
    store, user = asked.desk.store, asked.incoming.user
    known = await store.chat(room.id) or replace(room, language=asked.chat.language, timezone=asked.chat.timezone)
    await store.put_chat(managed_by(known, user, room.title))
    await store.put_chat(replace(asked.chat, managing=room.id.address))
    began = _("What you send me here is now about {room}: {subscribe}, {list} and all the others. {end} ends it.")
    places = {"subscribe": code("/subscribe Idlib"), "list": code("/subscriptions"), "end": code("/manage off")}
    return say(*sentence(began, room=Span(name_of(room, known), bold=True), **places))


def name_of(room: Chat, known: Chat) -> str:
    """As people know it; its number where nobody said."""
    return room.title or known.title or room.id.address


async def end(asked: Asked) -> Reply:
    """Back to the private chat itself."""
    if asked.chat.managing:
        await asked.desk.store.put_chat(replace(asked.chat, managing=""))
    return say(_("What you send me here is about our own chat again."))


async def _offer(asked: Asked) -> Reply:
    user, platform = asked.incoming.user, asked.chat.id.platform
    rooms = [c for c in await asked.desk.store.chats() if c.id.platform == platform and user in c.managers]
    rows = [await asked.buttons((room.title or room.id.address, "manage", room.id.address)) for room in rooms[-_SHOWN:]]
    if asked.chat.managing:
        rows.append(await asked.buttons((_("End"), "manage", "off")))
    how = _("To manage a channel from here, make me an admin there, or send {command}; a group's number does too.")
    which = [_("Which one?"), " "] if rooms else []
    return say(*which, *sentence(how, command=code("/manage @channel")), buttons=rows)


async def _room(asked: Asked, name: str) -> Chat | None:
    return await asked.desk.managed(asked.chat.id.platform, asked.incoming.user, name) if name else None


async def into_room(asked: Asked) -> tuple[Asked, Chat | None]:
    """The same as asked in the room that is managed, with that room; None when the right to it is gone."""
    room = await _room(asked, asked.chat.managing)
    if room is None:
        return asked, None
    known = await asked.desk.store.chat(room.id) or replace(room, language=asked.chat.language)
    room = replace(room, title=name_of(room, known))
    incoming = replace(asked.incoming, chat=room.id, message="", admin=True, title=room.title)
    return replace(asked, incoming=incoming, chat=known), room


def headed(reply: Reply, room: Chat) -> Reply:
    """The reply under the name of the room that it is about."""
    title = Span(f"{room.title}\n", bold=True)
    return replace(reply, message=replace(reply.message, spans=(title, *reply.message.spans)))


async def lost(asked: Asked) -> Reply:
    """The right is gone, or nobody can say: nothing of the room is shown."""
    name = asked.chat.managing
    await asked.desk.store.put_chat(replace(asked.chat, managing=""))
    gone = _("I can't see any more that you are an admin of {room}. What you send me here is about our own chat again.")
    return say(*sentence(gone, room=code(name)))


async def added(asked: Asked, room: Chat) -> Reply:
    """To who made the bot an admin of a channel: it can be managed from here."""
    known = await asked.desk.store.chat(room.id) or replace(room, language=asked.chat.language)
    await asked.desk.store.put_chat(managed_by(known, asked.incoming.user, room.title))
    told = sentence(
        _("I can post in {room} now. What is it to be told about?"), room=Span(name_of(room, known), bold=True)
    )
    buttons = await asked.buttons((_("Choose here"), "manage", room.id.address))
    message = Message(tuple(told), (buttons,), right_to_left=is_right_to_left())
    return Reply(message)


def stays(incoming: Incoming, name: str) -> bool:
    """Whether a command is about the private chat itself, whatever is managed from it."""
    return not incoming.private or name in {"manage", "start", "help", "cancel"}
