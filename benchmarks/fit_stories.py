"""Fits what the clustering adds up, and writes bot/stories/rarity.txt and bot/stories/steps.json.

    python -m benchmarks.fit_stories [--write]

Fitted on the labelled entries of the data folder, replayed in order with their true stories: for each entry, the
evidence beside every candidate story, and whether that is its story. The score is a sum of monotone staircases, one
for each kind of evidence (boosted stumps), so that the file can be read and the bot needs no library for it. Bars are
chosen by cross-validation in benchmarks/stories.py, not here. Needs lightgbm (pip install lightgbm).
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from math import log10
from pathlib import Path

from benchmarks.story_data import SETS, Labelled, by_publication, feed_entries, load, names_in
from bot.model import Entry, EntryId, Kind, StoryId
from bot.stories import evidence, novelty
from bot.stories.fitted import Fitted, Score, Staircase
from bot.stories.terms import sketch
from bot.stories.window import Window

JOIN_BAR = -0.1  # points; see benchmarks/stories.py
NOVELTY_BAR = -1.2
LEAST_SHARE = 1.2  #: of 10,000 entries: rarer stems are left out of the table
LIGHT = 0.3  #: weight of the rows of small windows beside those of whole days
_LEVELS = 24  #: steps a decade of the table

Row = tuple[list[float], bool]


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


def fit(
    rows: Sequence[Row],
    names: Mapping[str, str],
    rounds: int,
    rate: float,
    *,
    light: Sequence[Row] = (),
    seeds: Sequence[int] = (1, 2, 3),
) -> Score:
    """A sum of staircases that tells the true rows; what more of a value may speak for is taken from `names`."""
    import lightgbm
    import numpy as np

    signs = [{"+": 1, "-": -1, "~": 0}[text[0]] for text in names.values()]
    values = np.array([row for row, _ in (*rows, *light)])
    truth = np.array([true for _, true in (*rows, *light)], dtype=int)
    weights = np.array([1.0] * len(rows) + [LIGHT] * len(light))
    steps: dict[int, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    floor = 0.0
    for seed in seeds:
        options = {
            "objective": "binary", "num_leaves": 2, "learning_rate": rate, "min_data_in_leaf": 20, "lambda_l2": 5.0,
            "feature_fraction": 0.5, "bagging_fraction": 0.8, "bagging_freq": 1, "seed": seed, "verbose": -1,
            "num_threads": 1, "monotone_constraints": signs, "deterministic": True,
        }  # fmt: skip
        model = lightgbm.train(options, lightgbm.Dataset(values, truth, weight=weights), rounds)
        for tree in model.dump_model()["tree_info"]:
            root = tree["tree_structure"]
            if "split_feature" not in root:
                floor += root["leaf_value"] / len(seeds)
                continue
            low, high = root["left_child"]["leaf_value"], root["right_child"]["leaf_value"]
            floor += low / len(seeds)
            steps[root["split_feature"]][float(f"{root['threshold']:.4g}")] += (high - low) / len(seeds)
    stairs = []
    for i in range(len(names)):
        edges = sorted(steps[i])
        # each staircase begins at 0 where its evidence is neutral; what is left goes to the first one
        points = [floor if i == 0 else 0.0]
        for edge in edges:
            points.append(points[-1] + steps[i][edge])
        stairs.append(Staircase(tuple(edges), tuple(round(p, 3) for p in points)))
    return Score(tuple(names), tuple(stairs))


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
    orders = both_orders(sets)
    small = [stream for items in sets for stream in topical(items)]
    rows = [row for items in orders for row in gold_rows(items, table)[0]]
    light = [row for items in small for row in gold_rows(items, table, twins=0.3)[0]]
    join = fit(rows, evidence.EVIDENCE, 300, 0.1, light=light)
    kinds = [row for items in orders for row in gold_rows(items, table, join)[1]]
    return Fitted(table, join, fit(kinds, novelty.NOVELTY, 120, 0.08), JOIN_BAR, NOVELTY_BAR)


def write(fitted: Fitted, into: Path) -> None:
    """The two files that the bot reads."""
    lines: dict[float, list[str]] = defaultdict(list)
    for stem, share in fitted.rarity.items():
        lines[round(share * 10_000, 2)].append(stem)
    head = "# Of 10,000 news entries, how many have a stem. Written by benchmarks/fit_stories.py.\n"
    body = "".join(f"{per:g} {' '.join(sorted(found))}\n" for per, found in sorted(lines.items(), reverse=True))
    (into / "rarity.txt").write_text(head + body, "utf-8")
    told = {
        name: {
            "bar": bar,
            "evidence": {
                n: {"edges": s.edges, "points": s.points} for n, s in zip(score.names, score.stairs, strict=True)
            },
        }
        for name, score, bar in (
            ("join", fitted.join, fitted.join_bar),
            ("novelty", fitted.novelty, fitted.novelty_bar),
        )
    }
    text = json.dumps(told, indent=1)
    (into / "steps.json").write_text(_compact(text) + "\n", "utf-8")


def _compact(text: str) -> str:
    """Lists of numbers on one line each."""
    return re.sub(r"\[\s+([^\[\]]*?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m.group(1)) + "]", text)


def main() -> None:
    feeds = feed_shares()
    fitted = fit_all([load(name) for name in SETS], feeds)
    print(f"{len(fitted.rarity)} stems; join {sum(len(s.edges) for s in fitted.join.stairs)} steps")
    for score in (fitted.join, fitted.novelty):
        spans = {n: max(s.points) - min(s.points) for n, s in zip(score.names, score.stairs, strict=True)}
        for name, span in sorted(spans.items(), key=lambda kv: -kv[1]):
            print(f"  {span:6.2f} points between least and most: {name}")
    if "--write" in sys.argv:
        write(fitted, Path(__file__).parent.parent / "bot" / "stories")


if __name__ == "__main__":
    main()
