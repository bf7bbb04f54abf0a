"""Fitted numbers: how often words occur in news, and how evidence adds up. Read once, from the files beside this one.

`rarity.txt` holds stems by how many of 10,000 news entries have them; `trees.json` holds small decision trees, one a
line, whose points are added up: ["best", 0.12, A, B] is A where the evidence "best" is at most 0.12, else B, and each
of the two is points or a tree again. `benchmarks/fit_stories.py` writes both.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

RAREST = 6e-5  #: share that a word the table lacks is held to have


@dataclass(frozen=True)
class Score:
    """A sum of trees; positive speaks for yes."""

    names: tuple[str, ...]
    #: each is points, or: number of the evidence, edge, the tree up to the edge, the tree above it
    trees: tuple[Any, ...]

    def __call__(self, values: Sequence[float]) -> float:
        """The points of the values, which stand in the order of `names`."""
        return self._sum(*values)

    @cached_property
    def _sum(self) -> Callable[..., float]:
        """All trees as one function of the interpreter's own, four times as fast as walking down each."""

        def written(tree: Any) -> str:
            if not isinstance(tree, tuple):
                return repr(float(tree))
            at, edge, low, high = tree
            return f"({written(low)} if v{int(at)} <= {float(edge)!r} else {written(high)})"

        values = ", ".join(f"v{i}" for i in range(len(self.names)))
        lines = [f"def total({values}):", " t = 0.0", *(f" t += {written(tree)}" for tree in self.trees), " return t"]
        made: dict[str, Any] = {}
        exec("\n".join(lines), {}, made)  # noqa: S102 - made of numbers only
        total: Callable[..., float] = made["total"]
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


def parse_score(names: Sequence[str], raw: Sequence[Any]) -> Score:
    """One score as trees.json holds it."""
    index = {name: i for i, name in enumerate(names)}

    def parsed(tree: Any) -> Any:
        if isinstance(tree, list):
            return (index[tree[0]], float(tree[1]), parsed(tree[2]), parsed(tree[3]))
        return float(tree)

    return Score(tuple(names), tuple(parsed(tree) for tree in raw))


@cache
def load() -> Fitted:
    """What ships with the bot."""
    folder = files("bot.stories")
    raw = json.loads(folder.joinpath("trees.json").read_text("utf-8"))
    return Fitted(
        rarity=parse_rarity(folder.joinpath("rarity.txt").read_text("utf-8")),
        join=parse_score(raw["join"]["evidence"], raw["join"]["trees"]),
        novelty=parse_score(raw["novelty"]["evidence"], raw["novelty"]["trees"]),
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
