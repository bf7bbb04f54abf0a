"""What every command has at hand, and the few ways in which it answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

from bot.alerts.plan import action_id
from bot.alerts.render import local_time, utf16
from bot.i18n import _, is_right_to_left, sentence
from bot.model import Action, Button, Message, Reply, Span

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from bot.model import Attachment, Chat, Incoming, Subscription
    from bot.ports import Clock, Store

_DURATION = re.compile(r"(\d{1,4})\s*(m|min|h|d|w)", re.IGNORECASE)
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Desk:
    """What commands work with."""

    store: Store
    clock: Clock
    #: most subscriptions of one chat
    quota: int
    #: name → (function, changes, usage, what it does)
    commands: Mapping[str, tuple[Callable[[Asked], Awaitable[Reply]], bool, str, str]]
    #: (platform, person, id or @name) → that channel or group, if the person is an admin there
    managed: Callable[[str, str, str], Awaitable[Chat | None]]
    #: whether lists of feeds that people send become sources
    feeds_from_chats: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One command as it was given."""

    desk: Desk
    incoming: Incoming
    chat: Chat
    now: datetime
    #: what follows the command's name, or the subject of a pressed button
    args: str = ""

    def with_args(self, args: str) -> Asked:
        """The same with these arguments."""
        return replace(self, args=args.strip())

    async def mine(self) -> list[Subscription]:
        """The chat's subscriptions in the order in which /subscriptions numbers them, from 1."""
        return await self.desk.store.subscriptions(self.chat.id)

    def at(self, moment: datetime) -> str:
        """A time as it is told here: "14:02", "Tue 14:02", "17 May 14:02"."""
        return local_time(moment, self.chat.timezone, self.now)

    async def buttons(self, *wanted: tuple[str, str, str]) -> tuple[Button, ...]:
        """Buttons by (label, verb, subject), made known to the store so that a press finds them."""
        actions = [
            Action(action_id(self.chat.id, verb, subject), self.chat.id, verb, subject, self.now)
            for _label, verb, subject in wanted
        ]
        if actions:
            await self.desk.store.put_actions(actions)
        return tuple(Button(label, action.id) for (label, *_rest), action in zip(wanted, actions, strict=True))

    async def turns(self, verb: str, before: int, after: int, rest: str = "") -> tuple[Button, ...]:
        """Buttons to the page before and after; -1 for none. The subject is the first number, then `rest`."""
        turns = [
            (label, verb, f"{at} {rest}".strip())
            for label, at in ((_("‹ Back"), before), (_("More ›"), after))
            if at >= 0
        ]
        return await self.buttons(*turns)


#: what one page of a list holds: things, and UTF-16 units, so that no platform cuts it
_PAGE, _PAGE_UNITS = 25, 2800


def page_of(lines: Sequence[str], start: int) -> tuple[int, int, int, int]:
    """The page on which line `start` stands: (first, end, first of the page before, first of the next).

    -1 where there is none before or after.
    """
    starts, used = [0], 0
    for at, line in enumerate(lines):
        size = utf16(line) + 1
        if at > starts[-1] and (at - starts[-1] == _PAGE or used + size > _PAGE_UNITS):
            starts.append(at)
            used = 0
        used += size
    here = max(i for i, first in enumerate(starts) if first <= max(start, 0))
    end = starts[here + 1] if here + 1 < len(starts) else len(lines)
    return starts[here], end, starts[here - 1] if here else -1, end if end < len(lines) else -1


def say(
    *parts: str | Span,
    buttons: Sequence[Sequence[Button]] = (),
    private: bool = False,
    ask: str = "",
    attachment: Attachment | None = None,
) -> Reply:
    """A reply from plain strings and spans."""
    spans = tuple(part if isinstance(part, Span) else Span(part) for part in parts if part)
    rows = tuple(tuple(row) for row in buttons if row)
    message = Message(spans, rows, attachment, ask=ask, right_to_left=is_right_to_left())
    return Reply(message, private=private)


def code(text: str) -> Span:
    """A query or a command, as it would be typed."""
    return Span(text, code=True)


def suggest(text: str) -> list[Span]:
    """What may have been meant, to follow the sentence that says what is wrong."""
    return [Span(" "), *sentence(_("Did you mean {suggestion}?"), suggestion=code(text))]


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The known word that is spelt most like this one; "" when none is."""
    return next(iter(get_close_matches(word.casefold(), known, n=1, cutoff=0.6)), "")


def duration(text: str) -> timedelta | None:
    """Read "30m", "2h", "3d" or "1w"; None when it is something else."""
    match = _DURATION.fullmatch(text.strip())
    return timedelta(**{_UNITS[match[2].casefold()]: int(match[1])}) if match else None


def pick(subscriptions: Sequence[Subscription], text: str) -> Subscription | None:
    """By number in the list, by query as typed or printed, or by "#" and its id, which stays while numbers shift."""
    text = text.strip().strip("`")
    if text.startswith("#") and text[1:].isdecimal():
        return next((s for s in subscriptions if s.id == int(text[1:])), None)
    if text.isdecimal():
        number = int(text)
        return subscriptions[number - 1] if 1 <= number <= len(subscriptions) else None
    return next((s for s in subscriptions if s.query.casefold() == text.casefold()), None)


#: people remembered as managers of one chat
_MANAGERS = 20


def managed_by(chat: Chat, user: str, title: str) -> Chat:
    """The chat with this person as the last of those who manage it, and with its title where that is told."""
    if chat.managers[-1:] == (user,) and title in ("", chat.title):
        return chat
    managers = (*(m for m in chat.managers if m != user), user)[-_MANAGERS:]
    return replace(chat, title=title or chat.title, managers=managers)
