"""What a query means: a small tree of frozen values.

Expr = Term | Phrase | Prefix | Facet | InTitle | Not | And | Or. `conjunction`, `disjunction` and `negation` keep trees
flat, so that two texts of one meaning give one tree: no And in an And, no Or in an Or, no Not in a Not, no doubles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Term:
    """A bare word, name or designator, as typed: it matches its inflections too."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """A quoted text: these forms, side by side."""

    text: str
    #: how many other words may stand among its words, in any order; None: side by side, in this order
    within: int | None = None


@dataclass(frozen=True, slots=True)
class Prefix:
    """Words with this beginning; the text is without the asterisk."""

    text: str


@dataclass(frozen=True, slots=True)
class Facet:
    """Where an entry comes from: name is "source", "lang" or "tag"."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class InTitle:
    """The expression, looked for in the title alone."""

    expr: Expr


@dataclass(frozen=True, slots=True)
class Not:
    """The expression does not match."""

    expr: Expr


@dataclass(frozen=True, slots=True)
class And:
    """All of them; two or more."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them; two or more."""

    parts: tuple[Expr, ...]


Leaf = Term | Phrase | Prefix | Facet
Expr = Leaf | InTitle | Not | And | Or


@dataclass(frozen=True, slots=True)
class Query:
    """What a person asked for."""

    expr: Expr
    #: ring only when this many independent outlets carry the story (`min:`)
    min_outlets: int = 1


def _flat(kind: type[And | Or], parts: Iterable[Expr]) -> Iterator[Expr]:
    for part in parts:
        if isinstance(part, kind):
            yield from part.parts
        else:
            yield part


def conjunction(parts: Iterable[Expr]) -> Expr:
    """All of the parts."""
    flat = tuple(dict.fromkeys(_flat(And, parts)))
    return flat[0] if len(flat) == 1 else And(flat)


def disjunction(parts: Iterable[Expr]) -> Expr:
    """Any of the parts."""
    flat = tuple(dict.fromkeys(_flat(Or, parts)))
    return flat[0] if len(flat) == 1 else Or(flat)


def negation(expr: Expr) -> Expr:
    """Not the expression; two negations cancel out."""
    return expr.expr if isinstance(expr, Not) else Not(expr)


def positive(expr: Expr) -> bool:
    """Whether it can match only where something it names is found."""
    match expr:
        case Not(inner):
            return _refutable(inner)
        case And(parts):
            return any(map(positive, parts))
        case Or(parts):
            return all(map(positive, parts))
        case InTitle(inner):
            return positive(inner)
        case _:
            return True


def _refutable(expr: Expr) -> bool:
    """Whether it can fail only where something it names is found: then its negation is positive."""
    match expr:
        case Not(inner):
            return positive(inner)
        case And(parts):
            return all(map(_refutable, parts))
        case Or(parts):
            return any(map(_refutable, parts))
        case InTitle(inner):
            return _refutable(inner)
        case _:
            return False
