"""How an entry and a story agree, in numbers.

In: the window, an entry's sketch and the stories it may belong to. Out: one row of values for each, in the order of
`EVIDENCE`; `fitted.Score` adds them up. All likenesses weigh words by how few stories have them.
"""

from __future__ import annotations

from math import log, sqrt
from typing import TYPE_CHECKING, NamedTuple

from bot.stories.fitted import RAREST
from bot.stories.terms import letters

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
    "headline letters": "+ cosine of the headlines' runs of three letters with the nearest one: endings, spellings, compounds",
    "overlap": "+ shared weight by the lighter of the two, nearest entry",
    "second": "+ cosine with the second nearest entry; -1 where there is one only",
    "mean": "+ mean cosine with the entries",
    "centre": "+ cosine with what most entries of the story say",
    "centre lead": "+ by how much this centre is nearer than the next story's",
    "core words": "+ share of the story's six heaviest words the entry has, by weight",
    "core reached": "+ weight of the heaviest shared words beside the story's heaviest",
    "core share": "~ mean share of the story's entries that have one of these six: low where it is many things",
    "core own": "+ share of these words' entries that lie in this story, by weight",
    "entries": "~ logarithm of the story's entries",
    "shared": "+ sum of the weights of shared words",
    "rarest": "+ weight of the rarest shared word",
    "second rarest": "+ weight of the second rarest shared word",
    "rarest in headline": "+ weight of the rarest shared word of the headline",
    "rarest in both headlines": "+ weight of the rarest word in the headline and in one of the story's",
    "both headlines": "+ sum of weights of words in the headline and in the story's",
    "own word": "+ share of a shared word's recent entries that lie in this story",
    "own words": "+ the same shares of all shared words, summed by weight",
    "own best words": "+ of the three heaviest of these alone",
    "burst": "+ how much more often a shared word occurs now than usual, as a logarithm",
    "names": "+ share of the entry's names, by weight, that the story has",
    "names clash": "- both have names and none agrees",
    "headline names clash": "- the lesser of the weights of two names: of the headline and not in the story, and the reverse",
    "numbers clash": "- both have numbers and none agrees",
    "hours apart": "- hours between publication and the nearest member's",
    "hours after last": "- hours from the latest member's publication",
    "minutes from own": "~ minutes from the outlet's own nearest entry in it, 10,000 where it has none",
    "nearest is own": "~ the nearest entry is the outlet's",
    "outlets": "~ outlets in the story",
    "words": "~ words of the entry",
    "headline words": "~ words of its headline",
    "round-up": "- the entry is a round-up, quiz, live blog ...",
    "nearest is round-up": "- so is the story's nearest entry",
    "same section": "~ the outlet already has an entry in it under the same section",
    "window": "~ logarithm of the entries in the window",
    "blocking": "+ rank among the candidates: points beside the best one's",
    "rivals": "~ other candidates",
    "rival best": "- the best one's cosine with its nearest entry",
    "rivals best": "- these of all the others, summed",
    "beside rivals": "+ this story's beside that sum",
    "rival letters": "- likeness of letters of the best rival's headlines",
    "letters beside rivals": "+ this story's beside the sum of all the rivals'",
    "letters rank": "- rivals that are nearer by letters",
    "rival core": "- weight of the heaviest shared words beside the rival's heaviest, of the best rival",
    "core lead": "+ by how much this story's is more",
    "rival own word": "- share of a shared word's recent entries that lie in a rival",
}
NAMES = tuple(EVIDENCE)
_WARM = 200  #: entries from which a window tells what is usual now; rivals and bursts count for less in a smaller one
_TELLING = 4.0  #: weight from which one word may tell whose it is
_TOP = 6  #: heaviest words of a story
_ALONE = 1e4  #: minutes from an entry that there is none of
_INDEX = {name: i for i, name in enumerate(NAMES)}
_BEST, _CENTRE, _LEAD = _INDEX["best"], _INDEX["centre"], _INDEX["centre lead"]
_LETTERS, _CORE, _OWN = _INDEX["headline letters"], _INDEX["core reached"], _INDEX["own word"]


def weigh(window: Window, new: Sketch, stories: Sequence[tuple[OpenStory, float]]) -> list[list[float]]:
    """The evidence for each story, in their order."""
    entry = _Weighed(window, new)
    rows = [entry.beside(story, promise) for story, promise in stories]
    alone = [list(row) for row in rows]
    for i, row in enumerate(rows):
        rivals = alone[:i] + alone[i + 1 :]
        row[_LEAD] = (row[_CENTRE] - max([r[_CENTRE] for r in rivals], default=0.0)) * entry.warm
        row.extend(_beside_rivals(row, rivals))
    return rows


def _beside_rivals(row: list[float], rivals: list[list[float]]) -> list[float]:
    """An event stands out among the stories it could belong to; a mere topic is as near to many."""
    best = [rival[_BEST] for rival in rivals]
    letters = [rival[_LETTERS] for rival in rivals]
    core = max([rival[_CORE] for rival in rivals], default=0.0)
    return [
        float(len(rivals)),
        max(best, default=0.0),
        sum(best),
        row[_BEST] / (sum(best) + 0.25),
        max(letters, default=0.0),
        row[_LETTERS] / (sum(letters) + 0.25),
        float(sum(other > row[_LETTERS] for other in letters)),
        core,
        row[_CORE] - core,
        max([rival[_OWN] for rival in rivals], default=0.0),
    ]


class _Members(NamedTuple):
    """How an entry and the members of a story are alike, each likeness with the member that is nearest by it."""

    best: float
    second: float
    mean: float
    headline: float
    headline_sum: float
    letters: float
    overlap: float
    hours: float
    own_minutes: float
    nearest: Sketch


class _Core(NamedTuple):
    """How an entry agrees with what most entries of a story say, and how much that is an event of its own."""

    centre: float
    words: float
    reached: float
    share: float
    own: float


class _Weighed:
    """An entry with the weights its words have now."""

    def __init__(self, window: Window, new: Sketch) -> None:
        self.window, self.new = window, new
        weights = window.weights
        self.warm = min(1.0, window.entries / _WARM)
        self.weight = {term: weights[term] for term in new.terms}
        self.square = {term: w * w for term, w in self.weight.items()}
        self.heads = frozenset(new.title)
        self.head_words = [term for term in new.title if not term[0].isdigit()]
        self.letters = letters(new.headline)
        self.total = sum(self.square.values()) or 1.0
        self.head_total = sum([self.square[term] for term in new.title]) or 1.0
        self.name_total = sum([self.weight[term] for term in new.names]) or 1.0

    def beside(self, story: OpenStory, promise: float) -> list[float]:
        """The values of one story, in the order of `NAMES`, but for "centre lead" and those of rivals."""
        weight, new = self.weight, self.new
        like = self._members(story)
        said = story.said
        counts = said.counts
        shared = [term for term in new.words if term in counts]
        heavy = sorted([weight[term] for term in shared], reverse=True)
        core = self._core(story, heavy)
        own, own_sum, own_best, burst = self._now(story, shared)
        in_head = [weight[term] for term in shared if term in self.heads]
        both = [weight[term] for term in self.head_words if term in said.title_terms]
        names = [name for name in new.names if name in said.names]
        clash = bool(new.names) and bool(said.names) and not names and not any(n in counts for n in new.names)
        numbers_clash = bool(new.numbers) and bool(said.numbers) and not any(n in said.numbers for n in new.numbers)
        return [
            like.best,
            like.headline,
            like.headline_sum,
            sum([self.square[term] for term in new.title if term in counts]) / self.head_total,
            like.letters,
            like.overlap,
            like.second,
            like.mean,
            core.centre,
            0.0,
            core.words,
            core.reached,
            core.share,
            core.own * self.warm,
            log(len(story.members)),
            sum(heavy),
            heavy[0] if heavy else 0.0,
            heavy[1] if len(heavy) > 1 else 0.0,
            max(in_head, default=0.0),
            max(both, default=0.0),
            sum(both),
            own * self.warm,
            own_sum * self.warm,
            own_best * self.warm,
            burst,
            sum([weight[name] for name in names]) / self.name_total,
            float(clash),
            self._name_clash(story),
            float(numbers_clash),
            like.hours,
            max(-200.0, min((new.published - story.latest) / 3600, 200.0)),
            like.own_minutes,
            float(like.nearest.feed == new.feed),
            float(len(said.feeds)),
            float(len(new.terms)),
            float(new.heads),
            float(new.alone),
            float(like.nearest.alone),
            float(bool(new.section) and any(m.feed == new.feed and m.section == new.section for m in story.sample())),
            log(self.window.entries + 1),
            promise,
        ]

    def _members(self, story: OpenStory) -> _Members:
        square, weights, heads, mine = self.square, self.window.weights, self.heads, self.letters
        headline = headline_sum = overlap = likest = 0.0
        apart, own = 1e9, _ALONE * 60
        nearest = story.members[0]
        cosines = []
        best = -1.0
        for member in story.sample():
            shared = sum([square[term] for term in member.terms if term in square])
            total = sum([w * w for w in map(weights.__getitem__, member.terms)]) or 1.0
            cosine = shared / sqrt(self.total * total)
            cosines.append(cosine)
            if cosine > best:
                best, nearest = cosine, member
            overlap = max(overlap, shared / min(self.total, total))
            in_heads = sum([square[term] for term in member.title if term in heads])
            if in_heads:
                head_total = sum([weights[term] ** 2 for term in member.title]) or 1.0
                headline = max(headline, in_heads / sqrt(self.head_total * head_total))
                headline_sum = max(headline_sum, in_heads)
            theirs = letters(member.headline)
            if mine and theirs:
                likest = max(likest, len(mine & theirs) / sqrt(len(mine) * len(theirs)))
            gap = abs(member.published - self.new.published)
            apart = min(apart, gap)
            if member.feed == self.new.feed:
                own = min(own, gap)
        second = sorted(cosines)[-2] if len(cosines) > 1 else -1.0
        mean = sum(cosines) / len(cosines)
        hours = min(apart / 3600, 200.0)
        return _Members(best, second, mean, headline, headline_sum, likest, overlap, hours, own / 60, nearest)

    def _core(self, story: OpenStory, heavy: list[float]) -> _Core:
        weights, weight, spread = self.window.weights, self.weight, self.window.spread
        core = [(term, share * weights[term]) for term, share in story.core()]
        length = sqrt(sum([w * w for _, w in core])) or 1.0
        common = [(term, w) for term, w in core if term in weight]
        centre = sum([w * weight[term] for term, w in common]) / (length * sqrt(self.total))
        least = sorted([w for _, w in core], reverse=True)[:_TOP]
        top = sorted([(w, term) for term, w in core if w >= least[-1]], reverse=True)[:_TOP] if least else []
        most = sum([w for w, _ in top]) or 1.0
        reached = sum(sorted([w for _, w in common], reverse=True)[:_TOP]) / most if heavy else 0.0
        counts, size = story.said.counts, len(story.members)
        return _Core(
            centre,
            sum([w for w, term in top if term in weight]) / most,
            reached,
            sum([counts[term] for _, term in top]) / (size * len(top) or 1),
            sum([w * counts[term] / spread(term) for w, term in top]) / most,
        )

    def _name_clash(self, story: OpenStory) -> float:
        """Two like events differ in their names: "quake hits A" and "quake hits B"."""
        weights, counts, size = self.window.weights, story.said.counts, len(story.members)
        mine = max([self.weight[n] for n in self.new.names if n in self.heads and n not in counts], default=0.0)
        if not mine:
            return 0.0
        central = [
            n
            for n in story.said.names
            if n in story.said.title_terms and counts[n] * 2 >= size and n not in self.weight
        ]
        return min(mine, max([weights[n] for n in central], default=0.0))

    def _now(self, story: OpenStory, shared: list[str]) -> tuple[float, float, float, float]:
        """How far the shared words belong to this story now (one, all, the heaviest), and how much one bursts."""
        spread, table, entries = self.window.spread, self.window.table, self.window.entries
        counts = story.said.counts
        shares = []
        own = rate = 0.0
        for term in shared:
            mentions, weight = spread(term), self.weight[term]
            share = counts[term] / mentions
            if mentions < 3:
                share *= mentions / 3
            else:
                rate = max(rate, mentions / (entries + 50) / table.get(term, RAREST))
            shares.append(share * weight)
            if weight > _TELLING and share > own:
                own = share
        shares.sort(reverse=True)
        return own, sum(shares), sum(shares[:3]), log(rate + 0.1) if rate else -3.0
