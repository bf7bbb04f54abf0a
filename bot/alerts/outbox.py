"""What an entry owes to whom: pure decisions between "matched" and "sent".

In: one placed entry, who matched it, what the chats were already told of its story. Out: rows for the outbox.
The rule of the house: a story rings a chat once; every matching entry leaves exactly one row behind, so that
`/why` can explain it and `/status` can count it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.alerts.reasons import MUTED_STORY, OUTLETS_SO_FAR, PAUSED
from bot.i18n import fill
from bot.model import Delivery, DeliveryKind, DeliveryState, EntryId, Kind, delivery_id, later

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from random import Random

    from bot.model import Chat, ChatId, Entry, FeedId, StoryId, Subscription, SubscriptionId

#: agencies whose copy many outlets print; a story told by their words alone has one voice (docs/glossary.md, outlet)
_AGENCIES = (
    r"(?:((?i:reuters|рейтер))|((?i:associated press)|AP)|(AFP|(?i:agence france-presse))|(dpa)|((?i:tass|тасс))"
    r"|((?i:interfax|интерфакс))|((?i:ria novosti|риа новости))|((?i:anadolu)|AA)|((?i:xinhua)|新华社)|(Kyodo)|(EFE)"
    r"|(ANSA)|(PA Media|Press Association)|(PTI))"
)
#: as an author; in brackets after the place; after a dash at the very end
_AUTHOR, _PLACE, _END = (
    re.compile(form.replace("AGENCY", _AGENCIES)) for form in (r"\bAGENCY\b", r"\(AGENCY\)", r"[-–—(/]\s*AGENCY\W*$")
)

#: a row that could not be delivered for this long is given up, and shown by /status
GIVE_UP = timedelta(hours=72)
#: but not before it was tried for about a day: a weekly digest is older when its first try comes
_TRIES = 96
_BACKOFF_FIRST = 5.0
_BACKOFF_MOST = 900.0


@dataclass(frozen=True, slots=True)
class Told:
    """What one chat was told, or is about to be told, of one story."""

    ring: Delivery | None = None
    muted: bool = False
    #: a ring of this story that was silenced in time: the chat knows nothing of it, and a later one takes its place
    stopped: Delivery | None = None

    @property
    def nothing(self) -> bool:
        """Whether the chat may still hear of the story for the first time."""
        return self.ring is None and not self.muted


def independent_outlets(entries: Iterable[Entry], owners: Mapping[FeedId, str]) -> int:
    """How many voices carry a story: outlets of one owner, and copies of one agency, count once."""
    return len({agency_of(e) or owners.get(e.feed) or e.source.casefold() or e.feed for e in entries})


def agency_of(entry: Entry) -> str:
    """The agency that an entry credits in its authors, at the head of its text or at its very end; "" for none."""
    lead = entry.summary or entry.content
    for form, text in ((_AUTHOR, " ".join(entry.authors)), (_PLACE, lead[:80]), (_END, lead[-40:])):
        found = form.search(text)
        if found and found.lastindex:
            return f"agency-{found.lastindex}"
    return ""


def silent(chat: Chat, subscription: Subscription, now: datetime) -> bool:
    """Whether a pause or a snooze silences this subscription now."""
    return any(until is not None and until > now for until in (chat.paused_until, subscription.paused_until))


def owed(
    entry: Entry,
    *,
    matched: Mapping[ChatId, Sequence[Subscription]],
    told: Mapping[ChatId, Told],
    chats: Mapping[ChatId, Chat],
    subscriptions: Mapping[SubscriptionId, Subscription],
    outlets: int,
    now: datetime,
) -> list[Delivery]:
    """Rows for every chat that the entry matched, and for every chat whose alert it makes grow.

    `told` holds the chats that know the story already; `outlets` counts its independent outlets with this entry.
    """
    rows: list[Delivery] = []
    for chat_id in sorted(matched.keys() | told.keys()):
        chat = chats.get(chat_id)
        if chat is None:
            continue  # the chat was forgotten meanwhile
        mine = matched.get(chat_id, ())
        awake = [s for s in mine if not silent(chat, s, now)]
        known = told.get(chat_id, Told())
        blank = _blank(entry, chat_id, mine, now)
        if known.ring is None or known.ring.state is DeliveryState.WAITING:
            ids = known.ring.subscriptions if known.ring else ()
            waiting = [s for i in ids if (s := subscriptions.get(i)) and not silent(chat, s, now)]
            rows += _before_ring(blank, known, awake, waiting, outlets)
        else:
            rang_for = [s for i in known.ring.subscriptions if (s := subscriptions.get(i))]
            listening = [s for s in (*rang_for, *awake) if not silent(chat, s, now)]
            rows += _after_ring(blank, entry, known, listening)
    return rows


def _blank(entry: Entry, chat: ChatId, subscriptions: Sequence[Subscription], now: datetime) -> Delivery:
    """A GROW row, the least an entry can owe."""
    return Delivery(
        id=delivery_id(chat, entry.story, DeliveryKind.GROW, entry.id),
        chat=chat,
        story=entry.story,
        entry=entry.id,
        kind=DeliveryKind.GROW,
        subscriptions=tuple(s.id for s in subscriptions),
        created=now,
        due=now,
    )


def _as(row: Delivery, kind: DeliveryKind, story: StoryId | None = None) -> Delivery:
    story = story or row.story
    return replace(row, kind=kind, story=story, id=delivery_id(row.chat, story, kind, row.entry))


def _muted(row: Delivery, reason: str) -> Delivery:
    return replace(row, state=DeliveryState.MUTED, reason=reason, settled=row.created)


def _before_ring(
    blank: Delivery,
    known: Told,
    awake: Sequence[Subscription],
    waiting: Sequence[Subscription],
    outlets: int,
) -> list[Delivery]:
    """The story has not rung here: ring, wait for more outlets, or stay silent and say why."""
    if known.muted or (blank.subscriptions and not awake):
        return [_muted(blank, MUTED_STORY if known.muted else PAUSED)] if blank.subscriptions else []
    wanting = {s.id: s for s in (*waiting, *awake)}
    if not wanting:
        return []
    ring = known.ring or _as(blank, DeliveryKind.RING)
    ringing = tuple(s.id for s in wanting.values() if s.min_outlets <= outlets)
    if ringing:
        ring = replace(ring, state=DeliveryState.DUE, due=blank.due, subscriptions=ringing, reason="")
        ring = replace(ring, created=blank.created)  # what it waited for is not a time: digests count from now
    else:
        need = min(s.min_outlets for s in wanting.values())
        reason = fill(OUTLETS_SO_FAR, outlets=outlets, need=need)
        both = tuple(dict.fromkeys((*ring.subscriptions, *wanting)))  # who is snoozed waits on
        ring = replace(ring, state=DeliveryState.WAITING, subscriptions=both, reason=reason)
    if known.stopped and known.stopped.entry != ring.entry:
        # the id of a ring names no entry: what was silenced stays counted under another
        return [ring, _as(known.stopped, DeliveryKind.GROW)]
    return [ring, blank] if known.ring and blank.subscriptions else [ring]


def _after_ring(blank: Delivery, entry: Entry, known: Told, listening: Sequence[Subscription]) -> list[Delivery]:
    """The story rang here: a development becomes a reply, everything else makes the message grow.

    `listening` are the subscriptions that rang or match now, and are neither removed nor silent.
    """
    ring = known.ring
    assert ring is not None
    row = _as(blank, DeliveryKind.GROW, ring.story)  # a merged story's alert keeps its own name
    if known.muted or not listening:
        return [_muted(row, MUTED_STORY if known.muted else PAUSED)] if blank.subscriptions else []
    if entry.kind is Kind.DEVELOPMENT and any(s.updates for s in listening):
        return [_as(row, DeliveryKind.DEVELOP)]
    return [row]


def corrected(entry: Entry, rings: Iterable[Delivery], now: datetime) -> list[Delivery]:
    """Rows for the alerts that show this entry's headline, after the outlet changed it."""
    revision = len(entry.former_titles)
    return [
        Delivery(
            id=delivery_id(ring.chat, ring.story, DeliveryKind.CORRECT, EntryId(f"{entry.id}.{revision}")),
            chat=ring.chat,
            story=ring.story,
            entry=entry.id,
            kind=DeliveryKind.CORRECT,
            subscriptions=(),
            created=now,
            due=now,
        )
        for ring in rings
        if ring.entry == entry.id and ring.state is not DeliveryState.WAITING
    ]


def given_up(row: Delivery, now: datetime) -> bool:
    """Whether a row that could not be delivered once more has had its chances."""
    return now - row.created > GIVE_UP and row.attempts >= _TRIES


def revived(row: Delivery, now: datetime) -> Delivery:
    """A row that was given up, to be tried afresh."""
    return replace(row, state=DeliveryState.DUE, due=now, attempts=0, reason="", settled=None, held=False)


def retry_at(row: Delivery, after: float | None, now: datetime, rng: Random) -> datetime:
    """When to try again: exactly as long as the platform asked, else doubling from 5 s to 15 min with jitter."""
    if after is not None:
        return later(now, after)
    doubled = _BACKOFF_FIRST * 2.0 ** min(max(row.attempts - 1, 0), 16)
    return later(now, min(doubled, _BACKOFF_MOST) * rng.uniform(0.75, 1.25))
