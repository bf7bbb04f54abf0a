"""Fitted numbers: how often words occur in news, and how evidence adds up. Read once, from the files beside this one.

`rarity.txt` holds stems by how many of 10,000 news entries have them; `steps.json` holds, for each kind of evidence,
a staircase: the points that a value between two edges adds. `benchmarks/fit_stories.py` writes both.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RAREST = 6e-5  #: share that a word the table lacks is held to have


@dataclass(frozen=True, slots=True)
class Staircase:
    """Points by value: `points[i]` for values above `edges[i - 1]` and up to `edges[i]`."""

    edges: tuple[float, ...]
    points: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """A sum of staircases; positive speaks for yes."""

    names: tuple[str, ...]
    stairs: tuple[Staircase, ...]

    def __call__(self, values: Sequence[float]) -> float:
        """The points of the values, which stand in the order of `names`."""
        total = 0.0
        for value, stair in zip(values, self.stairs, strict=True):
            total += stair.points[bisect_left(stair.edges, value)]
        return total


@dataclass(frozen=True, slots=True)
class Fitted:
    """All that was fitted."""

    #: stem → share of news entries that have it; a stem that is not in it is held to have RAREST
    rarity: Mapping[str, float]
    #: for belonging to a story
    join: Score
    #: for telling a new fact within a story
    novelty: Score
    #: points from which an entry joins
    join_bar: float
    #: points from which an entry is a development
    novelty_bar: float


def parse_score(raw: Mapping[str, Mapping[str, Sequence[float]]]) -> Score:
    """One score as steps.json holds it: evidence → its edges and points."""
    stairs = tuple(Staircase(tuple(s["edges"]), tuple(s["points"])) for s in raw.values())
    return Score(tuple(raw), stairs)


@cache
def load() -> Fitted:
    """What ships with the bot."""
    folder = files("bot.stories")
    raw = json.loads(folder.joinpath("steps.json").read_text("utf-8"))
    return Fitted(
        rarity=parse_rarity(folder.joinpath("rarity.txt").read_text("utf-8")),
        join=parse_score(raw["join"]["evidence"]),
        novelty=parse_score(raw["novelty"]["evidence"]),
        join_bar=raw["join"]["bar"],
        novelty_bar=raw["novelty"]["bar"],
    )


def parse_rarity(text: str) -> dict[str, float]:
    """Lines of "N stem stem ...": N of 10,000 news entries have each of these stems."""
    shares: dict[str, float] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            per, _, found = line.partition(" ")
            shares.update(dict.fromkeys(found.split(), float(per) / 10_000))
    return shares
