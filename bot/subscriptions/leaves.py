"""The terms of a query as tests on a document.

A leaf has a `key`, the same for terms of the same meaning, and is one of two sorts. A *plain* leaf holds where its key is
among what the document offers (`View.atoms`, facets), so that an index finds it by looking up. Any other leaf has
`triggers`, keys of plain leaves of which one holds wherever the leaf holds, and a `test` for where one does.
`spans` gives the places to show in bold.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.subscriptions.common import is_common
from bot.subscriptions.inflection import asked, same
from bot.subscriptions.leaf import Leaf
from bot.subscriptions.nodes import Facet, Phrase, Prefix, Term
from bot.subscriptions.several import Compound, Designator, Doubled, Exact, Near, rarest_pair, runs
from bot.text import CHARACTERS, fold, folded_offsets, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.model import Field
    from bot.subscriptions.document import Document, Part, View
    from bot.subscriptions.nodes import Leaf as Node

    Span = tuple[Field, int, int]

_CHARACTER = re.compile(f"[{CHARACTERS}]")
_DOUBLED = re.compile(r"(([A-Z])\2)\.? ?(([A-Z])\4)\.?")
_SIGN = re.compile(r"[+&%@$€£¥₽₹₺₴₩₪°§=^#]|(?<![^\W_])\.(?=[^\W\d_])")


class Word(Leaf):
    """A bare word: itself, or a word that shares a form with it."""

    __slots__ = ("word",)

    def __init__(self, word: str, *, title: bool) -> None:
        super().__init__(word, title=title)
        self.word = word

    def test(self, view: View) -> bool:
        return self.word in view.atoms or not view.atoms.isdisjoint(asked(self.word, view.language))

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        for token, _ in part.run:
            if same(self.word, token.word, part.language):
                yield token.start, token.end


class Acronym(Word):
    """A word typed in capitals: no lower-case word, and capitals only where the language has such a word."""

    __slots__ = ("capitals",)

    def __init__(self, word: str, capitals: str, *, title: bool) -> None:
        Leaf.__init__(self, f"\0capitals:{word}", (word,), title=title)
        self.word, self.capitals = word, capitals

    def test(self, view: View) -> bool:
        if self.capitals in view.surfaces:
            return True
        if is_common(self.word, view.language) or not Word.test(self, view):
            return False
        return any(self.fits(surface, view.language) for surface in view.surfaces)

    def fits(self, surface: str, language: str) -> bool:
        if surface.islower():
            return False
        if is_common(self.word, language):
            return surface.isupper() and fold(surface) == self.word
        return same(self.word, fold(surface), language)

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        for token, _ in part.run:
            if self.fits(part.text[token.start : token.end].replace(".", ""), part.language):
                yield token.start, token.end


class Beginning(Leaf):
    """Any word with this beginning; before it, words in their exact forms."""

    __slots__ = ("words",)

    def __init__(self, found: Sequence[str], *, title: bool) -> None:
        heads = found[:-1]
        super().__init__(f"\0begins:{' '.join(found)}", (max(heads, key=len),) if heads else (), title=title)
        if not heads:
            # No plain leaf holds wherever this does: the index knows beginnings by themselves.
            self.triggers = ()
        self.words = tuple(found)

    @property
    def begins(self) -> str:
        """The beginning by which the index finds it; "" where it has a trigger."""
        return "" if self.triggers else self.words[0]

    def test(self, view: View) -> bool:
        if len(self.words) == 1:
            return any(word.startswith(self.words[0]) for word in view.words)
        return " " + " ".join(self.words) in view.joined

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        yield from runs(part.run, self.words, last=lambda word: word.startswith(self.words[-1]))


class Literal(Leaf):
    """A text compared with its signs, or in a script that is matched by characters."""

    __slots__ = ("pattern", "text")

    def __init__(self, text: str, found: Sequence[str], *, title: bool) -> None:
        trigger = rarest_pair(found) if len(found) > 1 else found[0]
        super().__init__(f"\0literal:{text}", (trigger,), title=title)
        self.text = text
        self.pattern = re.compile(_edge(text[0], before=True) + _spaced(text) + _edge(text[-1], before=False))

    def test(self, view: View) -> bool:
        return self.pattern.search(view.folded) is not None

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        folded, offsets = folded_offsets(part.text)
        for match in self.pattern.finditer(folded):
            stop = next((o for o in offsets[match.end() :] if o > offsets[match.end() - 1]), len(part.text))
            yield offsets[match.start()], stop


class Source(Leaf):
    """Where the entry comes from; has no place in the text."""

    __slots__ = ()

    def __init__(self, name: str, value: str) -> None:
        folded = fold(value).strip()
        if name == "source":
            folded = folded.removeprefix("www.") if "." in folded and " " not in folded else " ".join(words(value))
        elif name == "lang":
            folded = folded.split("-")[0]
        super().__init__(f"\0{name}:{folded}")

    def holds(self, doc: Document) -> bool:
        return self.key in doc.facets

    def find(self, part: Part) -> Iterator[tuple[int, int]]:  # noqa: ARG002 - it has no place in any text
        return iter(())


def _edge(char: str, *, before: bool) -> str:
    """What must not stand at the edge of a literal: more of the same sort, but for scripts matched by characters."""
    look = "(?<!" if before else "(?!"
    if _CHARACTER.match(char):
        return ""
    if char.isdigit():
        return look + (r"[0-9])(?<![0-9][.,])" if before else r"[0-9])(?![.,][0-9])")
    if char.isalpha():
        return look + r"[^\W\d_])"
    return look + (r"[^\W_])" if char == "." else re.escape(char) + ")")


def _spaced(text: str) -> str:
    """Between a number and its sign a space may stand."""
    parts = re.split(r"(?<=[0-9])(?=[%€£₽₺₴°])|(?<=[$€£¥])(?=[0-9])", text)
    return " ?".join(re.escape(part).replace("\\ ", " +") for part in parts)


def compile_leaf(node: Node, *, title: bool = False) -> Leaf:
    """The test for a term."""
    match node:
        case Term(text):
            if text.isascii() and text.isalpha() and not text.isupper():
                return Word(text.lower(), title=title)  # most are
            return _compile_term(text, words(text), title=title)
        case Facet(name, value):
            return Source(name, value)
        case Prefix(text):
            found = words(text)
            return _by_characters(text, found, title=title) or Beginning(found, title=title)
        case Phrase(text, within):
            found = words(text)
            if within is not None:
                units = [tuple(unit) for unit in map(words, text.split()) if unit]
                return Near(units, within, title=title) if len(units) > 1 else Exact(found, title=title)
            return _by_characters(text, found, title=title) or Exact(found, title=title)


def _compile_term(text: str, found: list[str], *, title: bool) -> Leaf:
    if literal := _by_characters(text, found, title=title):
        return literal
    if _SIGN.search(text):
        return Literal(fold(text).strip(), found, title=title)
    if doubled := _DOUBLED.fullmatch(text):
        return Doubled((fold(doubled[1]), fold(doubled[3])), title=title)
    if len(found) == 1:
        letters = text.replace(".", "")
        if 2 <= len(found[0]) <= 5 and letters.isalpha() and letters.isupper():
            return Acronym(found[0], letters, title=title)
        return Word(found[0], title=title)
    kinds = {word.isdigit() for word in found}
    return Designator(found, title=title) if len(kinds) == 2 else Compound(found, title=title)


def _by_characters(text: str, found: Iterable[str], *, title: bool) -> Literal | None:
    found = list(found)
    if text.isascii() or not any(_CHARACTER.match(word) for word in found):
        return None
    return Literal(" ".join(fold(text).split()), found, title=title)
