"""What is known when it comes to tell a chat something, and what may be done then: the values of `plan`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.model import (
        Action,
        Chat,
        Delivery,
        Entry,
        EntryId,
        Message,
        Receipt,
        Story,
        StoryId,
        Subscription,
        SubscriptionId,
    )
    from bot.stories.summary import Habits


@dataclass(frozen=True, slots=True)
class StoryFacts:
    """What is known of one story when it comes to tell a chat of it."""

    story: Story
    #: its entries that are still kept, in order of arrival
    entries: tuple[Entry, ...]
    #: the row that rang, whatever its state; None before
    ring: Delivery | None
    receipt: Receipt | None
    muted: bool
    #: whether the story rang here under another of its names, before a late merge
    rang: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about the rows of one claim."""

    chat: Chat
    stories: Mapping[StoryId, StoryFacts]
    entries: Mapping[EntryId, Entry]
    #: the chat's own
    subscriptions: Mapping[SubscriptionId, Subscription]
    habits: Habits
    #: when the bot was last seen alive before this start, and the start; None when the pause was short
    away: tuple[datetime, datetime] | None = None
    #: whether every source was read since
    caught_up: bool = False


@dataclass(frozen=True, slots=True)
class Settle:
    """Nothing to send: rows with their new state."""

    rows: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """A new message."""

    message: Message
    #: rows that it fulfils
    rows: tuple[Delivery, ...]
    #: rows that it covers as well
    folded: tuple[Delivery, ...] = ()
    #: message id to reply to, ""
    reply_to: str = ""
    #: stories whose alert this message is from now on, with what it shows of them
    shows: tuple[tuple[StoryId, str], ...] = ()
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """A sent message changes."""

    message: Message
    rows: tuple[Delivery, ...]
    receipt: Receipt
    folded: tuple[Delivery, ...] = ()
    shown: str = ""


Step = Settle | Send | Edit
