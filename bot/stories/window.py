"""The open stories and how much each word tells about them.

A word's weight falls with the number of *stories* that have it, not of entries, so that the words of a big story keep
theirs; a fitted table of how common words are in news stands in for stories not yet seen.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import log, log10
from typing import TYPE_CHECKING

from bot.stories.fitted import RAREST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.model import StoryId
    from bot.stories.terms import Sketch

PRIOR = 400.0  #: stories that the table of word frequencies counts for
CANDIDATES = 6  #: stories that are compared in full
_RARE = 14  #: rarest terms of an entry that find stories
_REACH = 1200  #: story mentions looked at; what is rarest comes first
_CROWD = 2000  #: stories from which candidates must share more
_PROMISE = 0.3  #: what a story needs of the best one's points to be compared in full
_GATE = 0.09  #: what it needs of the weight of the entry's rarest terms
_DIGITS = 0.39  #: weight of a number beside a word of the same rarity


@dataclass(slots=True)
class OpenStory:
    """A story of the window and what its entries say together."""

    id: StoryId
    members: list[Sketch] = field(default_factory=list)
    last: float = 0.0
    #: publication of the latest member
    latest: float = 0.0
    feeds: set[str] = field(default_factory=set)
    #: in how many members a term stands
    counts: dict[str, int] = field(default_factory=dict)
    title_terms: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    #: highest count by what is counted
    tolls: dict[str, int] = field(default_factory=dict)
    _core: tuple[int, list[tuple[str, float]]] = (0, [])

    def take(self, new: Sketch) -> None:
        """Adds a member."""
        self.members.append(new)
        if len(self.members) == 1:
            self.counts = dict.fromkeys(new.terms, 1)
            self.title_terms, self.names, self.numbers = set(new.title), set(new.names), set(new.numbers)
            self.last, self.tolls = new.seen, dict(new.tolls)
            self.latest, self.feeds = new.published, {new.feed}
            return
        self.last = max(self.last, new.seen)
        self.latest = max(self.latest, new.published)
        self.feeds.add(new.feed)
        for term in new.terms:
            self.counts[term] = self.counts.get(term, 0) + 1
        self.title_terms.update(new.title)
        self.names.update(new.names)
        self.numbers.update(new.numbers)
        for what, amount in new.tolls:
            self.tolls[what] = max(amount, self.tolls.get(what, 0))

    def core(self) -> list[tuple[str, float]]:
        """Terms of at least 15 % of the members, with that share."""
        size = len(self.members)
        if self._core[0] != size:
            least = max(1.0, size * 0.15)
            self._core = (size, [(t, c / size) for t, c in self.counts.items() if c >= least])
        return self._core[1]

    def sample(self) -> Sequence[Sketch]:
        """The members that stand for all: the first ones and the latest."""
        return self.members if len(self.members) <= 16 else self.members[:4] + self.members[-12:]


def steady(mentions: int) -> int:
    """Stories that have a term, in steps where they are many: one more then says nothing, and weights can be kept."""
    return mentions if mentions < 32 else mentions & -(1 << (mentions.bit_length() - 4))


class _Weights(dict[str, float]):
    """Term → how much it tells: minus the logarithm of the share of stories that have it."""

    def __init__(self, postings: Mapping[str, set[StoryId]], table: Mapping[str, float]) -> None:
        super().__init__()
        self._postings = postings
        self._table = table
        self._level = 0.0

    def resize(self, stories: int) -> None:
        """Keeps the level in steps, so that weights stay valid while the window changes little."""
        level = round(log(stories + PRIOR) * 20) / 20
        if level != self._level:
            self._level = level
            self.clear()

    def __missing__(self, term: str) -> float:
        stories = self._postings.get(term)
        mentions = len(stories) if stories else 0
        if mentions > 32:
            mentions = steady(mentions)
        weight = self._level - log(mentions + PRIOR * self._table.get(term, RAREST))
        if weight < 0.0:
            weight = 0.0
        elif term[0].isdigit():
            weight *= _DIGITS
        self[term] = weight
        return weight


class Window:
    """The stories that an entry may join."""

    def __init__(self, table: Mapping[str, float]) -> None:
        """`table` says what share of news entries has a stem."""
        self.table = table
        self.stories: dict[StoryId, OpenStory] = {}
        self.postings: dict[str, set[StoryId]] = defaultdict(set)
        #: term → entries that have it
        self.spread: dict[str, int] = defaultdict(int)
        self.entries = 0
        self.weights = _Weights(self.postings, table)
        self._ends: list[tuple[float, StoryId]] = []

    def add(self, new: Sketch, story: StoryId) -> OpenStory:
        """The entry joins the story, which is begun where it is new."""
        home = self.stories.get(story)
        if home is None:
            home = self.stories[story] = OpenStory(story)
        home.take(new)
        self.entries += 1
        spread, postings, weights = self.spread, self.postings, self.weights
        for term in new.terms:
            spread[term] += 1
            stories = postings[term]
            stories.add(story)
            mentions = len(stories)
            if mentions <= 32 or steady(mentions) == mentions:
                weights.pop(term, None)
        heappush(self._ends, (home.last, story))
        self.weights.resize(len(self.stories))
        return home

    def merge(self, into: StoryId, other: StoryId) -> None:
        """The other story's entries follow those of `into`."""
        gone = self.stories.pop(other)
        home = self.stories[into]
        for term in gone.counts:
            self.postings[term].discard(other)
            self.postings[term].add(into)
            self.weights.pop(term, None)
        for member in gone.members:
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
            closed.append(self.stories.pop(story))
            self.entries -= len(home.members)
            for term, count in home.counts.items():
                self._unlink(term, story, count)
        if closed:
            self.weights.resize(len(self.stories))
        return closed

    def _unlink(self, term: str, story: StoryId, count: int) -> None:
        self.weights.pop(term, None)
        self.postings[term].discard(story)
        self.spread[term] -= count
        if not self.spread[term]:
            del self.spread[term], self.postings[term]

    def candidates(self, new: Sketch) -> list[tuple[OpenStory, float]]:
        """Stories that share rare words with the entry, most promising first, each with how promising beside the first."""
        weights = self.weights
        mine = {term: weights[term] for term in new.terms if not term[0].isdigit()}
        heads = frozenset(new.title)
        # Other alphabets are thinner in the table, so more words tie for the rarest.
        most = _RARE if all(map(str.isascii, new.terms[:4])) else 2 * _RARE
        rare = [
            term for _, _, term in sorted([(-weight, term not in heads, term) for term, weight in mine.items()])[:most]
        ]
        found: dict[StoryId, float] = {}
        # The more stories there are, the more of them share a few words by chance.
        crowd = log10(max(1.0, len(self.stories) / _CROWD))
        gate = (_GATE + 0.06 * crowd) * sum([mine[term] ** 2 for term in rare])
        gains = [mine[term] ** 2 * (1.5 if term in heads else 1.0) for term in rare]
        left, reach, most_points = sum(gains), 0, 0.0
        for term, points in zip(rare, gains, strict=True):
            stories = self.postings.get(term)
            if stories:
                reach += len(stories)
                if reach > _REACH / (1 + crowd) and found:
                    break
                # What has none of the rarer words can't get there any more with those that are left.
                late = left < max(gate, most_points * _PROMISE) * 0.999
                for story in found.keys() & stories if late else stories:
                    said = found[story] = found.get(story, 0.0) + points
                    if said > most_points:  # noqa: PLR1730 - max() takes twice as long here
                        most_points = said
            left -= points
        if not found:
            return []
        least = max(most_points * _PROMISE, gate)
        fair = sorted(
            [
                (points / (1 + 0.02 * len(self.stories[s].members)) ** 0.3, s)
                for s, points in found.items()
                if points >= least
            ],
            reverse=True,
        )[:CANDIDATES]
        return [(self.stories[s], points / fair[0][0] if fair[0][0] else 0.0) for points, s in fair]
