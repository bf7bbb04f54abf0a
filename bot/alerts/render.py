"""What an alert looks like: neutral spans, in the shapes of docs/glossary.md (ring, grow, develop, correct, digest).

In: entries, their story and the reasons. Out: `Message` values. Nothing here knows a platform or markup; adapters
escape spans, so that no feed can smuggle anything in. The first line carries the news, never the bot's own words.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.alerts.wording import told_news
from bot.i18n import _, day_and_month, fill, is_right_to_left, listed, ngettext, sentence, weekday
from bot.model import Button, Message, Span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.model import Entry
    from bot.stories.summary import Excerpt

#: headlines longer than this are cut at a word: the lock screen shows less anyway
HEADLINE = 240
#: how many further outlets are named before "+N"
_NAMED = 2


@dataclass(frozen=True, slots=True)
class View:
    """All that is shown of one alert."""

    entry: Entry
    excerpt: Excerpt
    #: the story's other outlets in order of arrival
    also: tuple[str, ...]
    #: queries of the chat that matched, as printed
    queries: tuple[str, ...]
    #: what is new since this entry, for a digest; "" when nothing is
    news: str = ""


def ring(view: View, timezone: str, now: datetime) -> Message:
    """The first message about a story, and after an edit the same message with what has joined since."""
    entry = view.entry
    spans = [*_headline(entry)]
    spans += _excerpt(view.excerpt)
    spans.append(Span("\n"))
    time = local_time(entry.published, timezone, now)
    if view.also:
        rest = len(view.also) - _NAMED
        others = listed([*view.also[:_NAMED], *([f"+{rest}"] if rest > 0 else [])])
        spans += sentence(_("{source} · {time}, also {outlets}"), source=entry.source, time=time, outlets=others)
    else:
        spans.append(Span(f"{entry.source} · {time}"))
    if entry.former_titles:
        changed = local_time(entry.former_titles[-1][1], timezone, now)
        spans.append(Span(" · "))
        spans += sentence(_("headline changed by {source}, {time}"), source=entry.source, time=changed)
    if view.queries:
        spans.append(Span(" · "))
        spans += sentence(_("for {queries}"), queries=listed([Span(query, code=True) for query in view.queries]))
    return Message(tuple(spans), right_to_left=is_right_to_left())


def develop(view: View, timezone: str, now: datetime) -> Message:
    """A material new fact, to be read under the first message."""
    entry = view.entry
    lead = fill(_("Update: {news}"), news=told_news(entry.news) or _cut(entry.title))
    spans = [Span(lead, bold=True, link="" if entry.news else entry.link)]
    if entry.news:
        spans += [Span("\n"), Span(_cut(entry.title), link=entry.link)]
    spans += _excerpt(view.excerpt)
    spans.append(Span(f"\n{entry.source} · {local_time(entry.published, timezone, now)}"))
    return Message(tuple(spans), right_to_left=is_right_to_left())


def digest(heading: str, views: Sequence[View], limit: int) -> tuple[Message, int]:
    """Several stories in one message, by keyword; returns how many of `views` fit into `limit` UTF-16 units."""
    # each story more makes it longer; a chat that waited may be owed hundreds
    more = bisect_right(range(2, len(views) + 1), limit, key=lambda count: utf16(_digest(heading, views[:count]).text))
    return _digest(heading, views[: 1 + more]), 1 + more


def _digest(heading: str, views: Sequence[View]) -> Message:
    keywords = len({view.queries[:1] for view in views})
    stories = fill(ngettext("{count} story", "{count} stories", len(views)), count=len(views))
    words = fill(ngettext("for {count} keyword", "for {count} keywords", keywords), count=keywords)
    spans = [Span(heading, bold=True), Span(f" · {stories} {words}")]
    last: tuple[str, ...] | None = None
    for view in sorted(views, key=lambda v: v.queries[:1]):
        if view.queries[:1] != last:
            last = view.queries[:1]
            spans += [Span("\n"), Span(last[0] if last else _("Updates"), italic=True)]
        outlets = 1 + len(view.also)
        spans += [Span("\n• "), Span(_cut(view.entry.title), bold=True, link=view.entry.link)]
        many = fill(ngettext("{count} outlet", "{count} outlets", outlets), count=outlets)
        spans.append(Span(f" ({many if outlets > 1 else view.entry.source})"))
        if view.news:
            spans.append(Span("\n  " + fill(_("Update: {news}"), news=_cut(view.news))))
    return Message(tuple(spans), right_to_left=is_right_to_left())


def with_buttons(message: Message, *rows: Sequence[Button]) -> Message:
    """The same message with buttons under it."""
    return replace(message, buttons=tuple(tuple(row) for row in rows))


def fingerprint(message: Message) -> str:
    """Digest of what a person sees, so that an edit which changes nothing is never sent."""
    shown = repr([(s.text, s.bold, s.strike, s.link) for s in message.spans])
    return blake2b(shown.encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()


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


def local_time(moment: datetime, timezone: str, now: datetime) -> str:
    """In the chat's zone: "14:02" today, "Tue 14:02" within a week, "17 May 14:02" before."""
    zone = ZoneInfo(timezone)
    local, today = moment.astimezone(zone), now.astimezone(zone)
    clock = local.strftime("%H:%M")
    if local.date() == today.date():
        return clock
    if 0 < (today.date() - local.date()).days < 7:
        return fill(_("{weekday} {clock}"), weekday=weekday(local), clock=clock)
    date = day_and_month(local, year=local.year != today.year)
    return fill(_("{date} {clock}"), date=date, clock=clock)


def utf16(text: str) -> int:
    """Length as Telegram counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _headline(entry: Entry) -> list[Span]:
    spans = []
    if entry.former_titles:
        spans += [Span(_cut(entry.former_titles[-1][0]), strike=True), Span(" ")]
    return [*spans, Span(_cut(entry.title) or entry.link, bold=True, link=entry.link)]


def _excerpt(excerpt: Excerpt) -> list[Span]:
    if not excerpt.text:
        return []
    spans = [Span("\n")]
    at = 0
    for start, end in excerpt.marks:
        if start > at:
            spans.append(Span(excerpt.text[at:start]))
        spans.append(Span(excerpt.text[start:end], bold=True))
        at = end
    return [*spans, Span(excerpt.text[at:])] if at < len(excerpt.text) else spans


def _cut(text: str) -> str:
    text = " ".join(text.split())
    if len(text) <= HEADLINE:
        return text
    return text[: HEADLINE - 1].rsplit(" ", 1)[0][: HEADLINE - 1].rstrip(" ,;:–-") + "…"
