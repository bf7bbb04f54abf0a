"""The terms of a query as tests on a document.

A leaf has a `key`, the same for terms of the same meaning, and is one of two sorts. A *plain* leaf holds where its key is
among what the document offers (`View.atoms`, facets), so that an index finds it by looking up. Any other leaf has
`triggers`, keys of plain leaves of which one holds wherever the leaf holds, and a `test` for where one does.
`spans` gives the places to show in bold.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from bot.subscriptions.common import is_common
from bot.subscriptions.inflection import forms, same
from bot.subscriptions.nodes import Facet, Phrase, Prefix, Term
from bot.subscriptions.twins import twins
from bot.text import CHARACTERS, fold, folded_offsets, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bot.model import Field
    from bot.subscriptions.document import Document, Part, Run, View
    from bot.subscriptions.nodes import Leaf as Node

    Span = tuple[Field, int, int]

_CHARACTER = re.compile(f"[{CHARACTERS}]")
_SIGN = re.compile(r"[+&%@$€£¥₽₹₺₴₩₪°§=^#]|(?<![^\W_])\.(?=[^\W\d_])")
_SURELY_NAME = 3  # letters from which a designator's letters are no everyday word


class Leaf:
    """A term, or the same in the title alone (then its plain leaf is its trigger)."""

    __slots__ = ("key", "title", "triggers")

    def __init__(self, key: str, triggers: tuple[str, ...] = (), *, title: bool = False) -> None:
        #: what it is; terms of the same meaning have the same
        self.key = "\0title:" + key if title else key
        self.triggers = (triggers or (key,)) if title else triggers
        self.title = title

    def view(self, doc: Document) -> View:
        return doc.title if self.title else doc

    def holds(self, doc: Document) -> bool:
        """Whether the document has it."""
        return self.test(self.view(doc))

    def test(self, view: View) -> bool:
        raise NotImplementedError

    def spans(self, doc: Document) -> Iterator[Span]:
        """Where the document has it, field by field."""
        for part in self.view(doc).parts:
            for start, end in self.find(part):
                yield part.field, start, end

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        raise NotImplementedError


class Word(Leaf):
    """A bare word: itself, or a word that shares a form with it."""

    __slots__ = ("word",)

    def __init__(self, word: str, *, title: bool) -> None:
        super().__init__(word, title=title)
        self.word = word

    def test(self, view: View) -> bool:
        return self.word in view.atoms or not view.atoms.isdisjoint(forms(self.word, view.language))

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


class Exact(Leaf):
    """A quoted text: its words side by side, in these forms."""

    __slots__ = ("joined", "words")

    def __init__(self, found: Sequence[str], *, title: bool) -> None:
        self.words = tuple(found)
        self.joined = f" {' '.join(found)} "
        if len(found) == 2:
            super().__init__(f"{found[0]} {found[1]}", title=title)
        elif len(found) == 1:
            super().__init__(f'"{found[0]}', (found[0],), title=title)
        else:
            super().__init__(f'"{" ".join(found)}', (_rarest_pair(found),), title=title)

    def test(self, view: View) -> bool:
        return self.words[0] in view.words if len(self.words) == 1 else self.joined in view.joined

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        yield from _runs(part.run, self.words)


class Compound(Leaf):
    """Bare words grown together, as Al-Qaeda: side by side; the last may be inflected."""

    __slots__ = ("head", "last", "words")

    def __init__(self, found: Sequence[str], *, title: bool) -> None:
        super().__init__(f"\0side:{' '.join(found)}", (max(found, key=len),), title=title)
        self.words, self.last = tuple(found), found[-1]
        self.head = f" {' '.join(found[:-1])} "

    def test(self, view: View) -> bool:
        joined, at = view.joined, view.joined.find(self.head)
        while at >= 0:
            start = at + len(self.head)
            if same(self.last, joined[start : joined.find(" ", start)], view.language):
                return True
            at = joined.find(self.head, at + 1)
        return False

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        yield from _runs(part.run, self.words, last=lambda word: same(self.last, word, part.language))


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
        yield from _runs(part.run, self.words, last=lambda word: word.startswith(self.words[-1]))


class Designator(Leaf):
    """Letters and digits: joined, hyphenated or spaced, in Latin letters or their Cyrillic twins."""

    __slots__ = ("spellings",)

    def __init__(self, found: Sequence[str], *, title: bool) -> None:
        self.spellings = twins(tuple(found))
        super().__init__(f"\0designator:{' '.join(found)}", tuple(map(_rarest_pair, self.spellings)), title=title)

    def test(self, view: View) -> bool:
        if not any(f" {' '.join(spelling)} " in view.joined for spelling in self.spellings):
            return False
        return any(True for part in view.parts for _ in self.find(part))

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        for spelling in self.spellings:
            for i, (start, end) in _numbered_runs(part.run, spelling):
                if all(_joins(part, k) for k in range(i, i + len(spelling) - 1)):
                    yield start, end


def _joins(part: Part, i: int) -> bool:
    """Whether words i and i + 1 belong to one designator: the plan's 300, a 10 and U.S. 300 do not."""
    text, (left, _), (right, _) = part.text, part.run[i], part.run[i + 1]
    gap = fold(text[left.end : right.start])
    if gap in {"", "-"}:
        return "." not in text[left.start : left.end]
    if gap != " ":
        return False
    letters = right if left.word.isdigit() else left
    surface = text[letters.start : letters.end]
    if letters.word.isdigit() or len(letters.word) >= _SURELY_NAME:
        return True
    return not surface.islower() and "." not in surface and not is_common(letters.word, part.language)


class Near(Leaf):
    """All the words, in any order, with at most so many others between."""

    __slots__ = ("units", "within")

    def __init__(self, units: Sequence[tuple[str, ...]], within: int, *, title: bool) -> None:
        self.units, self.within = tuple(sorted(set(units))), within
        rare = max((word for unit in self.units for word in unit), key=len)
        super().__init__(f"\0near:{within}:{'|'.join(map(' '.join, self.units))}", (rare,), title=title)

    def test(self, view: View) -> bool:
        if not all(word in view.words for unit in self.units for word in unit):
            return False
        return any(True for part in view.parts for _ in self.find(part))

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        places = sorted(
            (i, i + len(unit), n) for n, unit in enumerate(self.units) for i, _ in _numbered_runs(part.run, unit)
        )
        allowed = self.within + sum(map(len, self.units))
        latest: dict[int, tuple[int, int]] = {}
        for start, end, unit in places:
            latest[unit] = (start, end)
            if len(latest) == len(self.units):
                first = min(place[0] for place in latest.values())
                if max(place[1] for place in latest.values()) - first <= allowed:
                    for a, b in latest.values():
                        yield part.run[a][0].start, part.run[b - 1][0].end


class Literal(Leaf):
    """A text compared with its signs, or in a script that is matched by characters."""

    __slots__ = ("pattern", "text")

    def __init__(self, text: str, found: Sequence[str], *, title: bool) -> None:
        trigger = _rarest_pair(found) if len(found) > 1 else found[0]
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


def _rarest_pair(found: Sequence[str]) -> str:
    """The neighbours with most letters."""
    a, b = max(pairwise(found), key=lambda pair: len(pair[0]) + len(pair[1]))
    return f"{a} {b}"


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


def _runs(run: Run, found: Sequence[str], last: Callable[[str], bool] | None = None) -> Iterator[tuple[int, int]]:
    return (span for _, span in _numbered_runs(run, found, last))


def _numbered_runs(
    run: Run, found: Sequence[str], last: Callable[[str], bool] | None = None
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Where the words stand side by side within one sentence: number of the first, start and end in the text."""
    size = len(found)
    head = list(found if last is None else found[:-1])
    for i in range(len(run) - size + 1):
        if [token.word for token, _ in run[i : i + len(head)]] != head or run[i][1] != run[i + size - 1][1]:
            continue
        if last is None or last(run[i + size - 1][0].word):
            yield i, (run[i][0].start, run[i + size - 1][0].end)


def compile_leaf(node: Node, *, title: bool = False) -> Leaf:
    """The test for a term."""
    match node:
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
        case Term(text):
            return _compile_term(text, words(text), title=title)


def _compile_term(text: str, found: list[str], *, title: bool) -> Leaf:
    if literal := _by_characters(text, found, title=title):
        return literal
    if _SIGN.search(text):
        return Literal(fold(text).strip(), found, title=title)
    if len(found) == 1:
        letters = text.replace(".", "")
        if 2 <= len(found[0]) <= 5 and letters.isalpha() and letters.isupper():
            return Acronym(found[0], letters, title=title)
        return Word(found[0], title=title)
    kinds = {word.isdigit() for word in found}
    return Designator(found, title=title) if len(kinds) == 2 else Compound(found, title=title)


def _by_characters(text: str, found: Iterable[str], *, title: bool) -> Literal | None:
    found = list(found)
    if not any(_CHARACTER.match(word) for word in found):
        return None
    return Literal(" ".join(fold(text).split()), found, title=title)
