"""What a query would have sent: the last seven days, read again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import QueryError
from bot.subscriptions.match import document, matches
from bot.subscriptions.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.commands.desk import Asked
    from bot.model import Entry, StoryId
    from bot.subscriptions.query import Query

PAST = timedelta(days=7)
#: entries looked at before the event loop gets a turn
_SLICE = 50


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What one query would have sent in the last seven days."""

    now: datetime
    entries: int
    stories: int
    #: sources that were listened to
    sources: int
    #: the outlet with most matching entries, and how many; None without any
    loudest: tuple[str, int] | None
    #: headline, link and time of the newest three stories
    latest: tuple[tuple[str, str, datetime], ...]
    #: a wider query that would have found something, and in how many stories
    wider: tuple[str, int] | None = None


async def rehearse(asked: Asked, queries: Mapping[str, Query]) -> dict[str, Rehearsal]:
    """By printed query. Looks at every stored entry of the window once, and lets other work go on meanwhile."""
    wider = {printed: _wider(printed) for printed in queries}
    wanted = {**queries, **{text: query for found in wider.values() if found for text, query in [found]}}
    hit: dict[str, list[Entry]] = {printed: [] for printed in wanted}
    for index, entry in enumerate(await asked.desk.store.entries_since(asked.now - PAST)):
        prepared = document(entry)
        for printed, query in wanted.items():
            if matches(query, prepared):
                hit[printed].append(entry)
        if index % _SLICE == 0:
            await asked.desk.clock.sleep(0)
    sources = len(await asked.desk.store.feeds())
    result = {}
    for printed in queries:
        found = wider[printed]
        stories = len({e.story for e in hit[found[0]]}) if found else 0
        result[printed] = _summed(hit[printed], sources, (found[0], stories) if found and stories else None, asked.now)
    return result


def _summed(found: list[Entry], sources: int, wider: tuple[str, int] | None, now: datetime) -> Rehearsal:
    newest: dict[StoryId, Entry] = {}
    for entry in found:
        newest.setdefault(entry.story, entry)
    latest = sorted(newest.values(), key=lambda e: e.published, reverse=True)[:3]
    loudest = Counter(e.source for e in found).most_common(1)
    return Rehearsal(
        now=now,
        entries=len(found),
        stories=len(newest),
        sources=sources,
        loudest=loudest[0] if loudest else None,
        latest=tuple((e.title, e.link, e.published) for e in latest),
        wider=wider,
    )


def _wider(printed: str) -> tuple[str, Query] | None:
    """The same words anywhere instead of side by side; None where there is nothing to widen."""
    loose = printed.replace('"', "")
    if loose == printed or "~" in printed or " " not in loose:
        return None
    try:
        return loose, parse_query(loose)
    except QueryError:
        return None
