"""Subscriptions and stories for the benchmark of matching, drawn from the data folder; the same for the same seed."""

from __future__ import annotations

import itertools
import json
import lzma
import random
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.text import words  # noqa: E402
from tests.data_dir import shared_data  # noqa: E402

#: how much more a word is asked for with every story that has it; gives about 3,200 matches per story at a million
IN_THE_NEWS = 0.67
#: leaves are tuples of folded words; a subscription is one of
#: ("leaf", a) · ("and", a, b) · ("or", a, b) · ("not", a, b) · ("orand", a, b, c): (a OR b) AND c
Leaf = tuple[str, ...]
Subscription = tuple[str | Leaf, ...]


def data() -> Path:
    folder = shared_data()
    if folder is None:
        sys.exit("skipped: the data folder is not here")
    return folder


def rows(name: str) -> list[list[str]]:
    with lzma.open(data() / "keywords" / name, "rt", encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in itertools.islice(file, 1, None)]


def stories(limit: int = 0) -> list[tuple[str, str]]:
    """Title and summary of real entries of the three sets; those with something of a text."""
    found = []
    for name in "abc":
        with (data() / "stories" / f"{name}.items.jsonl").open(encoding="utf-8") as file:
            for line in file:
                item = json.loads(line)
                if len(item["summary"]) + len(item["title"]) >= 250:
                    found.append((item["title"], item["summary"][:2000]))
    random.Random(1).shuffle(found)
    return found[:limit] if limit else found


class Source:
    """Draws leaves with a heavy-tailed popularity: people ask for what is in the news."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        told: Counter[Leaf] = Counter()
        for title, summary in stories():
            found = words(f"{title} | {summary}")
            for size in (1, 2, 3):
                told.update(set(zip(*(found[i:] for i in range(size)), strict=False)))
        singles: dict[Leaf, float] = {}
        phrases: dict[Leaf, float] = {}

        def take(text: str, weight: float) -> None:
            found = tuple(words(text))
            if not found or len(found) > 3 or not all(word.isascii() and word.isalpha() for word in found):
                return
            if len(found) == 1:
                if len(found[0]) > 2 and found not in everyday:
                    singles[found] = singles.get(found, 0.0) + weight * (1 + told[found] * IN_THE_NEWS)
            else:
                phrases[found] = phrases.get(found, 0.0) + weight * (1 + told[found] * IN_THE_NEWS)

        frequent = rows("wordfreq/en.tsv.xz")
        everyday = {(word,) for word, _ in frequent[:1000]}
        for word, freq in frequent:
            take(word, float(freq) ** 0.5)
        for name, _country, population, *_ in rows("geonames/cities5000.tsv.xz"):
            take(name, (int(population or 0) + 1) ** 0.5 * 1e-6)
        for name, *_rest in rows("petrarch2/actors_flat.tsv.xz"):
            take(name.replace("_", " "), 1e-3)
        with (data() / "keywords" / "trec_topics" / "titles.tsv").open(encoding="utf-8") as file:
            for line in file:
                take(line.rstrip("\n").split("\t")[1], 1e-3)
        self.singles, self.single_weights = list(singles), list(itertools.accumulate(singles.values()))
        self.phrases, self.phrase_weights = list(phrases), list(itertools.accumulate(phrases.values()))

    def single(self) -> Leaf:
        return self.random.choices(self.singles, cum_weights=self.single_weights)[0]

    def phrase(self) -> Leaf:
        return self.random.choices(self.phrases, cum_weights=self.phrase_weights)[0]

    def leaf(self) -> Leaf:
        return self.single() if self.random.random() < 0.8 else self.phrase()

    def subscription(self) -> Subscription:
        """70 % one word or name, 20 % phrases, 10 % boolean."""
        chance = self.random.random()
        if chance < 0.7:
            return ("leaf", self.single())
        if chance < 0.9:
            return ("leaf", self.phrase())
        kind = self.random.choice(("and", "or", "not", "orand"))
        leaves: dict[Leaf, None] = {}
        while len(leaves) < (3 if kind == "orand" else 2):
            leaves[self.leaf()] = None
        return (kind, *leaves)

    def subscriptions(self, count: int) -> list[Subscription]:
        singles = self.random.choices(self.singles, cum_weights=self.single_weights, k=count)
        phrases = self.random.choices(self.phrases, cum_weights=self.phrase_weights, k=count)
        chances = [self.random.random() for _ in range(count)]
        return [
            ("leaf", singles[i])
            if chance < 0.7
            else ("leaf", phrases[i])
            if chance < 0.9
            else self.subscription_of_several()
            for i, chance in enumerate(chances)
        ]

    def subscription_of_several(self) -> Subscription:
        while True:
            found = self.subscription()
            if found[0] != "leaf":
                return found
