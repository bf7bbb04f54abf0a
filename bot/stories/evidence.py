"""How an entry and a story agree, in numbers.

In: the window, an entry's sketch and the stories it may belong to. Out: one row of values for each, in the order of
`EVIDENCE`; `fitted.Score` adds them up. All likenesses weigh words by how few stories have them.
"""

from __future__ import annotations

from math import log, sqrt
from typing import TYPE_CHECKING

from bot.stories.fitted import RAREST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.stories.terms import Sketch
    from bot.stories.window import OpenStory, Window

#: name → what the value is, and whether more of it may only speak for (+), only against (-) or either way (~)
EVIDENCE = {
    "best": "+ cosine with the nearest entry",
    "headline": "+ cosine of headlines with the nearest one",
    "headline sum": "+ weight shared by the two nearest headlines",
    "headline cover": "+ share of the headline's weight that the story has",
    "overlap": "+ shared weight by the lighter of the two, nearest entry",
    "centre": "+ cosine with what most entries of the story say",
    "centre lead": "+ by how much this centre is nearer than the next story's",
    "core words": "+ share of the story's six heaviest words the entry has, by weight",
    "core reached": "+ weight of the heaviest shared words beside the story's heaviest",
    "shared": "+ sum of the weights of shared words",
    "rarest": "+ weight of the rarest shared word",
    "second rarest": "+ weight of the second rarest shared word",
    "rarest in headline": "+ weight of the rarest shared word of the headline",
    "rarest in both headlines": "+ weight of the rarest word in the headline and in one of the story's",
    "both headlines": "+ sum of weights of words in the headline and in the story's",
    "own word": "+ share of a shared word's recent entries that lie in this story",
    "burst": "+ how much more often a shared word occurs now than usual, as a logarithm",
    "names": "+ share of the entry's names, by weight, that the story has",
    "names clash": "- both have names and none agrees",
    "headline names clash": "- the lesser of the weights of two names: of the headline and not in the story, and the reverse",
    "numbers clash": "- both have numbers and none agrees",
    "hours apart": "- hours between publication and the nearest member's",
    "words": "~ words of the entry",
    "headline words": "~ words of its headline",
    "round-up": "- the entry is a round-up, quiz, live blog ...",
    "nearest is round-up": "- so is the story's nearest entry",
    "same section": "~ the outlet already has an entry in it under the same section",
    "window": "~ logarithm of the entries in the window",
    "blocking": "+ rank among the candidates: points beside the best one's",
}
NAMES = tuple(EVIDENCE)
_WARM = 200  #: entries from which a window tells what is usual now; rivals and bursts count for less in a smaller one
_CENTRE, _LEAD = NAMES.index("centre"), NAMES.index("centre lead")


def weigh(window: Window, new: Sketch, stories: Sequence[tuple[OpenStory, float]]) -> list[list[float]]:
    """The evidence for each story, in their order."""
    entry = _Weighed(window, new)
    rows = [entry.beside(story, promise) for story, promise in stories]
    centres = sorted((row[_CENTRE] for row in rows), reverse=True)
    for row in rows:
        rival = centres[0] if row[_CENTRE] != centres[0] else centres[1] if len(centres) > 1 else 0.0
        row[_LEAD] = (row[_CENTRE] - rival) * entry.warm
    return rows


class _Weighed:
    """An entry with the weights its words have now."""

    def __init__(self, window: Window, new: Sketch) -> None:
        self.window, self.new = window, new
        weights = window.weights
        self.warm = min(1.0, window.entries / _WARM)
        self.weight = {term: weights[term] for term in new.terms}
        self.square = {term: w * w for term, w in self.weight.items()}
        self.heads = frozenset(new.title)
        self.total = sum(self.square.values()) or 1.0
        self.head_total = sum([self.square[term] for term in new.title]) or 1.0
        self.name_total = sum([self.weight[term] for term in new.names]) or 1.0

    def beside(self, story: OpenStory, promise: float) -> list[float]:
        """The values of one story, in the order of `NAMES`; "centre lead" is filled in later."""
        weight, new = self.weight, self.new
        best, headline, headline_sum, overlap, apart, nearest = self._members(story)
        counts = story.counts
        shared = [term for term in new.terms if term in counts]
        heavy = sorted([weight[term] for term in shared if not term[0].isdigit()], reverse=True)
        centre, core_words, core_reached = self._core(story, heavy)
        own, burst = self._now(story, shared)
        in_head = [weight[term] for term in shared if term in self.heads and not term[0].isdigit()]
        both = [weight[term] for term in new.title if term in story.title_terms and not term[0].isdigit()]
        names = [name for name in new.names if name in story.names]
        clash = bool(new.names) and bool(story.names) and not names and not any(n in counts for n in new.names)
        numbers_clash = bool(new.numbers) and bool(story.numbers) and not any(n in story.numbers for n in new.numbers)
        return [
            best,
            headline,
            headline_sum,
            sum([self.square[term] for term in shared if term in self.heads]) / self.head_total,
            overlap,
            centre,
            0.0,
            core_words,
            core_reached,
            sum(heavy),
            heavy[0] if heavy else 0.0,
            heavy[1] if len(heavy) > 1 else 0.0,
            max(in_head, default=0.0),
            max(both, default=0.0),
            sum(both),
            own * self.warm,
            burst,
            sum([weight[name] for name in names]) / self.name_total,
            float(clash),
            self._name_clash(story),
            float(numbers_clash),
            apart,
            float(len(new.terms)),
            float(new.heads),
            float(new.alone),
            float(nearest.alone),
            float(bool(new.section) and any(m.feed == new.feed and m.section == new.section for m in story.sample())),
            log(self.window.entries + 1),
            promise,
        ]

    def _members(self, story: OpenStory) -> tuple[float, float, float, float, float, Sketch]:
        """Likeness with the nearest of the members, each measure by itself; hours to the nearest in time."""
        square, weights, heads = self.square, self.window.weights, self.heads
        best = headline = headline_sum = overlap = 0.0
        apart = 1e9
        nearest = story.members[0]
        for member in story.sample():
            shared = sum([square[term] for term in member.terms if term in square])
            total = sum([w * w for w in map(weights.__getitem__, member.terms)]) or 1.0
            cosine = shared / sqrt(self.total * total)
            if cosine > best:
                best, nearest = cosine, member
            overlap = max(overlap, shared / min(self.total, total))
            in_heads = sum([square[term] for term in member.title if term in heads])
            if in_heads:
                head_total = sum([weights[term] ** 2 for term in member.title]) or 1.0
                headline = max(headline, in_heads / sqrt(self.head_total * head_total))
                headline_sum = max(headline_sum, in_heads)
            apart = min(apart, abs(member.published - self.new.published))
        return best, headline, headline_sum, overlap, min(apart / 3600, 200.0), nearest

    def _core(self, story: OpenStory, heavy: list[float]) -> tuple[float, float, float]:
        """Cosine with the story's centre; how much of its heaviest words the entry has, itself and by weight alone."""
        weights, weight = self.window.weights, self.weight
        core = [(term, share * weights[term]) for term, share in story.core()]
        length = sqrt(sum([w * w for _, w in core])) or 1.0
        common = [(term, w) for term, w in core if term in weight]
        centre = sum([w * weight[term] for term, w in common]) / (length * sqrt(self.total))
        top = sorted([(w, term) for term, w in core], reverse=True)[:6]
        most = sum([w for w, _ in top]) or 1.0
        reached = sum(sorted([w for _, w in common], reverse=True)[:6]) / most
        return centre, sum([w for w, term in top if term in weight]) / most, reached if heavy else 0.0

    def _name_clash(self, story: OpenStory) -> float:
        """Two like events differ in their names: "quake hits A" and "quake hits B"."""
        weights, counts, size = self.window.weights, story.counts, len(story.members)
        mine = max([self.weight[n] for n in self.new.names if n in self.heads and n not in counts], default=0.0)
        if not mine:
            return 0.0
        central = [n for n in story.names if n in story.title_terms and counts[n] * 2 >= size and n not in self.weight]
        return min(mine, max([weights[n] for n in central], default=0.0))

    def _now(self, story: OpenStory, shared: list[str]) -> tuple[float, float]:
        """How far a shared word belongs to this story now, and how much it bursts."""
        spread, table, entries = self.window.spread, self.window.table, self.window.entries
        words = [term for term in shared if not term[0].isdigit()]
        shares = [(story.counts[term], spread[term]) for term in words if self.weight[term] > 4]
        own = max([count / mentions * min(1.0, mentions / 3) for count, mentions in shares], default=0.0)
        rates = [spread[term] / (entries + 50) / table.get(term, RAREST) for term in words if spread[term] > 2]
        return own, log(max(rates) + 0.1) if rates else -3.0
