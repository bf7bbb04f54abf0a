"""Alerts: the rows of the outbox, and what one turn of a flow changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from bot.model.ids import DeliveryId, EntryId, StoryId, SubscriptionId
from bot.model.news import Entry, Fingerprint, Story
from bot.model.sources import FeedState
from bot.model.subscriptions import Chat, ChatId


class DeliveryKind(StrEnum):
    """What a delivery does in the chat (docs/glossary.md, the life of an alert)."""

    RING = "ring"
    GROW = "grow"
    DEVELOP = "develop"
    CORRECT = "correct"


class DeliveryState(StrEnum):
    """Where a row of the outbox stands. Only DUE rows are claimed."""

    DUE = "due"
    #: matched, but waits for something that is not a time: a second outlet (`min:2`)
    WAITING = "waiting"
    SENT = "sent"
    #: shown inside another message: an edit already covered it, or a digest carried it
    FOLDED = "folded"
    #: silenced by a mute, a snooze or a pause
    MUTED = "muted"
    #: given up; `reason` says why; shown by /status
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the outbox: one thing that one chat is owed about one story."""

    id: DeliveryId
    chat: ChatId
    story: StoryId
    #: the entry that caused it
    entry: EntryId
    kind: DeliveryKind
    #: subscriptions of the chat that matched this entry; empty when it only joined the story
    subscriptions: tuple[SubscriptionId, ...]
    created: datetime
    #: not to be sent before
    due: datetime
    state: DeliveryState = DeliveryState.DUE
    #: claims so far
    attempts: int = 0
    #: why it waits, was muted or died; for /why and /status
    reason: str = ""
    #: when it reached a final state
    settled: datetime | None = None
    #: True while held by quiet hours, a digest or an outage, for honest accounting
    held: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """What the pace must still know after a restart: when a bucket of the rate limits is full again, or until when a
    platform asked to be left alone.
    """

    #: which of them: "chat", "group" or "blocked"
    kind: str
    #: the chat as "platform:address", or the platform
    name: str
    #: when it was written down
    since: datetime
    until: datetime


class Tally(NamedTuple):
    """Rows of the outbox are counted by what these say of them."""

    kind: DeliveryKind
    state: DeliveryState
    #: held back by quiet hours, a digest or an outage
    held: bool
    #: a subscription asked for the entry; False: it only joined a story, or its headline changed
    matched: bool


class Volume(NamedTuple):
    """How much a subscription brings."""

    #: rows of the outbox that name it
    matched: int
    #: rings that reached the chat
    rung: int


class Sizes(NamedTuple):
    """How much a store holds."""

    feeds: int
    entries: int
    stories: int
    chats: int
    subscriptions: int
    #: feeds that fail or are gone, and those paused; none is counted in both
    failing: int
    paused: int


#: the rhythm of a source is counted in steps of this length, from 00:00 UTC
RHYTHM_STEP = timedelta(hours=6)


def delivery_id(chat: ChatId, story: StoryId, kind: DeliveryKind, entry: EntryId) -> DeliveryId:
    """A story rings a chat once: ring ids carry no entry; every other kind is one per entry."""
    stem = f"{chat}|{story}|{kind}"
    return DeliveryId(stem if kind is DeliveryKind.RING else f"{stem}|{entry}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The message that a chat holds about a story: what to edit and to reply to."""

    chat: ChatId
    story: StoryId
    #: the platform's id of the sent message
    message: str
    sent: datetime
    #: last edit; None: never
    edited: datetime | None = None
    #: digest of the text last shown, so that an edit that changes nothing is not sent
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Mute:
    """A story that a chat no longer wants to hear of."""

    chat: ChatId
    story: StoryId
    since: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """One chat's due rows, in order, in one worker's hands until the lease ends."""

    chat: Chat
    #: attempts already counted, `due` already moved to the end of the lease
    deliveries: tuple[Delivery, ...]
    epoch: int


@dataclass(frozen=True, slots=True)
class Action:
    """What a button does; the chat only ever carries the opaque id."""

    id: str
    chat: ChatId
    #: "why", "mute", "snooze", "subscribe", "unsubscribe" ...
    verb: str
    subject: str
    created: datetime


@dataclass(frozen=True, slots=True)
class PollCommit:
    """Everything one poll changed; a store applies all of it or nothing."""

    state: FeedState
    #: of the LeasedFeed; None for entries that came by another way (WebSub)
    epoch: int | None = None
    #: new entries, or known ones with changed text; replaces by id
    entries: tuple[Entry, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()
    #: created or changed; replaces by id
    stories: tuple[Story, ...] = ()
    #: inserted where the id is new, or where the stored row is WAITING or MUTED; otherwise left as it is
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class Settlement:
    """Everything one send changed; a store applies all of it or nothing."""

    chat: ChatId
    #: of the Claim; an older one is refused with LeaseLost
    epoch: int
    #: claimed rows with their new state; claimed rows that are not named stay in the claim, which ends
    #: with its last row (settled, or due again) or with the lease
    deliveries: tuple[Delivery, ...]
    receipts: tuple[Receipt, ...] = ()
    #: the chat can't be written to any more, and why
    gone: str = ""
    #: every row of the chat moves to this id (group → supergroup)
    moved_to: ChatId | None = None
    #: nothing of the chat is given out before, so that what comes meanwhile does not overtake what waits
    wait: datetime | None = None
