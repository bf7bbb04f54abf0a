"""Whether a row of the outbox may be told now: dropped, held until later, or in another keyword's name.

Decided at send time from the settings as they are then, and never stored: who changes their mind is obeyed at once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.alerts import reasons
from bot.alerts.digest import digest_of, next_digest, quiet_until
from bot.alerts.outbox import silent
from bot.errors import QueryError
from bot.model import DeliveryKind
from bot.subscriptions.match import document, hits
from bot.subscriptions.query import parse_query

if TYPE_CHECKING:
    from datetime import datetime

    from bot.alerts.facts import Facts
    from bot.model import Delivery
    from bot.subscriptions.match import Document

#: how long after a start the first polls may take to bring in what was missed
CATCH_UP = timedelta(seconds=90)


def silenced(row: Delivery, facts: Facts, now: datetime) -> str:
    """Why the row must not be told any more, as things stand now; "" when it may."""
    story = facts.stories[row.story]
    if story.muted:
        return reasons.MUTED_STORY
    ids = {*row.subscriptions, *(story.ring.subscriptions if story.ring and row.kind is not DeliveryKind.RING else ())}
    mine = [s for i in ids if (s := facts.subscriptions.get(i))]
    if row.kind is DeliveryKind.CORRECT or not ids:
        return ""  # what is shown stays true, without a sound
    if not mine:
        return reasons.UNSUBSCRIBED
    return reasons.PAUSED if all(silent(facts.chat, s, now) for s in mine) else ""


def taken_over(row: Delivery, facts: Facts, now: datetime) -> Delivery:
    """A ring whose subscriptions are gone is that of others which match what came to the story since they are there."""
    story = facts.stories.get(row.story)
    if row.kind is not DeliveryKind.RING or story is None or any(i in facts.subscriptions for i in row.subscriptions):
        return row
    prepared = [(entry.seen, document(entry)) for entry in story.entries if not entry.baseline]
    heirs = tuple(
        s.id
        for s in facts.subscriptions.values()
        if not silent(facts.chat, s, now)
        and s.min_outlets <= len({entry.source for entry in story.entries})
        and any(seen >= s.created and _matches(s.query, text) for seen, text in prepared)
    )
    return replace(row, subscriptions=heirs) if heirs else row


def rhythm_of(row: Delivery, facts: Facts) -> str:
    """The digest that the row waits for, "off" for none; one that matched nothing itself follows its story's ring."""
    ids = row.subscriptions
    ring = facts.stories[row.story].ring if row.story in facts.stories else None
    if not ids and ring is not None:
        ids = ring.subscriptions
    return digest_of(facts.chat, [s for i in ids if (s := facts.subscriptions.get(i))])


def held_until(row: Delivery, facts: Facts, now: datetime) -> tuple[datetime, str] | None:
    """Until when, and why, this row must not sound yet; None when it may."""
    rhythm = rhythm_of(row, facts)
    if rhythm != "off":
        at = next_digest(rhythm, row.created, facts.chat.timezone)
        if at > now:
            return at, reasons.DIGEST
    quiet = quiet_until(facts.chat, now)
    if quiet is not None:
        return quiet, reasons.QUIET
    if not facts.caught_up and was_missed(row, facts) and facts.away is not None and facts.away[1] + CATCH_UP > now:
        return facts.away[1] + CATCH_UP, reasons.CATCHING_UP
    return None


def was_missed(row: Delivery, facts: Facts) -> bool:
    """Published while the bot was away, found by the first polls after it came back."""
    if facts.away is None:
        return False
    entry = facts.entries.get(row.entry)
    return entry is not None and entry.published <= facts.away[1] and row.created <= facts.away[1] + CATCH_UP


def _matches(query: str, prepared: Document) -> bool:
    try:
        return hits(parse_query(query), prepared) is not None
    except QueryError:
        return False
