"""What is said when a keyword has gone silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.alerts.render import local_time
from bot.i18n import _, fill, is_right_to_left, listed, ngettext, sentence
from bot.model import Button, Message, Span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

#: failing sources named in one message
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Failing:
    """A source that can't be read."""

    name: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Silent:
    """A keyword that used to ring."""

    query: str
    per_day: float
    silence: timedelta
    #: how many sources carried what it rang for
    sources: int
    #: those of them that fail now
    failing: tuple[Failing, ...]


def silence_message(silent: Sequence[Silent], off: str, timezone: str, now: datetime) -> Message:
    """One message for all keywords of a chat that are silent. `off`: the action of the button that ends such alarms; ""."""
    spans: list[Span] = []
    for one in silent:
        spans += [Span("\n")] if spans else []
        usual = sentence(
            _("{query} usually rings {rate}, and has been silent for {time}."),
            query=Span(one.query, code=True),
            rate=_rate(one.per_day),
            time=_length(one.silence),
        )
        spans += [*usual, Span(" "), *_sources(one, timezone, now)]
    buttons = ((Button(_("No such alarms for it"), off),),) if off else ()
    return Message(tuple(spans), buttons, right_to_left=is_right_to_left())


def _sources(one: Silent, timezone: str, now: datetime) -> list[Span]:
    if not one.failing:
        well = ngettext(
            "The {count} source that carried it answers.", "The {count} sources that carried it answer.", one.sources
        )
        return [Span(fill(well, count=one.sources) if one.sources else _("The sources that carried it are gone."))]
    named = [
        fill(
            _("{source} since {time} ({reason})"),
            source=f.name,
            time=local_time(f.since, timezone, now),
            reason=f.reason,
        )
        for f in one.failing[:_NAMED]
    ]
    more = len(one.failing) - _NAMED
    fails = ngettext(
        "{failing} of the {count} source that carried it fails: {sources}.",
        "{failing} of the {count} sources that carried it fail: {sources}.",
        one.sources,
    )
    every = listed([*named, *([f"+{more}"] if more > 0 else [])])
    return sentence(fails, failing=len(one.failing), count=one.sources, sources=every)


def _rate(per_day: float) -> str:
    """Say "4 times a day", or by the week where that is less than one."""
    if per_day >= 0.95:
        count = round(per_day)
        return fill(ngettext("{count} time a day", "{count} times a day", count), count=count)
    count = max(1, round(per_day * 7))
    return fill(ngettext("{count} time a week", "{count} times a week", count), count=count)


def _length(silence: timedelta) -> str:
    hours = round(silence / timedelta(hours=1))
    if hours < 48:
        return fill(ngettext("{count} hour", "{count} hours", hours), count=hours)
    days = round(hours / 24)
    return fill(ngettext("{count} day", "{count} days", days), count=days)
