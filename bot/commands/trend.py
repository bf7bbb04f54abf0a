"""/trend: a drawn chart of how often a query was in the news, day by day and by outlet."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.chart import COLOURS, Series, chart, png
from bot.commands.desk import code, duration, say
from bot.commands.subscribing import refused
from bot.errors import QueryError
from bot.i18n import _, day_and_month, fill, listed, ngettext, sentence
from bot.model import Attachment, Span
from bot.subscriptions.match import document, matches
from bot.subscriptions.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from bot.commands.desk import Asked
    from bot.model import Entry, Reply
    from bot.subscriptions.query import Query

#: days shown when nobody says
_USUAL = 14
_MOST = 90
#: entries looked at before the event loop gets a turn
_SLICE = 50


async def trend(asked: Asked, usual: int = _USUAL) -> Reply:
    """`/trend Idlib`, `/trend "air defence" 30d`; `usual` days where nobody says how many."""
    text, span = asked.args, timedelta(days=usual)
    head, _space, last = asked.args.rpartition(" ")
    if head.strip() and (said := duration(last)) is not None:
        text, span = head.strip(), said
    if not text:
        how = _("Say what to draw: {example}, or {longer}.")
        return say(*sentence(how, example=code("/trend Idlib"), longer=code("/trend Idlib 30d")))
    try:
        query = parse_query(text)
    except QueryError as error:
        return await refused(asked, error)
    zone = ZoneInfo(asked.chat.timezone)
    today = asked.now.astimezone(zone).date()
    count = min(max(span.days, 2), _MOST)
    cut = ["\n", fill(_("A chart has {count} days at most."), count=_MOST)] if span.days > _MOST else []
    days = [today - timedelta(days=back) for back in range(count - 1, -1, -1)]
    found, kept_since = await _mentions(asked, query, days[0], zone)
    if not found:
        nothing = ngettext(
            "Nothing in the last {count} day for {query}.", "Nothing in the last {count} days for {query}.", count
        )
        return say(*sentence(nothing, count=count, query=code(text)), *cut, *_horizon(kept_since, days[0], zone))
    return await _drawn(text, found, days, zone, [*cut, *_horizon(kept_since, days[0], zone)])


async def _mentions(asked: Asked, query: Query, first: date, zone: ZoneInfo) -> tuple[list[Entry], datetime | None]:
    """Entries that match, and since when entries are kept at all."""
    since = asked.now - timedelta(days=(asked.now.astimezone(zone).date() - first).days + 1)
    entries = await asked.desk.store.entries_since(since)
    found = []
    for index, entry in enumerate(entries):
        if entry.seen.astimezone(zone).date() >= first and matches(query, document(entry)):
            found.append(entry)
        if index % _SLICE == 0:
            await asked.desk.clock.sleep(0)
    return found, entries[0].seen if entries else None


async def _drawn(
    text: str, found: Sequence[Entry], days: Sequence[date], zone: ZoneInfo, notes: Sequence[str]
) -> Reply:
    totals: Counter[str] = Counter()
    by_day: dict[date, Counter[str]] = defaultdict(Counter)
    stories: dict[date, set[str]] = defaultdict(set)
    for entry in found:
        day = entry.seen.astimezone(zone).date()
        totals[entry.source] += 1
        by_day[day][entry.source] += 1
        stories[day].add(entry.story)
    ranked = [name for name, _count in totals.most_common()]
    named, others = ranked[: len(COLOURS) - 1], ranked[len(COLOURS) - 1 :]
    series = [Series(name, tuple(by_day[day][name] for day in days)) for name in named]
    if others:
        series.append(Series("", tuple(sum(by_day[day][name] for name in others) for day in days)))
    each_day = [sum(by_day[day].values()) for day in days]
    picture = await asyncio.to_thread(png, chart(days, series, [len(stories[day]) for day in days]))

    outlets = [f"{number} {name} ({totals[name]})" for number, name in enumerate(named, 1)]
    if others:
        rest = sum(totals[name] for name in others)
        more = ngettext("{number} {outlets} other ({count})", "{number} {outlets} others ({count})", len(others))
        outlets.append(fill(more, number=len(COLOURS), outlets=len(others), count=rest))
    told_in = len({entry.story for entry in found})
    mentions = fill(ngettext("{count} mention", "{count} mentions", len(found)), count=len(found))
    in_stories = fill(ngettext("in {count} story", "in {count} stories", told_in), count=told_in)
    busiest = max(range(len(days)), key=lambda n: (each_day[n], n))
    spans: list[str | Span] = [
        *sentence(
            _("{query}, {start} – {end}: {mentions} {in_stories}; most on {day}: {count}."),
            query=code(text),
            start=day_and_month(days[0]),
            end=day_and_month(days[-1]),
            mentions=mentions,
            in_stories=in_stories,
            day=day_and_month(days[busiest]),
            count=each_day[busiest],
        ),
        "\n",
        *listed(outlets),
        *notes,
    ]
    numbers = listed([f"{day_and_month(day)} {count}" for day, count in zip(days, each_day, strict=True)])
    alt = "".join(span.text for span in sentence(_("Mentions a day: {numbers}"), numbers=numbers))
    return say(*spans, attachment=Attachment("trend.png", picture, "image/png", alt))


def _horizon(kept_since: datetime | None, first: date, zone: ZoneInfo) -> list[str]:
    """Says so where the chart begins before what is kept: an empty day must not look like a quiet one."""
    begins = kept_since.astimezone(zone).date() if kept_since else None
    if begins is None or begins <= first:
        return []
    return ["\n", fill(_("Nothing is kept from before {day}."), day=day_and_month(begins))]
