"""Fits what the clustering adds up, and writes bot/stories/rarity.txt and bot/stories/trees.json.

    python -m benchmarks.fit_stories [--write]

Fitted on the labelled entries of the data folder, replayed in order with their true stories: for each entry, the
evidence beside every candidate story, and whether that is its story. Beside these stand rows of stories as a score that other sets taught
builds them, mistakes and all: true stories never show what a story that has swallowed its neighbours looks like. The
score is a sum of small trees (gradient boosting), kept as JSON, so that the bot needs no library for it. Bars are
chosen by cross-validation in benchmarks/stories.py, not here. Needs lightgbm (pip install lightgbm).
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import log10
from pathlib import Path
from typing import Any

from benchmarks.story_data import SETS, Labelled, by_publication, feed_entries, load, names_in
from bot.model import Entry, EntryId, Kind, StoryId
from bot.stories import evidence, novelty
from bot.stories.fitted import Fitted, Score
from bot.stories.terms import sketch
from bot.stories.window import Window

#: points, chosen by benchmarks/stories.py: the lowest at which sets that took no part keep a mean precision of 0.96 ...
JOIN_BAR = 0.5
#: what is fitted on all three is surer of less: at this bar it joins as many entries as those on two sets at JOIN_BAR
SHIPPED_BAR = 0.2
NOVELTY_BAR = -1.2  #: ... and the best F1 of developments then
LEAST_SHARE = 1.2  #: of 10,000 entries: rarer stems are left out of the table
LIGHT = 0.3  #: weight of the rows of small windows beside those of whole days
_LEVELS = 24  #: steps a decade of the table

OWN = 0.7  #: of rows beside stories as the score itself builds them
OWN_BAR = -0.6
SEEDS = (1, 2)

Row = tuple[list[float], bool]


@dataclass(frozen=True)
class Size:
    """How much is fitted: leaves of a tree, trees for each seed, share of each that counts."""

    leaves: int
    rounds: int
    rate: float


JOIN, NOVELTY = Size(8, 120, 0.09), Size(5, 60, 0.06)


def feed_shares() -> tuple[Counter[str], int]:
    """Over news entries of the feed files: in how many each stem stands, and how many there are."""
    seen: set[str] = set()
    found: Counter[str] = Counter()
    for row, entry in feed_entries():
        if row["topic"] == "news" and "gesab001" not in row["repo"] and entry.title not in seen:
            seen.add(entry.title)
            found.update(set(sketch(entry).terms))
    return found, len(seen)


def rarity(sets: Iterable[Sequence[Labelled]], feeds: tuple[Counter[str], int]) -> dict[str, float]:
    """Stem → share of entries, as the file will hold it: in steps, the rarest left out."""
    found, size = Counter(feeds[0]), feeds[1]
    for items in sets:
        size += len(items)
        for item in items:
            found.update(set(sketch(item.entry).terms))
    shares = {}
    for stem, count in found.items():
        if count < 2 or stem[0].isdigit() or any(char.isspace() for char in stem):
            continue
        per = 10_000 * (count - 0.7) / size
        if per >= LEAST_SHARE:
            shares[stem] = round(10 ** (round(log10(per) * _LEVELS) / _LEVELS), 2) / 10_000
    return shares


def gold_rows(
    items: Sequence[Labelled], table: Mapping[str, float], join: Score | None = None, twins: float = 0.05
) -> tuple[list[Row], list[Row]]:
    """Evidence of every entry beside its candidates, given the true stories so far; and that of developments."""
    window = Window(table)
    joins: list[Row] = []
    kinds: list[Row] = []
    dice = random.Random(len(items))
    names = sorted({name for item in items for name in names_in(item.entry)})
    for item in items:
        new = sketch(item.entry)
        window.forget(new.seen - 72 * 3600)
        home = StoryId(item.story or f"alone {item.entry.id}")
        candidates = window.candidates(new)
        rows = evidence.weigh(window, new, candidates)
        joins += [(row, story.id == home) for row, (story, _) in zip(rows, candidates, strict=True)]
        if join and (story := window.stories.get(home)):
            row = next((r for r, (s, _) in zip(rows, candidates, strict=True) if s is story), None)
            row = row or evidence.weigh(window, new, [(story, 0.5)])[0]
            kinds.append((novelty_row(window, item.entry, home, row, join(row)), item.kind is Kind.DEVELOPMENT))
        window.add(new, home)
        if item.story and dice.random() < twins and (swapped := twin(item, names, dice)).title != item.entry.title:
            other = sketch(swapped)
            beside = window.candidates(other)
            rows = evidence.weigh(window, other, beside)
            joins += [(row, False) for row, (story, _) in zip(rows, beside, strict=True) if story.id == home]
    return joins, kinds


def own_rows(items: Sequence[Labelled], table: Mapping[str, float], join: Score, bar: float) -> list[Row]:
    """Evidence beside stories as the score itself has built them, with all its mistakes.

    True where at least half of a story's entries are the entry's own: so a story that has swallowed many others is
    learnt to be none.
    """
    window = Window(table)
    truth = {item.entry.id: item.story or f"alone {item.entry.id}" for item in items}
    found: list[Row] = []
    for item in items:
        new = sketch(item.entry)
        window.forget(new.seen - 72 * 3600)
        candidates = window.candidates(new)
        rows = evidence.weigh(window, new, candidates)
        home, most = StoryId(item.entry.id), bar
        for row, (story, _) in zip(rows, candidates, strict=True):
            mine = sum(truth[member.entry] == truth[item.entry.id] for member in story.members)
            found.append((row, 2 * mine >= len(story.members)))
            points = join(row)
            if points >= most:
                home, most = story.id, points
        window.add(new, home)
    return found


def novelty_row(window: Window, entry: Entry, home: StoryId, row: list[float], points: float) -> list[float]:
    """The evidence of novelty of an entry that joins `home`."""
    return novelty.weigh_novelty(
        window,
        sketch(entry),
        window.stories[home],
        headline=entry.title,
        likeness=row[evidence.NAMES.index("best")],
        headlines=row[evidence.NAMES.index("headline")],
        certainty=points,
    )


def fit(rows: Sequence[Row], names: Mapping[str, str], size: Size, *, light: Sequence[tuple[Row, float]] = ()) -> Score:
    """A sum of trees that tells the true rows; what more of a value may speak for is taken from `names`."""
    import lightgbm
    import numpy as np

    signs = [{"+": 1, "-": -1, "~": 0}[text[0]] for text in names.values()]
    extra = [row for row, _ in light]
    values = np.array([row for row, _ in (*rows, *extra)])
    truth = np.array([true for _, true in (*rows, *extra)], dtype=int)
    weights = np.array([1.0] * len(rows) + [weight for _, weight in light])
    trees = []
    for seed in SEEDS:
        options = {
            "objective": "binary", "num_leaves": size.leaves, "learning_rate": size.rate, "min_data_in_leaf": 25,
            "lambda_l2": 5.0, "feature_fraction": 0.4, "bagging_fraction": 0.8, "bagging_freq": 1, "seed": seed,
            "verbose": -1, "num_threads": 1, "monotone_constraints": signs, "deterministic": True,
        }  # fmt: skip
        model = lightgbm.train(options, lightgbm.Dataset(values, truth, weight=weights), size.rounds)
        trees += [_tree(tree["tree_structure"]) for tree in model.dump_model()["tree_info"]]
    return Score(tuple(names), tuple(trees))


def _tree(node: Mapping[str, Any]) -> Any:
    """LightGBM's node as the bot's own: edges of four digits, points shared out among the seeds."""
    if "split_feature" not in node:
        return round(node["leaf_value"] / len(SEEDS), 4)
    low, high = _tree(node["left_child"]), _tree(node["right_child"])
    return low if low == high else (node["split_feature"], float(f"{node['threshold']:.4g}"), low, high)


def topical(items: Sequence[Labelled], least: int = 8, most: int = 40) -> list[list[Labelled]]:
    """Small windows of look-alikes: the entries that carry one name, as a feed on that topic would."""
    found: dict[str, list[Labelled]] = defaultdict(list)
    for item in items:
        for name in names_in(item.entry):
            found[name].append(item)
    streams = [stream for _, stream in sorted(found.items()) if least <= len(stream) <= most]
    return streams[:: max(1, len(streams) // 60)]


def twin(item: Labelled, names: Sequence[str], dice: random.Random) -> Entry:
    """A look-alike event: the same words with other names and numbers."""
    entry = item.entry
    swap = {name: dice.choice(names) for name in sorted(names_in(entry))}
    texts = []
    known = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in swap) or "(?!)")
    for text in (entry.title, entry.summary):
        swapped = known.sub(lambda m: swap[m.group()], text)
        texts.append(re.sub(r"\d+", lambda m: str(int(m.group()) + dice.randint(1, 9)), swapped))
    when = entry.published + timedelta(hours=dice.choice((-1, 1)) * dice.uniform(0.05, 20))
    return replace(
        entry, id=EntryId(f"{entry.id}~"), title=texts[0], summary=texts[1], link="", guid="", published=when
    )


def both_orders(sets: Iterable[Sequence[Labelled]]) -> list[list[Labelled]]:
    """As polled, and as a dry run takes them."""
    return [order for items in sets for order in (list(items), by_publication(list(items)))]


def fit_all(sets: Sequence[Sequence[Labelled]], feeds: tuple[Counter[str], int]) -> Fitted:
    """Everything, from these sets and the feed files only."""
    table = rarity(sets, feeds)
    rows = [_gold_of(items, table) for items in sets]
    light = [(row, LIGHT) for items in sets for s in topical(items) for row in gold_rows(s, table, twins=0.3)[0]]
    own = []
    for i, items in enumerate(sets):  # decided by what the other sets taught
        others = [row for j, found in enumerate(rows) if j != i or len(sets) == 1 for row in found]
        taught = fit(others, evidence.EVIDENCE, JOIN)
        own += [(row, OWN) for order in both_orders([items]) for row in own_rows(order, table, taught, OWN_BAR)]
    join = fit([row for found in rows for row in found], evidence.EVIDENCE, JOIN, light=light + own)
    kinds = [row for items in both_orders(sets) for row in gold_rows(items, table, join)[1]]
    return Fitted(table, join, fit(kinds, novelty.NOVELTY, NOVELTY), JOIN_BAR, NOVELTY_BAR)


def _gold_of(items: Sequence[Labelled], table: Mapping[str, float]) -> list[Row]:
    return [row for order in both_orders([items]) for row in gold_rows(order, table)[0]]


def write(fitted: Fitted, into: Path) -> None:
    """The two files that the bot reads."""
    shares: dict[float, list[str]] = defaultdict(list)
    for stem, share in fitted.rarity.items():
        shares[round(share * 10_000, 2)].append(stem)
    head = "# Of 10,000 news entries, how many have a stem. Written by benchmarks/fit_stories.py.\n"
    body = "".join(f"{per:g} {' '.join(sorted(found))}\n" for per, found in sorted(shares.items(), reverse=True))
    (into / "rarity.txt").write_text(head + body, "utf-8")
    lines = [_lines(name, score, bar) for name, score, bar in _scores(fitted)]
    (into / "trees.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def _scores(fitted: Fitted) -> tuple[tuple[str, Score, float], ...]:
    return ("join", fitted.join, fitted.join_bar), ("novelty", fitted.novelty, fitted.novelty_bar)


def _lines(name: str, score: Score, bar: float) -> str:
    """A score as JSON, one tree a line, evidence by its name."""

    def told(tree: Any) -> Any:
        return [score.names[tree[0]], tree[1], told(tree[2]), told(tree[3])] if isinstance(tree, tuple) else tree

    trees = ",\n".join(json.dumps(told(tree)) for tree in score.trees)
    return f'"{name}": {{"bar": {bar}, "evidence": {json.dumps(score.names)}, "trees": [\n{trees}\n]}}'


def _asked(tree: Any, names: Sequence[str]) -> list[str]:
    return [names[tree[0]], *_asked(tree[2], names), *_asked(tree[3], names)] if isinstance(tree, tuple) else []


def main() -> None:
    feeds = feed_shares()
    fitted = replace(fit_all([load(name) for name in SETS], feeds), join_bar=SHIPPED_BAR)
    for label, score, bar in _scores(fitted):
        asked = Counter(name for tree in score.trees for name in _asked(tree, score.names))
        print(
            f"{label}: bar {bar}, {len(score.trees)} trees, which ask for "
            + ", ".join(f"{n} {c}x" for n, c in asked.most_common())
        )
    if "--write" in sys.argv:
        write(fitted, Path(__file__).parent.parent / "bot" / "stories")


if __name__ == "__main__":
    main()
