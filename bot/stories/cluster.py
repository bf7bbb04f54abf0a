"""Same event or not: each arriving entry joins the story it belongs to, or starts one, and says why.

In: entries in order of arrival. Out: placements. State is held in memory and rebuilt by `restore`; nothing here reads a
clock: an entry's `seen` is now. Blocking by rare words finds the few stories an entry might belong to; a score over
shared words, weighted by how rare they are in the window, joins or splits.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from heapq import nsmallest
from math import log
from typing import TYPE_CHECKING

from bot.model import Entry, EntryId, Kind, Placement, Story, StoryId
from bot.stories.terms import Sketch, sketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

WINDOW = timedelta(hours=72)
BLOCK = 10  #: rarest terms by which an entry is found
JOIN = 0.34  #: weighted overlap from which two entries tell one event


@dataclass(slots=True)
class _Open:
    """A story in the window."""

    id: StoryId
    last: datetime
    members: list[Sketch] = field(default_factory=list)


class StoryIndex:
    """The stories of the window. Deterministic: the same entries in the same order give the same placements."""

    def __init__(self, window: timedelta = WINDOW) -> None:
        self._window = window
        self._stories: dict[StoryId, _Open] = {}
        self._placed: dict[EntryId, Placement] = {}
        self._spread: dict[str, int] = defaultdict(int)  # term → entries of the window that have it
        self._postings: dict[str, dict[StoryId, int]] = defaultdict(dict)
        self._size = 0

    def __len__(self) -> int:
        """Stories in the window."""
        return len(self._stories)

    def place(self, entry: Entry) -> Placement:
        """Decides where the entry belongs and remembers it. An entry already known keeps its placement."""
        if known := self._placed.get(entry.id):
            return known
        self.forget(entry.seen - self._window)
        new = sketch(entry)
        story, score, shared = self._best(new)
        if story is None or score < JOIN:
            story = _Open(StoryId(f"s{entry.id}"), entry.seen)
            self._stories[story.id] = story
            placement = Placement(entry.id, story.id, Kind.FIRST, "no story in the window shares enough of its words")
        else:
            known_numbers = {number for member in story.members for number in member.numbers}
            fresh = sorted(new.numbers - known_numbers)
            old = len(story.members[0].numbers) > 0 and fresh
            placement = Placement(
                entry.id,
                story.id,
                Kind.DEVELOPMENT if old else Kind.REPEAT,
                f"{shared} of its {len(new.terms)} words agree",
                f"new figures: {', '.join(fresh)}" if old else "",
            )
        self._remember(story, new)
        self._placed[entry.id] = placement
        return placement

    def restore(self, stories: Iterable[tuple[Story, Sequence[Entry]]]) -> None:
        """Rebuilds the window after a restart."""
        members = [(entry, story.merged_into or story.id) for story, entries in stories for entry in entries]
        for entry, story_id in sorted(members, key=lambda m: (m[0].seen, m[0].id)):
            if entry.id in self._placed:
                continue
            story = self._stories.setdefault(story_id, _Open(story_id, entry.seen))
            self._remember(story, sketch(entry))
            self._placed[entry.id] = Placement(entry.id, story_id, entry.kind, entry.reason, entry.news)

    def forget(self, before: datetime) -> None:
        """Closes the stories whose last entry was seen before."""
        for story in [s for s in self._stories.values() if s.last < before]:
            del self._stories[story.id]
            for member in story.members:
                self._placed.pop(member.entry, None)
                self._size -= 1
                for term in member.terms:
                    self._spread[term] -= 1
                    self._postings[term].pop(story.id, None)

    def _weight(self, term: str) -> float:
        return log((self._size + 20) / (self._spread.get(term, 0) + 1))

    def _best(self, new: Sketch) -> tuple[_Open | None, float, int]:
        weights = {term: self._weight(term) for term in new.terms if not term.isdigit()}
        rare = nsmallest(BLOCK, weights, key=lambda term: (-weights[term], term))
        found: dict[StoryId, float] = defaultdict(float)
        for term in rare:
            for story_id in self._postings.get(term, ()):
                found[story_id] += weights[term]
        best: tuple[_Open | None, float, int] = (None, 0.0, 0)
        total = sum(w * w for w in weights.values())
        for story_id in nsmallest(8, found, key=lambda s: (-found[s], s)):
            story = self._stories[story_id]
            for member in story.members[-20:]:
                shared = [term for term in member.terms if term in weights]
                mine = sum(weights[term] ** 2 for term in shared)
                other = sum(self._weight(term) ** 2 for term in member.terms if not term.isdigit())
                score = mine / (total * other) ** 0.5 if total and other else 0.0
                if score > best[1]:
                    best = (story, score, len(shared))
        return best

    def _remember(self, story: _Open, new: Sketch) -> None:
        story.members.append(new)
        story.last = max(story.last, new.seen)
        self._size += 1
        for term in new.terms:
            self._spread[term] += 1
            self._postings[term][story.id] = self._postings[term].get(story.id, 0) + 1
