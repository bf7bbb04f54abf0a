"""Which stories have a term, in how many entries it stands, and how much it tells.

A window of 100,000 stories has millions of mentions. Each is four bytes in an array, read in the order in which it lies
in memory; a story that closes leaves its number behind, and an array is cleared of such once they are its half.
"""

from __future__ import annotations

from array import array
from math import log
from typing import TYPE_CHECKING

from bot.stories.fitted import RAREST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

PRIOR = 400.0  #: stories that the table of word frequencies counts for
_DIGITS = 0.39  #: weight of a number beside a word of the same rarity
_FINE = 32  #: stories up to which each one more changes a weight
_LEFT = 16  #: closed stories that an array may always hold


def steady(mentions: int) -> int:
    """Stories that have a term, in steps where they are many: one more then says nothing, and weights can be kept."""
    return mentions if mentions < _FINE else mentions & -(1 << (mentions.bit_length() - 4))


class _Weights(dict[str, float]):
    """Term → how much it tells: minus the logarithm of the share of stories that have it. Worked out when asked."""

    def __init__(self, mentions: Callable[[str], int], table: Mapping[str, float]) -> None:
        super().__init__()
        self._mentions = mentions
        self._table = table
        self._level = 0.0

    def resize(self, stories: int) -> None:
        """Keeps the level in steps, so that weights stay valid while the window changes little."""
        level = round(log(stories + PRIOR) * 20) / 20
        if level != self._level:
            self._level = level
            self.clear()

    def __missing__(self, term: str) -> float:
        weight = self._level - log(steady(self._mentions(term)) + PRIOR * self._table.get(term, RAREST))
        if weight < 0.0:
            weight = 0.0
        elif term[0].isdigit():
            weight *= _DIGITS
        self[term] = weight
        return weight


class Postings:
    """Term → numbers of the stories that have it, each once, among them some that are closed."""

    def __init__(self, table: Mapping[str, float]) -> None:
        """`table` says what share of news entries has a stem."""
        self.stories: dict[str, array[int]] = {}
        #: term → how many numbers of closed stories its array holds
        self._gone: dict[str, int] = {}
        #: term → entries that have it beyond the first of each story, less the numbers of closed stories
        self._more: dict[str, int] = {}
        self.weights = _Weights(self.mentions, table)

    def mentions(self, term: str) -> int:
        """How many open stories have the term."""
        stories = self.stories.get(term)
        return len(stories) - self._gone.get(term, 0) if stories else 0

    def spread(self, term: str) -> int:
        """In how many entries of open stories the term stands."""
        stories = self.stories.get(term)
        return len(stories) + self._more.get(term, 0) if stories else 0

    def add(self, terms: Iterable[str], story: int) -> None:
        """The story has these terms, which it had not before."""
        lists, gone, stale = self.stories, self._gone, self.weights.pop
        for term in terms:
            stories = lists.get(term)
            if stories is None:
                stories = lists[term] = array("I")
            stories.append(story)
            mentions = len(stories) - (gone.get(term, 0) if gone else 0)
            if mentions <= _FINE or (not mentions & 3 and steady(mentions) == mentions):
                stale(term, None)

    def again(self, terms: Iterable[str], by: int = 1) -> None:
        """So many more entries of stories that are known to have these terms have them."""
        for term in terms:
            _shift(self._more, term, by)

    def leave(self, counts: Mapping[str, int], is_open: Callable[[int], bool]) -> None:
        """A story that is no longer open had these terms, in so many entries each."""
        for term, count in counts.items():
            self.weights.pop(term, None)
            _shift(self._more, term, -count)
            _shift(self._gone, term, 1)
            stories, gone = self.stories[term], self._gone[term]
            if gone == len(stories):
                del self.stories[term]
            elif gone > _LEFT and gone * 2 > len(stories):
                self.stories[term] = array("I", filter(is_open, stories))
            else:
                continue
            _shift(self._more, term, gone)
            del self._gone[term]


def _shift(table: dict[str, int], term: str, by: int) -> None:
    """Adds to the term's number; zeros are not kept."""
    if found := table.get(term, 0) + by:
        table[term] = found
    else:
        table.pop(term, None)
