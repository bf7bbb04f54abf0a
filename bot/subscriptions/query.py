"""The query language (docs/queries.md) for its callers: text → Query → text, and what it means in plain words."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from bot.i18n import N_, _, fill, ngettext
from bot.subscriptions.nodes import And, Expr, Facet, InTitle, Leaf, Not, Or, Phrase, Prefix, Query, Term
from bot.subscriptions.parse import parse_query
from bot.subscriptions.scan import MAX_LENGTH, split_subscriptions

if TYPE_CHECKING:
    from types import UnionType

    from bot.errors import QueryError

__all__ = [
    "Query",
    "caret",
    "explain",
    "notices",
    "parse_query",
    "print_leaf",
    "print_query",
    "split_subscriptions",
]

#: how a field is told
_FACETS = {"source": N_("source {value}"), "lang": N_("language {value}"), "tag": N_("tag {value}")}
_BARE_VALUE = re.compile(r"[^\W_](?:[\w.]|-(?=\w))*")


def print_query(query: Query) -> str:
    """The query's canonical text: `parse_query` of it gives the same query again, also where the typed text was at the limit."""
    option = f" min:{query.min_outlets}" if query.min_outlets > 1 else ""
    text = _print(query.expr, " OR ") + option
    return text if len(text) <= MAX_LENGTH else _print(query.expr, "|") + option


def print_leaf(leaf: Leaf) -> str:
    """A term as it is typed; what a hit is called by."""
    match leaf:
        case Term(text):
            return text
        case Phrase(text, within):
            return f'"{text}"' if within is None else f'"{text}"~{within}'
        case Prefix(text):
            return f"{text}*"
        case Facet(name, value):
            bare = _BARE_VALUE.fullmatch(value) and value not in {"AND", "OR", "NOT"}
            return f"{name}:{value}" if bare else f'{name}:"{value}"'


def _print(expr: Expr, either: str) -> str:
    match expr:
        case Or(parts):
            return either.join(_print(part, either) for part in parts)
        case And(parts):
            return " ".join(_inner(part, either, Or) for part in parts)
        case Not(inner):
            return "-" + _inner(inner, either, Or | And)
        case InTitle(And() | Or() | Not() as inner):
            return f"title:({_print(inner, either)})"
        case InTitle(inner):
            return f"title:{_print(inner, either)}"
        case _:
            return print_leaf(expr)


def _inner(expr: Expr, either: str, loose: type[Or] | UnionType) -> str:
    text = _print(expr, either)
    return f"({text})" if isinstance(expr, loose) else text


def explain(query: Query) -> str:
    """How the query was understood, in plain words: `air AND (defence OR defense), not in: football`."""
    parts = query.expr.parts if isinstance(query.expr, And) else (query.expr,)
    wanted: tuple[Expr, ...] = tuple(part for part in parts if not isinstance(part, Not))
    unwanted = [part.expr for part in parts if isinstance(part, Not)]
    if not wanted:  # a negated group that names what to find: NOT (a OR NOT b)
        wanted, unwanted = parts, []
    text = " AND ".join(_words(part, inside=len(wanted) > 1) for part in wanted)
    if unwanted:
        avoided = "; ".join(_words(part, inside=False) for part in unwanted)
        text = fill(_("{wanted}, not in: {unwanted}"), wanted=text, unwanted=avoided)
    if query.min_outlets > 1:
        outlets = ngettext(
            "{wanted}, from at least {count} independent outlet",
            "{wanted}, from at least {count} independent outlets",
            query.min_outlets,
        )
        text = fill(outlets, wanted=text, count=query.min_outlets)
    return text


def _words(expr: Expr, *, inside: bool) -> str:
    match expr:
        case Or(parts):
            text = " OR ".join(_words(part, inside=True) for part in parts)
        case And(parts):
            text = " AND ".join(_words(part, inside=True) for part in parts)
        case Not(inner):
            return fill(_("not {words}"), words=_words(inner, inside=True))
        case InTitle(inner):
            return fill(_("{words} in the title"), words=_words(inner, inside=True))
        case Phrase(text, within) if within is not None:
            near = ngettext(
                '"{words}" in any order with at most {count} other word between',
                '"{words}" in any order with at most {count} other words between',
                within,
            )
            return fill(near, words=text, count=within)
        case Prefix(text):
            return fill(_("words beginning with {beginning}"), beginning=text)
        case Facet(name, value):
            return fill(_(_FACETS[name]), value=value)
        case _:
            return print_leaf(expr)
    return f"({text})" if inside else text


def leaves(expr: Expr) -> list[Leaf]:
    """The terms of an expression in reading order, negated ones too."""
    match expr:
        case And(parts) | Or(parts):
            return [leaf for part in parts for leaf in leaves(part)]
        case Not(inner) | InTitle(inner):
            return leaves(inner)
        case _:
            return [expr]


def notices(text: str, query: Query) -> list[str]:
    """What a person may have meant otherwise, one line each; empty when there is no doubt."""
    found = []
    typed = {leaf.text for leaf in leaves(query.expr) if isinstance(leaf, Term)}
    for operator in ("OR", "AND", "NOT"):
        small = next((word for word in (operator.lower(), operator.title()) if word in typed), None)
        if small:
            message = _("“{word}” is searched for as a word. Did you mean {operator}?")
            found.append(fill(message, word=small, operator=operator))
    if re.search(r'\w\*"', text):
        found.append(_("A * inside quotes is ignored. For a beginning, leave the quotes out."))
    return found


def caret(error: QueryError) -> str:
    """Two lines for a fixed-width font: the query (cut around the place when long), and a caret under the place."""
    line = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in error.text)
    start = max(0, error.position - 30)
    shown = ("…" if start else "") + line[start : start + 60] + ("…" if len(line) > start + 60 else "")
    before = line[start : error.position]
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in before)
    marks = sum(unicodedata.combining(c) > 0 for c in before)
    return f"{shown}\n{' ' * (len(before) + wide - marks + (1 if start else 0))}^"
