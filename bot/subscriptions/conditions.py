"""A query as a condition over leaves, and the condition as alternatives: leaves that must hold, leaves that must not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bot.subscriptions.leaf import Leaf
from bot.subscriptions.leaves import compile_leaf
from bot.subscriptions.nodes import And, InTitle, Not, Or

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.subscriptions.nodes import Expr

#: more alternatives than this are not worth laying out
MAX_ALTERNATIVES = 32


class All(NamedTuple):
    """Every part holds."""

    parts: tuple[Condition, ...]


class Some(NamedTuple):
    """A part holds."""

    parts: tuple[Condition, ...]


class No(NamedTuple):
    """The part does not hold."""

    part: Condition


Condition = Leaf | All | Some | No


class Alternative(NamedTuple):
    """Keys of leaves that must hold, and of such as must not."""

    wanted: frozenset[str]
    unwanted: frozenset[str]


def plain(expr: Expr) -> tuple[set[Alternative], dict[str, Leaf]] | None:
    """The alternatives of what most queries are, a AND b AND NOT c AND (d OR e), and its leaves; None for any other."""
    wanted: dict[str, Leaf] = {}
    unwanted: dict[str, Leaf] = {}
    choices: dict[str, Leaf] = {}
    for part in expr.parts if isinstance(expr, And) else (expr,):
        if isinstance(part, Or) and not choices:
            inner, into = part.parts, choices
        elif isinstance(part, Not):
            inner, into = (part.expr,), unwanted
        else:
            inner, into = (part,), wanted
        for term in inner:
            if isinstance(term, And | Or | Not | InTitle):
                return None
            leaf = compile_leaf(term)
            into[leaf.key] = leaf
    terms = {**wanted, **unwanted, **choices}
    if len(terms) < len(wanted) + len(unwanted) + len(choices):
        return None  # a term stands on two sides
    away = frozenset(unwanted)
    if choices:
        return {Alternative(frozenset((*wanted, choice)), away) for choice in choices}, terms
    return {Alternative(frozenset(wanted), away)}, terms


def condition(expr: Expr, *, title: bool = False) -> Condition:
    """The expression with its terms made leaves."""
    match expr:
        case And(parts):
            return All(tuple([condition(part, title=title) for part in parts]))
        case Or(parts):
            return Some(tuple([condition(part, title=title) for part in parts]))
        case Not(inner):
            return No(condition(inner, title=title))
        case InTitle(inner):
            return condition(inner, title=True)
        case _:
            return compile_leaf(expr, title=title)


def leaves(tree: Condition) -> list[Leaf]:
    """All leaves, in reading order."""
    if isinstance(tree, Leaf):
        return [tree]
    if isinstance(tree, No):
        return leaves(tree.part)
    return [leaf for part in tree.parts for leaf in leaves(part)]


def holds(tree: Condition, test: Callable[[Leaf], bool]) -> bool:
    """Whether the condition holds, given which leaves do."""
    match tree:
        case All(parts):
            return all(holds(part, test) for part in parts)
        case Some(parts):
            return any(holds(part, test) for part in parts)
        case No(part):
            return not holds(part, test)
        case _:
            return test(tree)


def alternatives(tree: Condition, *, negated: bool = False) -> set[Alternative] | None:
    """The condition as alternatives, none contained in another; None when there are too many."""
    match tree:
        case No(part):
            return alternatives(part, negated=not negated)
        case All(parts) | Some(parts):
            together = isinstance(tree, All) is not negated
            found = {Alternative(frozenset(), frozenset())} if together else set()
            for part in parts:
                more = alternatives(part, negated=negated)
                if more is None:
                    return None
                if together:
                    found = {Alternative(a.wanted | b.wanted, a.unwanted | b.unwanted) for a in found for b in more}
                else:
                    found |= more
                if len(found) > MAX_ALTERNATIVES:
                    return None
            return _needed({each for each in found if each.wanted.isdisjoint(each.unwanted)})
        case _:
            key = frozenset((tree.key,))
            return {Alternative(frozenset(), key) if negated else Alternative(key, frozenset())}


def _needed(found: set[Alternative]) -> set[Alternative]:
    if len(found) < 2:
        return found
    return {
        each
        for each in found
        if not any(o != each and o.wanted <= each.wanted and o.unwanted <= each.unwanted for o in found)
    }


def required(tree: Condition) -> frozenset[str] | None:
    """Keys of which one holds wherever the condition does; None when there are no such."""
    match tree:
        case All(parts):
            return min(filter(None, map(required, parts)), key=len, default=None)
        case Some(parts):
            each = [required(part) for part in parts]
            return None if None in each else frozenset().union(*filter(None, each))
        case No(No(part)):
            return required(part)
        case No(All(parts)):
            return required(Some(tuple(map(No, parts))))
        case No(Some(parts)):
            return required(All(tuple(map(No, parts))))
        case No():
            return None
        case _:
            return frozenset((tree.key,))
