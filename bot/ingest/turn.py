"""What one turn decides, and the entries that it makes of a feed's items."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.model import Delivery, DeliveryId, Entry, EntryId, Fingerprint, Story, StoryId
from bot.stories.identity import entry_id

if TYPE_CHECKING:
    from bot.model import LeasedFeed, ParsedEntry

#: stated dates before this are placeholders (1970) or typing errors
_EARLIEST = timedelta(days=365 * 30)


@dataclass(slots=True)
class Turn:
    """What one turn has decided so far; later items of the same feed see it before it is on disk."""

    now: datetime
    baseline: bool
    entries: dict[EntryId, Entry] = field(default_factory=dict)
    fingerprints: dict[EntryId, Fingerprint] = field(default_factory=dict)
    stories: dict[StoryId, Story] = field(default_factory=dict)
    deliveries: dict[DeliveryId, Delivery] = field(default_factory=dict)
    new: int = 0
    #: the story index may be half changed: rebuild it before the next turn
    doubtful: bool = False


def oldest_first(items: tuple[ParsedEntry, ...], now: datetime) -> list[ParsedEntry]:
    """By the stated time; items without a usable one keep their place (feeds list the newest first)."""
    named = [replace(item, title=item.title or item.summary[:120] or item.link) for item in reversed(items)]
    return sorted(named, key=lambda item: _published(item, now))


def _published(item: ParsedEntry, now: datetime) -> datetime:
    """The stated time where it can be true: not in the future, not a placeholder."""
    stated = item.published or item.updated
    return stated if stated is not None and now - _EARLIEST < stated <= now else now


def new_entry(leased: LeasedFeed, item: ParsedEntry, source: str, turn: Turn) -> Entry:
    """The entry that an item becomes; its story is not known yet."""
    return Entry(
        id=entry_id(leased.feed.id, item),
        feed=leased.feed.id,
        source=source,
        title=item.title,
        link=item.link,
        guid=item.guid,
        summary=item.summary,
        seen=turn.now,
        published=_published(item, turn.now),
        content=item.content,
        captions=item.captions,
        categories=item.categories,
        authors=item.authors,
        language=item.language or leased.feed.language,
        tags=leased.feed.tags,
        baseline=turn.baseline,
    )
