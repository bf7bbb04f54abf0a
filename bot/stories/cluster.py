"""Same event or not: each arriving entry joins the story it belongs to, or begins one, and says why.

In: entries in order of arrival. Out: placements. Rare words find the few stories an entry may belong to (`window`),
what agrees and clashes is measured (`evidence`), a fitted score decides (`fitted`), and another says whether a joining
entry tells anything new (`novelty`). State is held in memory and rebuilt by `restore`; nothing here reads a clock: an
entry's `seen` is now.
"""

from __future__ import annotations

from datetime import timedelta
from math import log
from typing import TYPE_CHECKING

from bot.model import Entry, EntryId, Kind, Placement, Story, StoryId
from bot.stories import novelty
from bot.stories.evidence import NAMES, weigh
from bot.stories.fitted import Fitted, load
from bot.stories.terms import Sketch, sketch
from bot.stories.window import OpenStory, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

WINDOW = timedelta(hours=72)  #: a story rests this long after its last entry
MERGE = 1.2  #: points above the bar with which an entry that joins one story may draw another one to it ...
AGREE = 0.8  #: ... and those that the other story's latest entry needs beside the first story
_BIG = 5  #: entries from which a story asks for more: what it swallows wrongly costs more
_COLD = 50  #: entries below which the window can't tell an outlet's beat from an event ...
_OWN_BEAT = 1.5  #: ... so that its own pieces need so many points more to be one story
_RARE = 4.5  #: weight from which a word is called rare
_COPY = 0.97  #: cosine from which an entry is a copy of another
_BEST, _HEADLINE = NAMES.index("best"), NAMES.index("headline")
_ALONE = "no story in the window tells this event"


class StoryIndex:
    """The stories of the window. Deterministic: the same entries in the same order give the same placements."""

    def __init__(self, window: timedelta = WINDOW, fitted: Fitted | None = None) -> None:
        self._span = window.total_seconds()
        self._fitted = fitted or load()
        self._window = Window(self._fitted.rarity)
        self._placed: dict[EntryId, Placement] = {}
        self._now = 0.0

    def __len__(self) -> int:
        """Stories in the window."""
        return len(self._window.stories)

    def place(self, entry: Entry) -> Placement:
        """Decides where the entry belongs and remembers it. An entry already known keeps its placement."""
        if known := self._placed.get(entry.id):
            return known
        new = sketch(entry)
        self._now = max(self._now, new.seen)
        self._forget(self._now - self._span)
        placement = self._decide(entry, new)
        for other in placement.merges:
            self._window.merge(placement.story, other)
        self._window.add(new, placement.story)
        self._placed[entry.id] = placement
        return placement

    def restore(self, stories: Iterable[tuple[Story, Sequence[Entry]]]) -> None:
        """Rebuilds the window after a restart: afterwards it decides just as if it had never stopped."""
        for story, entries in stories:
            home = story.merged_into or story.id
            for entry in entries:
                if entry.id in self._placed:
                    continue
                new = sketch(entry)
                self._now = max(self._now, new.seen)
                self._window.add(new, home)
                self._placed[entry.id] = Placement(entry.id, home, entry.kind, entry.reason, entry.news)

    def unknown(self, story: Story) -> list[EntryId]:
        """Entries of the story that were placed elsewhere, by another process."""
        return [entry for entry in story.entries if entry not in self._placed]

    def follow(self, story: Story, entries: Sequence[Entry]) -> None:
        """Takes a story as another process left it; `entries` are those unknown here."""
        self.restore([(story, entries)])
        for other in story.merged:
            if other in self._window.stories and story.id in self._window.stories:
                self._window.merge(story.id, other)

    def forget(self, before: datetime) -> None:
        """Closes the stories whose last entry was seen before."""
        self._forget(before.timestamp())

    def _forget(self, before: float) -> None:
        for closed in self._window.forget(before):
            for member in closed.members:
                self._placed.pop(member.entry, None)

    def _decide(self, entry: Entry, new: Sketch) -> Placement:
        begun = StoryId(f"s{entry.id}")
        candidates = self._window.candidates(new)
        if not candidates:
            return Placement(entry.id, begun, Kind.FIRST, _ALONE)
        rows = weigh(self._window, new, candidates)
        scored = [(self._points(row, story, new), story, row) for row, (story, _) in zip(rows, candidates, strict=True)]
        points, story, row = max(scored, key=lambda s: (s[0], s[1].id))
        if points < 0:
            return Placement(entry.id, begun, Kind.FIRST, f"{_ALONE}; nearest: {self._agreement(new, story)}")
        merges = self._merges(new, story, [other for other, _ in candidates if other is not story])
        kind, news = self._kind(entry, new, story, row, points)
        return Placement(entry.id, story.id, kind, self._agreement(new, story), news, merges)

    def _points(self, row: list[float], story: OpenStory, new: Sketch) -> float:
        """Points above the bar."""
        if row[_BEST] >= _COPY and len(new.terms) >= 5 and not new.alone:
            return 9.0
        size = len(story.members)
        bar = self._fitted.join_bar + (0.5 * log(size / _BIG) if size > _BIG else 0.0)
        if self._window.entries < _COLD and all(member.feed == new.feed for member in story.members):
            bar += _OWN_BEAT
        return self._fitted.join(row) - bar

    def _merges(self, new: Sketch, home: OpenStory, others: Sequence[OpenStory]) -> tuple[StoryId, ...]:
        """Other stories the entry belongs to as surely, where their own latest entries agree with its story too.

        Each is weighed as if it had no rival: beside its twin neither of two halves of one story could lead.
        """
        return tuple(
            sorted(
                other.id
                for other in others
                if self._alone(new, other) >= MERGE and self._alone(other.members[-1], home) >= AGREE
            )
        )

    def _alone(self, new: Sketch, story: OpenStory) -> float:
        return self._points(weigh(self._window, new, [(story, 1.0)])[0], story, new)

    def _kind(self, entry: Entry, new: Sketch, story: OpenStory, row: list[float], points: float) -> tuple[Kind, str]:
        values = novelty.weigh_novelty(
            self._window,
            new,
            story,
            headline=entry.title,
            likeness=row[_BEST],
            headlines=row[_HEADLINE],
            certainty=points,
        )
        if not novelty.counts_changed(new, story) and self._fitted.novelty(values) < self._fitted.novelty_bar:
            return Kind.REPEAT, ""
        return Kind.DEVELOPMENT, novelty.news(new, story, entry, self._window)

    def _agreement(self, new: Sketch, story: OpenStory) -> str:
        """What agrees, in words for a person."""
        weights = self._window.weights
        rare = [term for term in new.terms if weights[term] >= _RARE and not term[0].isdigit()] or list(new.terms)
        said = [f"{sum(term in story.said.counts for term in rare)} of its {len(rare)} rare words"]
        if names := [name for name in new.names if name in story.said.names]:
            said.append(f"{len(names)} of {len(new.names)} names")
        if new.numbers and story.said.numbers:
            agree = sum(number in story.said.numbers for number in new.numbers)
            said.append(f"{agree} of {len(new.numbers)} numbers")
        return f"{', '.join(said[:-1])} and {said[-1]} agree" if len(said) > 1 else f"{said[0]} agree"
