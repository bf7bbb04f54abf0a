"""The open stories and how much each word tells about them.

A word's weight falls with the number of *stories* that have it, not of entries, so that the words of a big story keep
theirs; a fitted table of how common words are in news stands in for stories not yet seen.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import chain, count
from math import log10
from typing import TYPE_CHECKING

from bot.stories.postings import Postings

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping, Sequence

    from bot.model import StoryId
    from bot.stories.terms import Sketch

CANDIDATES = 6  #: stories that are compared in full
_RARE = 14  #: rarest terms of an entry that find stories
_REACH = 1200  #: story mentions looked at; what is rarest comes first
_CROWD = 2000  #: stories from which candidates must share more
_PROMISE = 0.3  #: what a story needs of the best one's points to be compared in full
_GATE = 0.09  #: what it needs of the weight of the entry's rarest terms


@dataclass(slots=True)
class Said:
    """What the entries of a story say together."""

    feeds: set[str]
    #: in how many members a term stands
    counts: dict[str, int]
    title_terms: set[str]
    names: set[str]
    numbers: set[str]
    #: highest count by what is counted
    tolls: dict[str, int]

    @classmethod
    def first(cls, new: Sketch) -> Said:
        """What one entry says."""
        return cls(
            {new.feed}, dict.fromkeys(new.terms, 1), set(new.title), set(new.names), set(new.numbers), dict(new.tolls)
        )

    def take(self, new: Sketch) -> None:
        """Adds an entry."""
        self.feeds.add(new.feed)
        for term in new.terms:
            self.counts[term] = self.counts.get(term, 0) + 1
        self.title_terms.update(new.title)
        self.names.update(new.names)
        self.numbers.update(new.numbers)
        for what, amount in new.tolls:
            self.tolls[what] = max(amount, self.tolls.get(what, 0))


class OpenStory:
    """A story of the window. Most are one entry that nobody asks for again, so what is said is summed up when asked."""

    __slots__ = ("_core", "_said", "id", "last", "latest", "members", "number")

    def __init__(self, story: StoryId, number: int) -> None:
        self.id = story
        #: how the postings name it
        self.number = number
        self.members: list[Sketch] = []
        #: when its last entry was seen
        self.last = 0.0
        #: publication of the latest member
        self.latest = 0.0
        self._said: Said | None = None
        self._core: tuple[int, list[tuple[str, float]]] = (0, [])

    def take(self, new: Sketch) -> None:
        """Adds a member."""
        self.members.append(new)
        self.last = max(self.last, new.seen)
        self.latest = max(self.latest, new.published)
        if self._said is not None:
            self._said.take(new)

    @property
    def said(self) -> Said:
        """What its entries say together."""
        if self._said is None:
            first, *others = self.members
            self._said = Said.first(first)
            for member in others:
                self._said.take(member)
        return self._said

    def core(self) -> list[tuple[str, float]]:
        """Terms of at least 15 % of the members, with that share."""
        size = len(self.members)
        if self._core[0] != size:
            least = max(1.0, size * 0.15)
            self._core = (size, [(t, c / size) for t, c in self.said.counts.items() if c >= least])
        return self._core[1]

    def sample(self) -> Sequence[Sketch]:
        """The members that stand for all: the first ones and the latest."""
        return self.members if len(self.members) <= 16 else self.members[:4] + self.members[-12:]


class Window:
    """The stories that an entry may join."""

    def __init__(self, table: Mapping[str, float]) -> None:
        """`table` says what share of news entries has a stem."""
        self.table = table
        self.stories: dict[StoryId, OpenStory] = {}
        self.postings = Postings(table)
        self.entries = 0
        self.weights = self.postings.weights
        #: in how many entries a term stands
        self.spread = self.postings.spread
        self._numbers = count()
        self._open: dict[int, OpenStory] = {}
        self._ends: list[tuple[float, StoryId]] = []

    def add(self, new: Sketch, story: StoryId) -> OpenStory:
        """The entry joins the story, which is begun where it is new."""
        home = self.stories.get(story)
        if home is None:
            number = next(self._numbers)
            home = self.stories[story] = self._open[number] = OpenStory(story, number)
            self.postings.add(new.terms, number)
        else:
            self._count(home, new.terms)
        home.take(new)
        self.entries += 1
        heappush(self._ends, (home.last, story))
        self.weights.resize(len(self.stories))
        return home

    def _count(self, home: OpenStory, terms: Sequence[str]) -> None:
        known = home.said.counts
        self.postings.again([term for term in terms if term in known])
        self.postings.add([term for term in terms if term not in known], home.number)

    def merge(self, into: StoryId, other: StoryId) -> None:
        """The other story's entries follow those of `into`."""
        gone, home = self._close(other), self.stories[into]
        for member in gone.members:
            self._count(home, member.terms)
            home.take(member)
        heappush(self._ends, (home.last, into))
        self.weights.resize(len(self.stories))

    def forget(self, before: float) -> list[OpenStory]:
        """Closes the stories whose last entry was seen before; gives them back."""
        closed = []
        while self._ends and self._ends[0][0] < before:
            _, story = heappop(self._ends)
            home = self.stories.get(story)
            if home is None or home.last >= before:
                continue
            closed.append(self._close(story))
            self.entries -= len(home.members)
        if closed:
            self.weights.resize(len(self.stories))
        return closed

    def _close(self, story: StoryId) -> OpenStory:
        home = self.stories.pop(story)
        del self._open[home.number]
        self.postings.leave(home.said.counts, self._open.__contains__)
        return home

    def candidates(self, new: Sketch) -> list[tuple[OpenStory, float]]:
        """Stories that share rare words with the entry, most promising first, each with how promising beside the first."""
        # Other alphabets are thinner in the table, so more words tie for the rarest.
        most = _RARE if all(map(str.isascii, new.terms[:4])) else 2 * _RARE
        rare = sorted(new.words, key=self.weights.__getitem__, reverse=True)[:most]
        squares = [self.weights[term] ** 2 for term in rare]
        # The more stories there are, the more of them share a few words by chance.
        crowd = log10(max(1.0, len(self.stories) / _CROWD))
        gate = (_GATE + 0.06 * crowd) * sum(squares)
        found: list[tuple[float, array[int]]] = []
        reach, heads = 0, frozenset(new.title)
        for term, square in zip(rare, squares, strict=True):
            if stories := self.postings.stories.get(term):
                reach += len(stories)
                if reach > _REACH / (1 + crowd) and found:
                    break
                found.append((square * 1.5 if term in heads else square, stories))
        points = self._points(found, gate)
        if not points:
            return []
        least = max(max(points.values()) * _PROMISE, gate)
        fair = sorted(
            [
                (said / (1 + 0.02 * len(story.members)) ** 0.3, story.id)
                for story, said in points.items()
                if said >= least
            ],
            reverse=True,
        )[:CANDIDATES]
        return [(self.stories[s], said / fair[0][0] if fair[0][0] else 0.0) for said, s in fair]

    def _points(self, found: Sequence[tuple[float, array[int]]], gate: float) -> dict[OpenStory, float]:
        """Story → sum of the points of the words it has; stories with too few of them to reach the gate are left out."""
        reached, words = 0.0, 0
        for points in sorted([points for points, _ in found], reverse=True):
            if reached >= gate * 0.999:
                break
            reached += points
            words += 1
        if not words or reached < gate * 0.999:
            return {}
        mentions = chain.from_iterable([stories for _, stories in found])
        if words > 1:
            sums = {story: 0.0 for story, times in Counter(mentions).items() if times >= words}
        else:
            sums = dict.fromkeys(mentions, 0.0)
        if sums:
            for points, stories in found:
                for story in sums.keys() & stories:
                    sums[story] += points
        still = self._open
        return {still[story]: points for story, points in sums.items() if story in still}
