"""Tokens → Query, by a LALR(1) grammar: nothing here recurses over the text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedToken

from bot.errors import QueryError
from bot.i18n import _, fill, ngettext
from bot.subscriptions.nodes import (
    And,
    Expr,
    Facet,
    InTitle,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Term,
    conjunction,
    disjunction,
    negation,
    positive,
)
from bot.subscriptions.scan import MAX_LENGTH, Scanner

if TYPE_CHECKING:
    from collections.abc import Callable

_LANG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*")

GRAMMAR = """
    ?start: either
    ?either: all (OR all)*
    ?all: negated (AND? negated)*
    ?negated: NOT negated
        | primary
    ?primary: LEAF -> leaf
        | LPAR either RPAR -> group
        | FIELD LEAF -> field
        | FIELD LPAR either RPAR -> field
    %declare LEAF FIELD LPAR RPAR AND OR NOT
"""


class _Build(Transformer[Token, Expr]):
    """Called by the parser at each reduction, so that deep trees need no deep calls."""

    def either(self, parts: list[Any]) -> Expr:
        return disjunction(part for part in parts if not isinstance(part, Token))

    def all(self, parts: list[Any]) -> Expr:
        return conjunction(part for part in parts if not isinstance(part, Token))

    def negated(self, parts: list[Any]) -> Expr:
        return negation(parts[1])

    def leaf(self, parts: list[Any]) -> Expr:
        return parts[0].value  # type: ignore[no-any-return]

    def group(self, parts: list[Any]) -> Expr:
        return parts[1]  # type: ignore[no-any-return]

    def field(self, parts: list[Any]) -> Expr:
        name, inner = parts[0], parts[2] if len(parts) == 4 else parts[1].value
        return _narrowed(name, inner, nested=False)


def _narrowed(name: Token, expr: Expr, *, nested: bool) -> Expr:
    """The expression under `name:`. Nesting is within MAX_DEPTH here."""
    inner = [_narrowed(name, part, nested=True) for part in expr.parts] if isinstance(expr, And | Or) else []
    match expr:
        case And() if name.value == "title":
            found = conjunction(inner)
        case Or():
            found = disjunction(inner)
        case Not(negated) if name.value == "title":
            found = negation(_narrowed(name, negated, nested=True))
        case Facet() | InTitle():
            raise QueryError(fill(_("a field can't stand in {field}:( )"), field=name.value), "", name.start_pos or 0)
        case Term() | Phrase() if name.value != "title":
            return _facet(name, expr.text)
        case Term() | Phrase() | Prefix() if name.value == "title":
            found = expr
        case _:
            raise QueryError(
                fill(_("{field}: takes a name, or several with OR"), field=name.value), "", name.start_pos or 0
            )
    return InTitle(found) if name.value == "title" and not nested else found


def _facet(name: Token, value: str) -> Facet:
    if name.value == "lang" and not _LANG.fullmatch(value):
        raise QueryError(_("lang: takes a code such as en, ru or ar"), "", name.start_pos or 0)
    return Facet(name.value, value.lower() if name.value == "lang" else value)


_parser = Lark(GRAMMAR, parser="lalr", transformer=_Build(), maybe_placeholders=False)


def _grammar(scanner: Scanner) -> Expr:
    pieces = scanner.scan()
    state = _parser.parse_interactive()
    try:
        for piece in pieces:
            state.feed_token(Token(piece.kind, piece.value, start_pos=piece.start, end_pos=piece.end))
        tree: Expr = state.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedToken as error:
        position = error.token.start_pos if error.token.type != "$END" else None
        raise _misplaced(scanner, position) from None
    except QueryError as error:
        raise scanner.fail(error.message, error.position) from None
    return tree


def _misplaced(scanner: Scanner, position: int | None) -> QueryError:
    """What is wrong where the grammar got stuck."""
    at = next((i for i, piece in enumerate(scanner.pieces) if piece.start == position), len(scanner.pieces))
    before = scanner.pieces[at - 1] if at else None
    if before is None and position is None:
        return scanner.fail(_("there is nothing to search for"), 0)
    if before and before.kind in {"AND", "OR", "NOT", "FIELD"}:
        written = scanner.text[before.start : before.end].strip()
        message = fill(_("something to search for belongs after {written}"), written=written)
        return scanner.fail(message, before.start, scanner.without(before.start, before.end))
    here = scanner.pieces[min(at, len(scanner.pieces) - 1)]
    written = scanner.text[here.start : here.end].strip()
    if here.kind == "RPAR":
        start = before.start if before else 0
        hint = scanner.without(start, here.end)
        return scanner.fail(_("there is nothing between these parentheses"), start, hint)
    message = fill(_("something to search for belongs before {written}"), written=written)
    return scanner.fail(message, here.start, scanner.without(here.start, here.end))


def _parse(text: str, accepts: Callable[[str], bool]) -> Query:
    if len(text) > MAX_LENGTH:
        long = ngettext(
            "longer than {count} character ({length})", "longer than {count} characters ({length})", MAX_LENGTH
        )
        raise QueryError(fill(long, count=MAX_LENGTH, length=len(text)), text[:MAX_LENGTH], MAX_LENGTH)
    scanner = Scanner(text, accepts)
    expr = _grammar(scanner)
    if not positive(expr):
        start, end = next(((p.start, p.end) for p in scanner.pieces if p.kind == "NOT"), (0, 0))
        message = (
            _("one side of OR says only what not to find; add a word to find")
            if isinstance(expr, Or)
            else _("it says only what not to find; add a word to find")
        )
        raise scanner.fail(message, start, scanner.without(start, end))
    return Query(expr, scanner.min_outlets or 1)


def _parses(text: str) -> bool:
    try:
        _parse(text, lambda _: False)
    except QueryError:
        return False
    return True


def parse_query(text: str) -> Query:
    """The meaning of one query. Raises QueryError; takes no more than a few milliseconds for any text."""
    return _parse(text, _parses)
