"""Entries and the stories they make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.model.ids import EntryId, FeedId, StoryId


class Field(StrEnum):
    """The parts of an entry in which words are searched."""

    TITLE = "title"
    SUMMARY = "summary"
    CONTENT = "content"
    CAPTION = "caption"
    CATEGORY = "category"


class Kind(StrEnum):
    """What an entry is within its story (docs/glossary.md)."""

    FIRST = "first"
    REPEAT = "repeat"
    DEVELOPMENT = "development"


@dataclass(frozen=True, slots=True)
class Entry:
    """One article of one outlet, told apart from its earlier copies and edits."""

    id: EntryId
    feed: FeedId
    #: the outlet's name at first sight
    source: str
    title: str
    #: http or https, or ""
    link: str
    guid: str
    summary: str
    #: when it arrived here; order of arrival decides everything
    seen: datetime
    #: stated by the outlet, clamped to `seen` when it lies in the future; `seen` when absent
    published: datetime
    content: str = ""
    captions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    language: str = ""
    #: the feed's tags at first sight
    tags: tuple[str, ...] = ()
    story: StoryId = StoryId("")
    kind: Kind = Kind.FIRST
    #: why it was placed there, in words for /why
    reason: str = ""
    #: what is new, in words, when it is a development
    news: str = ""
    #: earlier headlines of this same entry, oldest first, with the time at which each was replaced
    former_titles: tuple[tuple[str, datetime], ...] = ()
    #: stored at the first poll of its feed: it can't ring
    baseline: bool = False

    def texts(self) -> tuple[tuple[Field, str], ...]:
        """The searched texts by field, in reading order; offsets of hits count in these."""
        return (
            (Field.TITLE, self.title),
            (Field.SUMMARY, self.summary),
            (Field.CONTENT, self.content),
            (Field.CAPTION, "\n".join(self.captions)),
            (Field.CATEGORY, "\n".join(self.categories)),
        )


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is remembered of an entry longer than its text, so that it is never new twice."""

    entry: EntryId
    feed: FeedId
    #: digests within the feed; "" where the entry lacks the part
    guid: str
    link: str
    title: str
    #: last time the feed's body carried it; moved forward at most once a day
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Story:
    """The cluster of entries about one event."""

    id: StoryId
    #: headline of the first entry
    title: str
    first_seen: datetime
    #: when the newest entry joined; the story rests 72 h later
    last_seen: datetime
    #: members in order of arrival
    entries: tuple[EntryId, ...]
    #: the story that took this one over in a late merge; "" when it stands
    merged_into: StoryId = StoryId("")
    #: the stories that this one took over; their alerts count as its own
    merged: tuple[StoryId, ...] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """The decision of the clustering for one entry."""

    entry: EntryId
    story: StoryId
    kind: Kind
    #: why, in words for a person: "9 of its 11 rare words and both numbers agree"
    reason: str
    #: what is new, in words ("toll 3 → 11"); "" unless a development
    news: str = ""
    #: stories that this entry showed to be the same as `story`: they are merged into it, and never ring again
    merges: tuple[StoryId, ...] = ()
