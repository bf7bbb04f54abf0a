"""Typed text → tokens, with all the forgiving that typed text needs: curly quotes, wide signs, hashes, stray commas.

One pass; each step takes at least one character. What can't be meant is refused with its place.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from bot.errors import QueryError
from bot.i18n import _, fill, ngettext
from bot.subscriptions.nodes import Phrase, Prefix, Term
from bot.text import words

if TYPE_CHECKING:
    from collections.abc import Callable

#: limits of one query, and of a message that holds several
MAX_LENGTH = 500
MAX_TERMS = 50
MAX_DEPTH = 20
MAX_MESSAGE = 10_000
MAX_OUTLETS = 20
MAX_WITHIN = 50

#: as people and their keyboards write it → as the grammar has it; one character for one, so that places stay
_TYPED = str.maketrans(
    "“”„‟«»″＂「」『』（）［］：﹕｜，、،＊～＃＋\u00a0\u3000\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d\ufe63",
    '""""""""""""()[]::|,,,*~#+  ---------',
)
_HEBREW = re.compile('(?<=[א-ת])"(?=[א-ת])')
_OPERATORS = frozenset({"AND", "OR", "NOT"})
_LEADING = "#+~'`’‘[]{}<>;:!?/\\=_-.,…"
_TRAILING = ";:!?…'`’‘[]{}<>/\\=_~-."
_FIELD = re.compile(r"(title|source|lang|tag|min)\s*:\s*", re.IGNORECASE)
_UNKNOWN = re.compile(r"([^\W\d_]\w*):(?=\S)")
_ACRONYM = re.compile(r"[^\W\d_](?:\.[^\W\d_])+")
_CHUNK = re.compile(r'[^\s()"|,]+')
_NEAR = re.compile(r"~(\d*)")


class Piece(NamedTuple):
    """A token of the grammar: what it is, where it stands, and the leaf or field name it carries."""

    kind: str
    start: int
    end: int
    value: Any = ""


def _typed(text: str) -> str:
    """Position by position, the text with its typographic variants made plain."""
    return _HEBREW.sub("\u05f4", text.translate(_TYPED))


def split_subscriptions(text: str) -> list[str]:
    """The queries that commas outside quotes and parentheses separate.

    Raises QueryError when there is none, when the message is too long, or when a quote or parenthesis is not closed.
    """
    if len(text) > MAX_MESSAGE:
        long = ngettext(
            "that is longer than {count} character; send the queries in parts",
            "that is longer than {count} characters; send the queries in parts",
            MAX_MESSAGE,
        )
        raise QueryError(fill(long, count=MAX_MESSAGE), "", 0)
    plain = _typed(text)
    quoted, depth, start, found = False, 0, 0, []
    for i, char in enumerate(plain):
        if char == '"':
            quoted = not quoted
        elif not quoted:
            depth += (char == "(") - (char == ")")
            if char == "," and depth <= 0:
                found.append(text[start:i].strip())
                start = i + 1
    found.append(text[start:].strip())
    if not any(found):
        raise QueryError(_("there is nothing to search for"), text, 0)
    return [query for query in found if query]


class Scanner:
    """One pass over the text; each step takes at least one character."""

    def __init__(self, text: str, accepts: Callable[[str], bool]) -> None:
        self.text = text
        self.accepts = accepts
        self.plain = _typed(text)
        self.pieces: list[Piece] = []
        self.terms = 0
        self.open: list[int] = []
        self.min_outlets = 0

    def fail(self, message: str, position: int, *suggestions: str) -> QueryError:
        return QueryError(message, self.text, position, next(filter(self.accepts, suggestions), ""))

    def without(self, start: int, end: int, instead: str = "") -> str:
        """The text with something else in a place; where two spaces meet, one goes."""
        before, after = self.text[:start], instead + self.text[end:]
        return (
            before.rstrip() + " " + after.lstrip() if before[-1:].isspace() and after[:1].isspace() else before + after
        ).strip()

    def scan(self) -> list[Piece]:
        plain, at = self.plain, 0
        while at < len(plain):
            char = plain[at]
            if char.isspace():
                at += 1
            elif char == "(":
                if len(self.open) == MAX_DEPTH:
                    raise self.fail(fill(_("parentheses nest deeper than {depth}"), depth=MAX_DEPTH), at)
                self.open.append(at)
                at = self.add("LPAR", at, at + 1)
            elif char == ")":
                if not self.open:
                    raise self.fail(_("this parenthesis was never opened"), at, self.without(at, at + 1))
                self.open.pop()
                at = self.add("RPAR", at, at + 1)
            elif char == '"':
                at = self.quoted(at)
            elif char == "|":
                at = self.add("OR", at, at + (2 if plain.startswith("||", at) else 1))
            elif char == ",":
                if not self.open:
                    hint = f"{self.text[:at].rstrip()} OR {self.text[at + 1 :].lstrip()}"
                    raise self.fail(_("a comma separates subscriptions; quote it, or write OR"), at, hint)
                at += 1
            elif char == "-" and at + 1 < len(plain) and not plain[at + 1].isspace() and plain[at + 1] not in ")|,":
                at = self.add("NOT", at, at + 1)
            elif field := _FIELD.match(plain, at):
                at = self.field(field)
            else:
                at = self.chunk(at)
        if self.open:
            at = self.open[-1]
            closed = self.text.strip() + ")" * len(self.open)
            raise self.fail(
                _("this parenthesis is not closed"), at, *self.before_not(at), closed, self.without(at, at + 1)
            )
        return self.pieces

    def before_not(self, opened: int) -> list[str]:
        """The parenthesis closed before the first exclusion: `(a OR b -c` means `(a OR b) -c`."""
        inside = [piece for piece in self.pieces if piece.start > opened]
        alternatives = any(piece.kind == "OR" for piece in inside)
        first = next((piece.start for piece in inside if piece.kind == "NOT"), None)
        if len(self.open) > 1 or first is None or not alternatives:
            return []
        return [f"{self.text[:first].rstrip()}) {self.text[first:].strip()}"]

    def add(self, kind: str, start: int, end: int, value: Any = "") -> int:
        if kind == "LEAF":
            self.terms += 1
            if self.terms > MAX_TERMS:
                raise self.fail(
                    fill(ngettext("more than {count} term", "more than {count} terms", MAX_TERMS), count=MAX_TERMS),
                    start,
                )
        self.pieces.append(Piece(kind, start, end, value))
        return end

    def quoted(self, start: int) -> int:
        close = self.plain.find('"', start + 1)
        if close < 0:
            closed, opened = self.text.strip() + '"', self.without(start, start + 1)
            raise self.fail(_("this quote is not closed"), start, closed, opened)
        inner = " ".join(self.plain[start + 1 : close].split())
        if not words(inner):
            raise self.fail(
                _("there is nothing to search for between these quotes"), start, self.without(start, close + 1)
            )
        end, within = close + 1, None
        if near := _NEAR.match(self.plain, end):
            if not near[1] or len(near[1]) > 3 or int(near[1]) > MAX_WITHIN:
                rest = _CHUNK.match(self.plain, near.start())
                stop = rest.end() if rest else near.end()
                hints = self.without(near.start(), stop, "~4"), self.without(near.start(), stop)
                message = fill(_("~ takes a number of other words from 0 to {most}"), most=MAX_WITHIN)
                raise self.fail(message, near.start(), *hints)
            within, end = int(near[1]), near.end()
        return self.add("LEAF", start, end, Phrase(inner, within))

    def field(self, match: re.Match[str]) -> int:
        name, start, end = match[1].lower(), match.start(), match.end()
        if name != "min":
            return self.add("FIELD", start, end, name)
        value = _CHUNK.match(self.plain, end)
        digits = value[0] if value else ""
        stop = value.end() if value else end
        if self.open:
            raise self.fail(_("min: belongs to the whole query, outside parentheses"), start)
        if self.min_outlets:
            raise self.fail(_("min: stands twice"), start, self.without(start, stop))
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 3 or not 1 <= int(digits) <= MAX_OUTLETS:
            hint = self.without(start, stop, "min:2")
            raise self.fail(fill(_("min: takes a number of outlets from 1 to {most}"), most=MAX_OUTLETS), start, hint)
        self.min_outlets = int(digits)
        return stop

    def chunk(self, start: int) -> int:
        match = _CHUNK.match(self.plain, start)
        typed, end = (match[0], match.end()) if match else (self.plain[start], start + 1)
        before = self.pieces[-1] if self.pieces else None
        if re.fullmatch(r"~\d{1,3}", typed) and before and isinstance(before.value, Phrase):
            raise self.fail(_("~ goes after a quoted phrase"), start, self.without(before.end, start))
        bare = _bare(typed)
        if bare in _OPERATORS:
            return self.add(bare, start, end)
        if _FIELD.match(bare) or _UNKNOWN.match(bare):
            quoted = self.without(start, end, f'"{self.text[start:end]}"')
            unknown = _("there is no field {field}, only title:, source:, lang:, tag: and min:")
            name = typed[: typed.index(":")]
            meant = self.without(start, end, _meant(name.lower()) + typed[len(name) :]) if _meant(name.lower()) else ""
            raise self.fail(fill(unknown, field=f"{name}:"), start, *filter(None, [meant]), quoted)
        if "*" in bare:
            return self.wildcard(bare, start, end)
        if "~" in bare:
            raise self.fail(
                _("~ goes after a quoted phrase"),
                start + typed.index("~"),
                self.without(start, end, bare.split("~")[0]),
            )
        if not words(bare):
            if typed in "&-+–—/=*":
                return end  # a sign between words says nothing
            raise self.fail(_("there are no letters or digits to search for in this"), start, self.without(start, end))
        return self.add("LEAF", start, end, Term(bare))

    def wildcard(self, bare: str, start: int, end: int) -> int:
        stem = bare.rstrip("*")
        plain = stem.replace("*", "")
        hint = self.without(start, end, plain)
        if "*" in stem or (stem and not stem[-1].isalnum() and not words(stem[-1])):
            raise self.fail(_("a * goes at the end of a word"), start, self.without(start, end, plain + "*"), hint)
        if sum(map(len, words(stem))) < 3:
            raise self.fail(_("a * needs at least 3 letters before it"), start, hint)
        return self.add("LEAF", start, end, Prefix(stem))


#: names of fields elsewhere, and what they are here
_ELSEWHERE = {
    "site": "source", "from": "source", "host": "source", "outlet": "source", "feed": "source", "headline": "title", "intitle": "title",
    "language": "lang", "category": "tag", "label": "tag",
}  # fmt: skip


def _meant(name: str) -> str:
    """The field that was meant by another name or a slip of the finger; "" when it is none of them."""
    near = get_close_matches(name, ("title", "source", "lang", "tag", "min"), 1, 0.7)
    return _ELSEWHERE.get(name) or next(iter(near), "")


def _bare(typed: str) -> str:
    """The word without what is no part of it: a hash before it, the full stop behind it. Bare text stays as it is."""
    bare = typed.lstrip(_LEADING)
    before = typed[: len(typed) - len(bare)]
    if before.endswith(".") and bare[:1].isalpha() and not before.endswith(".."):
        bare = "." + bare  # .NET
    core = bare.rstrip(_TRAILING)
    # The last dot of U.S. is its own.
    return core + "." if _ACRONYM.fullmatch(core) and bare.startswith(core + ".") else core
