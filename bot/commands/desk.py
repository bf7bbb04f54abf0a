"""What every command has at hand, and the few ways in which it answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

from bot.alerts.plan import action_id
from bot.alerts.render import local_time
from bot.i18n import _, fill, ngettext, sentence
from bot.model import Action, Button, Message, Reply, Span

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from bot.model import Chat, Incoming, Subscription
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
        await self.desk.store.put_actions(actions)
        return tuple(Button(label, action.id) for (label, *_rest), action in zip(wanted, actions, strict=True))


def say(*parts: str | Span, buttons: Sequence[Sequence[Button]] = (), private: bool = False) -> Reply:
    """A reply from plain strings and spans."""
    spans = tuple(part if isinstance(part, Span) else Span(part) for part in parts if part)
    return Reply(Message(spans, tuple(tuple(row) for row in buttons if row)), private=private)


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


def ago(moment: datetime, now: datetime) -> str:
    """Say roughly how long ago: "4 min ago", "2 h ago", "yesterday", "3 days ago"."""
    seconds = max(0.0, (now - moment).total_seconds())
    if seconds < 3600:
        minutes = max(1, round(seconds / 60))
        return fill(ngettext("{count} min ago", "{count} min ago", minutes), count=minutes)
    if seconds < 86_400:
        hours = round(seconds / 3600)
        return fill(ngettext("{count} h ago", "{count} h ago", hours), count=hours)
    days = round(seconds / 86_400)
    if days == 1:
        return _("yesterday")
    return fill(ngettext("{count} day ago", "{count} days ago", days), count=days)


def pick(subscriptions: Sequence[Subscription], text: str) -> Subscription | None:
    """By number in the list, or by query as typed or printed."""
    text = text.strip().strip("`")
    if text.isdecimal():
        number = int(text)
        return subscriptions[number - 1] if 1 <= number <= len(subscriptions) else None
    return next((s for s in subscriptions if s.query.casefold() == text.casefold()), None)
